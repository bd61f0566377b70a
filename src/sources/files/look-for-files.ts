/** One tick of a folder: what is there, what of it is new or changed, and whether it is whole. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CarryingKey, DynamicPartitions } from '../../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../../definitions/sensor.ts';
import { causeOf } from '../../files/system-errors.ts';
import type { FileItem, FilesToFind } from '../files.ts';
import { keyOf, offer, type SourceOptions } from '../offer.ts';
import { patternsFrom } from './patterns.ts';
import { type FoundFile, lookAt, type Unseen, walk } from './walk.ts';

interface Looking extends FilesToFind {
  readonly set: DynamicPartitions<FileItem>;
  readonly options: SourceOptions;
}

/** Between the two looks at a file that is new. */
const SECOND_LOOK_MS = 100;

/** More than two clocks of one machine differ. */
const AHEAD_MS = 1000;

/** For files whose time lies ahead of this clock, which can be said to be quiet only by watching them. */
const LONGEST_WATCH_MS = 10_000;

type Candidate = CarryingKey<FileItem> & { readonly file: FoundFile };

export async function lookForFiles(context: SensorContext, looking: Looking): Promise<SensorResult> {
  const { cwd, patterns, ignore, set, prefix, options, settleMs } = looking;
  const { partitions, signal } = context;
  const { files, unseen } = await walk(cwd, patternsFrom(patterns, ignore), signal);
  const now = Date.now();
  const settled = files.filter(
    ({ touched }) => now - Math.floor(touched) >= settleMs || touched > now + AHEAD_MS,
  );
  const failures: Unseen[] = [...unseen];
  const seen = settled
    .sort((a, b) => a.modified - b.modified || (a.path < b.path ? -1 : 1))
    .map((file): Candidate => candidate(file, `${file.modified.toFixed(3)}+${file.bytes}`, prefix));
  const known = partitions(set);
  const changed = looking.version === 'sha256' ? await unlike(known, seen) : await known.changed(seen);
  const whole = await unchanged(changed, looking, signal);
  const found: CarryingKey<FileItem>[] = [];
  for (const { file, ...rest } of whole) {
    try {
      if (looking.version === 'sha256') {
        const version = await hashOf(path.join(cwd, file.path), signal);
        const after = await lookAt(cwd, file.path);
        if (after !== null && isSame(after, file)) found.push({ ...rest, version });
      } else {
        await fs.access(path.join(cwd, file.path), fs.constants.R_OK);
        found.push(rest);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(await isGone(cwd, file))) failures.push({ name: file.path, error: causeOf(error) });
    }
  }
  const { result } = await offer(context, { found, set, options });
  const nothing = result.dynamicPartitionsRequests === undefined;
  return {
    ...result,
    ...(failures.length === 0 ? {} : { failures }),
    ...(nothing ? { skipReason: reasonOf(files.length, settled.length, patterns) } : {}),
  };
}

function candidate(file: FoundFile, version: string, prefix: string): Candidate {
  const item = { path: file.path, bytes: file.bytes, modified: new Date(file.modified).toISOString() };
  return { key: keyOf(file.path, prefix), version, item, file };
}

/** Those whose size or time is not that of their item: only these are worth reading. */
async function unlike(
  known: ReturnType<SensorContext['partitions']>,
  seen: readonly Candidate[],
): Promise<Candidate[]> {
  const carried = await known.getMany(seen.map(({ key }) => key));
  return seen.filter(({ key, item }) => {
    const before = carried.get(key)?.item as FileItem | null | undefined;
    return before?.bytes !== item?.bytes || before?.modified !== item?.modified;
  });
}

/** Those that are the same at a second look. */
async function unchanged(
  candidates: readonly Candidate[],
  { cwd, settleMs }: Looking,
  signal: AbortSignal,
): Promise<Candidate[]> {
  if (candidates.length === 0) return [];
  const now = Date.now();
  const isAhead = candidates.some(({ file }) => file.touched > now + AHEAD_MS);
  await sleep(
    isAhead ? Math.min(Math.max(settleMs, SECOND_LOOK_MS), LONGEST_WATCH_MS) : SECOND_LOOK_MS,
    undefined,
    { signal },
  );
  const whole: Candidate[] = [];
  for (let at = 0; at < candidates.length; at += 64) {
    signal.throwIfAborted();
    const part = candidates.slice(at, at + 64);
    const again = await Promise.all(part.map(({ file }) => lookAt(cwd, file.path).catch(() => null)));
    whole.push(...part.filter(({ file }, which) => isSame(again[which] ?? null, file)));
  }
  return whole;
}

function isSame(a: FoundFile | null, b: FoundFile): boolean {
  return a !== null && a.bytes === b.bytes && a.touched === b.touched && a.inode === b.inode;
}

async function isGone(cwd: string, file: FoundFile): Promise<boolean> {
  return (await lookAt(cwd, file.path).catch(() => file)) === null;
}

async function hashOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest('hex');
}

function reasonOf(all: number, settled: number, patterns: readonly string[]): string {
  if (all === 0) return `no file is called ${patterns.join(' or ')}`;
  if (settled < all) return `${all - settled} of ${all} files are still being written, the others are known`;
  return `all ${all} files are known`;
}
