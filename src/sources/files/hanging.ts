/**
 * Processes that were killed and cannot end, because a file server does not answer them. Noted in the user's cache folder, so that the
 * ticks that follow neither wait for that server again nor leave one more of them behind, each minute.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { cacheFolder } from '../../files/cache-folder.ts';
import { makeMissing } from '../../files/durable-files.ts';
import { fieldsOf, statOf } from '../../files/proc.ts';
import type { Hanging } from './looker-process.ts';

interface Note extends Hanging {
  readonly pid: number;
  /** A number of a process is given anew; together with its start it is not. */
  readonly start: string;
}

/** This place of the folder is what the process waits for. */
export function noteHanging(cwd: string, { place, kind }: Hanging, pid: number): void {
  const start = startOf(pid);
  const file = fileFor(cwd);
  if (start === null || file === null) return;
  try {
    makeMissing(path.dirname(file), 0o700);
    const notes: Note[] = [...living(file), { place, kind, pid, start }];
    fs.writeFileSync(file, JSON.stringify(notes), { mode: 0o600 });
  } catch {
    // No room, or no permission: the next tick waits, as this one did.
  }
}

/** Places for which an earlier process waits still. */
export function stillHanging(cwd: string): readonly Hanging[] {
  const file = fileFor(cwd);
  if (file === null || !fs.existsSync(file)) return [];
  const notes = living(file);
  if (notes.length === 0) fs.rmSync(file, { force: true });
  return notes.map(({ place, kind }) => ({ place, kind }));
}

function living(file: string): Note[] {
  try {
    const notes = JSON.parse(fs.readFileSync(file, 'utf8')) as readonly Note[];
    return notes.filter(({ pid, start }) => startOf(pid) === start);
  } catch {
    return [];
  }
}

/** `null` when it has ended, and where the system does not say. */
function startOf(pid: number): string | null {
  const stat = statOf(pid);
  if (stat === null) return null;
  const { state, start } = fieldsOf(stat);
  // One that has ended for all but one of its threads is called a zombie, too.
  return state === 'X' || (state === 'Z' && !hasThreads(pid)) ? null : start;
}

function hasThreads(pid: number): boolean {
  try {
    return fs.readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

function fileFor(cwd: string): string | null {
  const folder = cacheFolder(process.env);
  const name = createHash('sha256').update(cwd).digest('hex').slice(0, 32);
  return folder === null ? null : path.join(folder, 'hanging', name);
}
