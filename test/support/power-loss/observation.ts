/** All that the real code sees in a folder. */
import { EVERYTHING } from '../../../src/state/needs.ts';
import { HistoryFiles } from '../../../src/state/json/history-files.ts';
import fs from 'node:fs';
import path from 'node:path';
import { FailureError } from '../../../src/model/failure.ts';
import { type RunRecord, runId } from '../../../src/model/run.ts';
import { checkState } from '../../../src/state/document/check-state.ts';
import { namesIn } from '../../../src/files/durable-files.ts';
import { FileValues } from '../../../src/values/file-values.ts';
import { JsonFileStore } from '../../../src/state/json/json-file-store.ts';
import type { StateDocument } from '../../../src/state/document/state-document.ts';
import { FakeClock } from '../fake-clock.ts';

export interface Observation {
  /** The state, or the reason for which it cannot be read. */
  readonly document: StateDocument | null;
  readonly failure: string | null;
  readonly warnings: readonly string[];
  /** What is wrong whatever was done before. */
  readonly problems: readonly string[];
  /** Every value on record, as `asset/key`. */
  readonly values: ReadonlyMap<string, string>;
  readonly finished: ReadonlyMap<string, RunRecord>;
}

export async function observe(project: string): Promise<Observation> {
  const folder = path.join(project, '.dynpart');
  const warnings: string[] = [];
  const problems: string[] = [];
  const store = new JsonFileStore({
    file: path.join(folder, 'state.json'),
    clock: new FakeClock(),
    version: '0.0.0',
    warn: (message) => warnings.push(message),
  });
  let document: StateDocument | null = null;
  let failure: string | null = null;
  try {
    document = await store.document();
    problems.push(...checkState(document).map(({ message }) => message));
    for (const executor of (await store.read(EVERYTHING)).executors())
      if (executor.interrupted === undefined) problems.push(`executor ${executor.id} has no judgement`);
  } catch (error) {
    failure = reasonOf(error);
  }
  const finished = new Map<string, RunRecord>();
  try {
    // Also where the state is damaged.
    for (const run of new HistoryFiles(folder).finishedRuns()) {
      finished.set(run.id, run);
      await store.readLog(run.id, 0);
    }
    for (const sensor of Object.keys(document?.sensors ?? {})) {
      await store.ticks(sensor, Infinity);
      await store.evaluating(sensor);
    }
  } catch (error) {
    problems.push(`the history cannot be read: ${reasonOf(error)}`);
  }
  const values = new Map<string, string>();
  const pending = new Map(
    (document?.runs ?? []).flatMap(({ id, numbers, done }) =>
      numbers.map((at) => [runId(id, at), done?.[String(at)] ?? []] as const),
    ),
  );
  const skipped = skippedIn(document);
  const keys = new Map(
    (document?.runs ?? []).flatMap(({ id, numbers, keys }) =>
      numbers.map((number, at) => [runId(id, number), keys[at] ?? null] as const),
    ),
  );
  // As the next process does it after the machine was started again.
  const made = document === null ? [] : [...materialized(document)];
  const kept = new FileValues(
    folder,
    (run, purged) => {
      if (purged !== undefined) {
        const stands = made.some(([asset, key]) => asset === purged.asset && key === purged.key);
        return Promise.resolve({ assets: [], skipped: stands ? [] : [purged.asset], isOver: true });
      }
      const assets = pending.get(run) ?? finished.get(run)?.assets ?? [];
      const key = finished.get(run)?.partitionKey ?? keys.get(run) ?? null;
      const succeeded = assets.filter(({ status }) => status === 'SUCCESS').map(({ asset }) => asset);
      const ended = assets.filter(
        ({ asset, skipReason }) => skipReason !== null && skipped.get(asset)?.has(key) === true,
      );
      return Promise.resolve({
        assets: succeeded,
        skipped: ended.map(({ asset }) => asset),
        isOver: !pending.has(run),
      });
    },
    {
      skippedOf: (asset, asked) =>
        Promise.resolve(new Set(asked.filter((key) => skipped.get(asset)?.has(key)))),
      makeLast: () => Promise.resolve(),
    },
  );
  const boots = (): string[] =>
    namesIn(path.join(folder, 'values', '.tmp'))
      .filter((name) => name.startsWith('boot-'))
      .map((name) => path.join(folder, 'values', '.tmp', name));
  const before = boots();
  for (const file of before) fs.rmSync(file);
  await kept.recover();
  for (const file of boots()) fs.rmSync(file);
  for (const file of before) fs.writeFileSync(file, '');
  for (const [asset, partitionKey] of made) {
    const name = `${asset}/${partitionKey ?? ''}`;
    try {
      values.set(name, textOf(await kept.load({ asset, partitionKey })));
    } catch (error) {
      problems.push(`${name} is on record and cannot be read: ${reasonOf(error)}`);
    }
  }
  if (document !== null) problems.push(...madeOfAnother(document, values));
  for (const [asset, ofAsset] of skipped)
    for (const key of kept.kept(asset, [...ofAsset]))
      problems.push(`${asset}/${key ?? ''} was skipped, and its value stays`);
  return { document, failure, warnings, problems, values, finished };
}

