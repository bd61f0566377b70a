/**
 * What a change does to the statuses of assets, with all that is downstream: worked out by the rules of the document, on a document
 * that holds only the keys that are concerned, and written back as the letters that came out different.
 */
import type { KnownPipeline } from '../../../model/known-pipeline.ts';
import type { NextTry } from '../../../model/next-try.ts';
import {
  type AssetEntry,
  emptyDocument,
  entryOf,
  type StateDocument,
} from '../../document/state-document.ts';
import type { Mapping } from '../../store.ts';
import { isGathered, type LastKeys } from '../../document/downstream.ts';
import { retriesIn } from '../../document/retries.ts';
import { StatusChanges } from '../../document/status-changes.ts';
import { type Port, rows, send } from '../port.ts';
import { touchRuns } from './touched.ts';

export interface Surroundings {
  /** As the state remembers it at this point of the commit; with what this change leaves to be asked. */
  pipeline: KnownPipeline | null;
  /** That of this commit. */
  readonly serial: number;
  /** Where the pipeline is loaded. */
  readonly mapping?: Mapping | null;
}

/** The keys that may be concerned. */
export interface Concerned {
  readonly set: string | null;
  readonly keys: Iterable<string | null> | 'all';
}

interface LettersRow {
  readonly set: string | null;
  readonly key: string;
  readonly letters: Readonly<Record<string, string>>;
  /** By asset, of those that failed and are tried again. */
  readonly retries: Readonly<Record<string, readonly [failures: number, at: string | null]>>;
}

const RETRIES = `coalesce(json_object_agg(t.asset, json_build_array(t.failures, t.retry_at)) filter (where t.failures > 0), '{}')`;

const LETTERS_OF = `
  select coalesce(json_object_agg(t.asset, t.letter) filter (where t.asset is not null), '{}') as letters, ${RETRIES} as retries
  from @.status t`;

/** Set by set, so that each key is looked up by its index, whatever the planner knows of the tables. */
const LETTERS = `
select $1::text as set, k.key, t.letters, t.retries
from @.key k cross join lateral (${LETTERS_OF} where t.set_id = k.set_id and t.key = k.key offset 0) t
where k.set_id = (select id from @.key_set where name = $1) and ($2::text[] is null or k.key = any($2))`;

const LETTERS_ALONE = `select null as set, '' as key, t.* from (${LETTERS_OF} where t.set_id = 0) t`;

const ASSETS = `select name, code_version from @.asset`;

const REMEMBER = `update @.meta set pipeline = $1`;

/** What the state remembers of the pipeline from here on. */
export function remember(
  port: Port,
  surroundings: Pick<Surroundings, 'pipeline'>,
  pipeline: KnownPipeline,
): void {
  if (pipeline === surroundings.pipeline) return;
  surroundings.pipeline = pipeline;
  send(port, REMEMBER, [JSON.stringify(pipeline)]);
}

export async function changeStatuses(
  port: Port,
  surroundings: Surroundings,
  concerned: readonly Concerned[],
  change: (statuses: StatusChanges) => void | Promise<void>,
): Promise<void> {
  const { pipeline, serial, mapping = null } = surroundings;
  const [before, lastKeys] = await Promise.all([
    partialDocument(port, pipeline, concerned),
    lastKeysOf(port, pipeline, concerned),
  ]);
  const statuses = new StatusChanges(before, { lastKeys, mapping });
  await change(statuses);
  writeBack(port, before, statuses.entries());
  if (statuses.pipeline !== null) remember(port, surroundings, statuses.pipeline);
  await touchRuns(port, statuses.touched, serial);
}

/** Keys come to a set or leave it: of interest only where something is made of many of them. */
export async function keysChanged(
  port: Port,
  surroundings: Surroundings,
  { set, keys }: { readonly set: string; readonly keys: readonly string[] },
  change: (statuses: StatusChanges) => void,
): Promise<void> {
  const { pipeline } = surroundings;
  if (!isGathered(pipeline?.assets ?? [], set)) return;
  await changeStatuses(port, surroundings, [{ set, keys }, ...setsBelow(pipeline, { keysOf: set })], change);
}

