/** A restore takes the place of a state, however damaged that is, and of nothing else that bears its name. */
import fs from 'node:fs';
import path from 'node:path';
import { bytesIfThere, io, namesIn } from '../../files/durable-files.ts';
import { fail } from '../../model/failure.ts';
import { refuseDeadLink, refuseDevice } from './odd-files.ts';

/** @throws FailureError where something else is there */
export function refuseOthers(file: string, { hasGenerations }: { readonly hasGenerations: boolean }): void {
  const there = io('read', file, () => fs.statSync(file, { throwIfNoEntry: false }));
  if (there === undefined) return refuseDeadLink(file);
  refuseDevice(file, there);
  const why = whyNot(file, hasGenerations);
  if (why === null) return;
  const hint = 'name the state with --state; or move this file away first, if a state is to be there';
  fail({ reason: 'file-in-the-way', file, why, hint });
}

function whyNot(file: string, hasGenerations: boolean): string | null {
  if (isValue(file)) return 'it is a value beside a state';
  // Nothing but a state has generations; what the file itself holds may be anything then.
  if (hasGenerations) return null;
  const bytes = io('read', file, () => bytesIfThere(file));
  return bytes === null || beginsLikeAState(bytes) ? null : 'it is no state of dynpart';
}

/** Emptied, torn by a loss of power (then it may hold zeros alone), or damaged further behind. */
function beginsLikeAState(bytes: Buffer): boolean {
  const text = bytes
    .toString('utf8', 0, 4096)
    .replace(/^\ufeff/, '')
    .trimStart();
  return /^(?:\{\s*"schema"\s*:|\0*$)/.test(text) || '{"schema":'.startsWith(text);
}

/** `values/ASSET/KEY` of a state: what is in it is the user's, be it a state's text. */
function isValue(file: string): boolean {
  const values = path.dirname(path.dirname(file));
  if (path.basename(values) !== 'values') return false;
  const folder = path.dirname(values);
  const names = io('read the folder', folder, () => namesIn(folder));
  return ['executors', 'history', 'claims', 'state.json'].some((name) => names.includes(name));
}