/** What is materialized, also where it is stale, or a later run has failed. */
const WITH_VALUE = 'mFvucVCUWDX';

/** What counts as made of the version that its key has, was. */
function* madeOfAnother(document: StateDocument, values: ReadonlyMap<string, string>): Generator<string> {
  const { set, status = '' } = document.assets['first'] ?? {};
  const { keys = [], versions = '' } = document.sets[set ?? ''] ?? {};
  for (const [at, version] of versions.split('\n').entries()) {
    const value = values.get(`first/${keys[at]}`);
    if (version === '' || status[at] !== 'm' || value === undefined) continue;
    if ((JSON.parse(value) as { version?: string }).version !== version)
      yield `first/${keys[at]} counts as made of version ${version}, and was not`;
  }
}

/** Each asset and key that are materialized. */
export function* materialized(document: StateDocument): Generator<[asset: string, key: string | null]> {
  for (const [asset, { set, status }] of Object.entries(document.assets)) {
    for (let at = 0; at < status.length; at++)
      if (WITH_VALUE.includes(status[at]!))
        yield [asset, set === null ? null : document.sets[set]!.keys[at]!];
  }
}

/** The keys that are skipped, of each asset. */
function skippedIn(document: StateDocument | null): ReadonlyMap<string, ReadonlySet<string | null>> {
  return new Map(
    Object.entries(document?.assets ?? {}).map(([asset, { set, status }]) => {
      const keys = set === null ? [null] : document!.sets[set]!.keys;
      return [asset, new Set(keys.filter((_, at) => status[at] === 's'))] as const;
    }),
  );
}

/** Each run that has not finished, with its assets and key. */
export function pendingRuns(document: StateDocument): Map<string, readonly string[]> {
  return new Map(
    document.runs.flatMap((group) =>
      group.numbers.map((number, at) => [
        runId(group.id, number),
        group.assets.map((asset) => `${asset}/${group.keys[at] ?? ''}`),
      ]),
    ),
  );
}

/** What a command that is given again has to come to, without times and ids. */
export function endOf(project: string, { document, values, finished }: Observation): string {
  const { sets = {}, assets = {}, sensors = {}, runs = [], executors = [], incidents } = document ?? {};
  const folder = path.join(project, '.dynpart', 'values');
  return JSON.stringify(
    {
      sets: Object.entries(sets).map(([name, { keys, keptOut, versions, items }]) => [
        name,
        keys,
        keptOut,
        versions,
        items,
      ]),
      assets: Object.entries(assets)
        .map(([name, { set, status }]) => `${name} ${set} ${status}`)
        .sort(),
      sensors: Object.entries(sensors).map(([name, { cursor, runKeys }]) => [name, cursor, runKeys]),
      pending: runs.length,
      incidents: (incidents?.list ?? []).map(({ kind, asset, sensor, told }) => [
        kind,
        asset,
        sensor,
        Object.keys(told),
      ]),
      executors: executors.length,
      values: Array.from(values, ([name, value]) => `${name} ${value}`).sort(),
      files: (fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [])
        .filter((name) => !name.startsWith('.tmp'))
        .sort(),
      finished: [
        ...new Set(
          [...finished.values()].map((run) =>
            [run.status, run.partitionKey, ...run.assets.map((one) => one.asset)].join(' '),
          ),
        ),
      ].sort(),
    },
    null,
    1,
  );
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('latin1')}`;
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function reasonOf(error: unknown): string {
  if (error instanceof FailureError) return error.failure.reason;
  throw error;
}
