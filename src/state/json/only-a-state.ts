/** Files that are no state stay as they are: a restore takes the place of a state, however damaged it is, and a move that of nothing. */
import fs from 'node:fs';
import path from 'node:path';
import { bytesIfThere, io, namesIn } from '../../files/durable-files.ts';
import { type Failure, fail } from '../../model/failure.ts';
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

/** @throws FailureError where something else is there: not called a damaged state, which it never was */
export function refuseAsTarget(file: string, { hasGenerations }: { readonly hasGenerations: boolean }): void {
  const there = io('read', file, () => fs.statSync(file, { throwIfNoEntry: false }));
  // A link that leads nowhere is told by whoever reads the state.
  if (there === undefined) return;
  const why = whyNoTarget(file, there, hasGenerations);
  if (why === null) return;
  const hint = 'nothing was moved; name a place where nothing is yet, or move this one away first';
  fail({ reason: 'file-in-the-way', file, why, hint });
}

function whyNoTarget(file: string, there: fs.Stats, hasGenerations: boolean): string | null {
  if (there.isDirectory()) return 'it is a folder, and a state is a file';
  if (!there.isFile()) return 'it is a pipe or a device, and a state is a file';
  // What only began to be one has generations.
  if (there.size === 0 && !hasGenerations) return 'it is an empty file, and no state';
  return whyNot(file, hasGenerations);
}

function whyNot(file: string, hasGenerations: boolean): string | null {
  if (isValue(file)) return 'it is a value beside a state';
  // Nothing but a state has generations; what the file itself holds may be anything then.
  if (hasGenerations) return null;
  const bytes = io('read', file, () => bytesIfThere(file));
  return bytes === null || beginsLikeAState(bytes) ? null : 'it is no state of dynpart';
}

/** What never was a state is not told as one that is damaged. @param content of a file without generations */
export function toldAsNoState(failure: Failure, content: string | Buffer): Failure {
  const isOfContent = failure.reason === 'state-not-json' || failure.reason === 'state-misshapen';
  return isOfContent && !beginsLikeAState(Buffer.from(content)) ? { ...failure, isNone: true } : failure;
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