/**
 * Sets of which every key may become stale: those downstream of assets that have no set themselves, and of what is made of many keys.
 * @param changed assets, or all that have a set
 */
export function setsBelow(
  pipeline: KnownPipeline | null,
  changed: { readonly assets: Iterable<string> } | { readonly keysOf: string },
): Concerned[] {
  const graph = pipeline?.assets ?? [];
  const some = new Set(
    'assets' in changed
      ? changed.assets
      : graph.filter(({ set }) => set === changed.keysOf).map(({ name }) => name),
  );
  const sets = new Set<string>();
  // Every key of these may change.
  const whole = new Set(
    graph.filter(({ name, set }) => set === null && some.has(name)).map(({ name }) => name),
  );
  for (const { name, set, inputs, deps, gathers = [] } of graph) {
    const above = [...inputs, ...deps];
    const isWhole =
      above.some((upstream) => whole.has(upstream)) || gathers.some(({ asset }) => some.has(asset));
    if (!isWhole && !above.some((upstream) => some.has(upstream))) continue;
    some.add(name);
    if (!isWhole) continue;
    whole.add(name);
    if (set !== null) sets.add(set);
  }
  return Array.from(sets, (set) => ({ set, keys: 'all' }));
}

const LAST = `
select k.key from @.key k where k.set_id = (select id from @.key_set where name = $1) order by k.pos desc limit $2`;

/** The last keys of sets, as far as something is made of so many of them. */
async function lastKeysOf(
  port: Port,
  pipeline: KnownPipeline | null,
  concerned: readonly Concerned[],
): Promise<LastKeys> {
  const graph = pipeline?.assets ?? [];
  const sets = new Map(graph.map(({ name, set }) => [name, set]));
  const isConcerned = new Set(concerned.map(({ set }) => set));
  const asked = new Map<string, readonly [set: string, last: number]>();
  for (const { asset, last } of graph.flatMap(({ gathers = [] }) => gathers)) {
    const set = sets.get(asset) ?? null;
    if (set !== null && last !== undefined && isConcerned.has(set))
      asked.set(JSON.stringify([set, last]), [set, last]);
  }
  const found = new Map(
    await Promise.all(
      Array.from(asked, async ([name, values]) => {
        const keys = await rows<{ readonly key: string }>(port, LAST, values);
        return [name, new Set(keys.map(({ key }) => key))] as const;
      }),
    ),
  );
  return (set, count) => found.get(JSON.stringify([set, count])) ?? new Set();
}

async function partialDocument(
  port: Port,
  pipeline: KnownPipeline | null,
  concerned: readonly Concerned[],
): Promise<StateDocument> {
  const sets = new Map<string, Set<string> | null>();
  for (const { set, keys } of concerned) {
    if (set === null) continue;
    const before = sets.get(set);
    if (keys === 'all' || before === null) sets.set(set, null);
    else sets.set(set, new Set([...(before ?? []), ...keys].filter((key) => key !== null)));
  }
  const [ofSets, ofNone, known] = await Promise.all([
    Promise.all(Array.from(sets, ([set, keys]) => rows<LettersRow>(port, LETTERS, [set, keys && [...keys]]))),
    rows<LettersRow>(port, LETTERS_ALONE),
    rows<{ readonly name: string; readonly code_version: string | null }>(port, ASSETS),
  ]);
  const found = [...ofSets.flat(), ...ofNone];
  const bySet = new Map<string, LettersRow[]>();
  let alone: Pick<LettersRow, 'letters' | 'retries'> = { letters: {}, retries: {} };
  for (const row of found) {
    if (row.set === null) alone = row;
    else {
      const ofSet = bySet.get(row.set) ?? [];
      bySet.set(row.set, ofSet);
      ofSet.push(row);
    }
  }
  const entries = known.map(({ name, code_version: codeVersion }): [string, AssetEntry] => {
    const before = Array.from(bySet, ([set, ofSet]) => ({
      set,
      status: ofSet.map(({ letters }) => entryOf(letters, name) ?? '.').join(''),
      ...retriesAmong(ofSet, name),
    }));
    const status = entryOf(alone.letters, name) ?? '.';
    const retries = retriesAmong([{ ...alone, key: null }], name);
    return [name, { set: null, status, ...retries, before, ...(codeVersion !== null && { codeVersion }) }];
  });
  return {
    ...emptyDocument(),
    pipeline,
    sets: Object.fromEntries(
      Array.from(bySet, ([set, ofSet]) => [
        set,
        { keys: ofSet.map(({ key }) => key), added: [], keptOut: [] },
      ]),
    ),
    assets: Object.fromEntries(entries),
    // Whether there are any is asked of the database, for those that are touched.
    runs: SOME_RUNS,
  };
}

