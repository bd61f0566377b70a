/** One tick of a folder: what is there, what of it is new or changed, and whether it is whole. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CarryingKey, DynamicPartitions } from '../../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../../definitions/sensor.ts';
import type { FileItem, FilesToFind } from './files-options.ts';
import { keyOf, offer, type SourceOptions } from '../offer.ts';
import { Looker } from './looker.ts';
import type { FoundFile } from './questions.ts';

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
  const looker = new Looker({ cwd: looking.cwd, signal: context.signal });
  try {
    return await lookBy(looker, context, looking);
  } finally {
    looker.close();
  }
}

async function lookBy(looker: Looker, context: SensorContext, looking: Looking): Promise<SensorResult> {
  const { patterns, ignore, set, prefix, options, settleMs } = looking;
  const known = context.partitions(set);
  const failures: { name: string; error: string }[] = [];
  const files: FoundFile[] = [];
  for (const told of await looker.ask({ ask: 'walk', patterns, ignore })) {
    if (told[0] === 'failed') throw new Error(`cannot look for files in ${told[1]}: ${told[2]}`);
    if (told[0] === 'unseen') failures.push({ name: told[1], error: told[2] });
    if (told[0] === 'file') files.push(told[1]);
  }
  const now = Date.now();
  const settled = files.filter(
    ({ touched }) => now - Math.floor(touched) >= settleMs || touched > now + AHEAD_MS,
  );
  const seen = settled
    .sort((a, b) => a.modified - b.modified || (a.path < b.path ? -1 : 1))
    .map((file): Candidate => candidate(file, `${file.modified.toFixed(3)}+${file.bytes}`, prefix));
  const hashes = looking.version === 'sha256';
  const changed = hashes ? await unlike(known, seen) : await known.changed(seen);
  const found: CarryingKey<FileItem>[] = [];
  if (changed.length > 0) {
    await sleep(untilSecondLook(changed, settleMs), undefined, { signal: context.signal });
    for (const told of await looker.ask({ ask: 'again', files: changed.map(({ file }) => file), hashes })) {
      if (told[0] === 'unseen') failures.push({ name: told[1], error: told[2] });
      if (told[0] !== 'whole') continue;
      const { file: _, ...rest } = changed[told[1]]!;
      found.push(told[2] === null ? rest : { ...rest, version: told[2] });
    }
  }
  failures.push(...looker.unseen);
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

function untilSecondLook(candidates: readonly Candidate[], settleMs: number): number {
  const now = Date.now();
  const isAhead = candidates.some(({ file }) => file.touched > now + AHEAD_MS);
  return isAhead ? Math.min(Math.max(settleMs, SECOND_LOOK_MS), LONGEST_WATCH_MS) : SECOND_LOOK_MS;
}

function reasonOf(all: number, settled: number, patterns: readonly string[]): string {
  if (all === 0) return `no file is called ${patterns.join(' or ')}`;
  if (settled < all) return `${all - settled} of ${all} files are still being written, the others are known`;
  return `all ${all} files are known`;
}