function retriesAmong(
  found: readonly (Pick<LettersRow, 'retries'> & { readonly key: string | null })[],
  asset: string,
): Pick<AssetEntry, 'retries'> {
  const retries = found.flatMap(({ key, retries: those }) => {
    const retry = entryOf(those, asset);
    return retry === undefined ? [] : [[key, ...retry] as const];
  });
  return retries.length === 0 ? {} : { retries };
}

const SOME_RUNS = [{}] as unknown as StateDocument['runs'];

const PUT = `
insert into @.status (set_id, key, asset, letter, failures, retry_at)
select case when w.set is null then 0 else s.id end, coalesce(w.key, ''), w.asset, w.letter::"char", w.failures, w.retry_at
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[]) as w(set, key, asset, letter, failures, retry_at)
left join @.key_set s on s.name = w.set
on conflict (set_id, key, asset) do update
set letter = excluded.letter, failures = excluded.failures, retry_at = excluded.retry_at`;

const DROP = `
delete from @.status t
using unnest($1::text[], $2::text[], $3::text[]) as w(set, key, asset) left join @.key_set s on s.name = w.set
where t.set_id = case when w.set is null then 0 else s.id end and t.key = coalesce(w.key, '') and t.asset = w.asset`;

const KNOW = `
insert into @.asset (name, code_version) select * from unnest($1::text[], $2::text[]) on conflict do nothing`;

interface Changed {
  readonly set: string | null;
  readonly key: string | null;
  readonly asset: string;
  readonly letter: string;
  readonly next: NextTry | null;
}

function writeBack(port: Port, state: StateDocument, after: StateDocument['assets']): void {
  const changed: Changed[] = [];
  const fresh: [string, AssetEntry][] = [];
  for (const [asset, entry] of Object.entries(after)) {
    const was = entryOf(state.assets, asset);
    if (was === undefined) fresh.push([asset, entry]);
    for (const column of [entry, ...(entry.before ?? [])]) {
      const { set, status } = column;
      const old = was && [was, ...(was.before ?? [])].find((one) => one.set === set);
      const retries = retriesIn(column);
      const before = retriesIn(old);
      if (old?.status === status && retries.size + before.size === 0) continue;
      const keys = set === null ? [null] : (entryOf(state.sets, set)?.keys ?? []);
      for (const [at, key] of keys.entries()) {
        const letter = status[at] ?? '.';
        const next = retries.get(key) ?? null;
        const last = before.get(key) ?? null;
        const isNext = next?.failures !== last?.failures || next?.at !== last?.at;
        if (letter !== (old?.status[at] ?? '.') || isNext) changed.push({ set, key, asset, letter, next });
      }
    }
  }
  const known = [fresh.map(([asset]) => asset), fresh.map(([, { codeVersion }]) => codeVersion ?? null)];
  const columns = (some: readonly Changed[]) => [
    some.map(({ set }) => set),
    some.map(({ key }) => key),
    some.map(({ asset }) => asset),
  ];
  const gone = changed.filter(({ letter }) => letter === '.');
  const there = changed.filter(({ letter }) => letter !== '.');
  const put = [
    ...columns(there),
    there.map(({ letter }) => letter),
    there.map(({ next }) => next?.failures ?? 0),
    there.map(({ next }) => next?.at ?? null),
  ];
  if (fresh.length > 0) send(port, KNOW, known);
  if (gone.length > 0) send(port, DROP, columns(gone));
  if (there.length > 0) send(port, PUT, put);
}
