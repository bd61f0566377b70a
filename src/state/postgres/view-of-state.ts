/** Turns the needs of a plan into a few queries, and their answers into the view of the state that the plan is given. */
import { NO_INCIDENTS } from '../../model/incident.ts';
import type { Millis } from '../../model/time.ts';
import { findRun, pendingRuns } from '../document/run-columns.ts';
import type { KeysNeed, Needs } from '../needs.ts';
import type {
  ExecutorView,
  KeyPage,
  KeyStatuses,
  SensorView,
  StateView,
  StatusCounts,
} from '../state-view.ts';
import { type Past, pastOf } from '../past.ts';
import { listRuns, readTicks } from './history.ts';
import { carriedBy, readKeys, readSets } from './read/keys.ts';
import type { Carried } from '../../model/carried.ts';
import { type Moment, readMoment, type SensorRow } from './read/moment.ts';
import { statusAt } from '../document/statuses.ts';
import { readCandidates, readCounts, readOldest, readPage } from './read/questions.ts';
import { readRuns, type SeenExecutors } from './read/runs.ts';
import { readSpent } from './read/run-keys.ts';
import { runKeyText } from './run-key-text.ts';
import { readRetryTimes, readStatuses, type StatusAsked, type StatusRow } from './read/statuses.ts';
import type { Port } from './port.ts';

/** Where a moment is made sure of before anything else is asked: whose state it is, and of which version. */
export interface ViewTools {
  readonly admit: (moment: Moment | null) => Promise<Moment>;
  readonly viewOf: (executor: Moment['executors'][number]) => ExecutorView;
  readonly seen: SeenExecutors;
  /** Called as soon as the moment is known. */
  readonly aheadIn: (moment: Moment) => Millis;
}

export async function readView(port: Port, needs: Needs, tools: ViewTools): Promise<StateView> {
  const executorsNeeded = needs.executors === true;
  const { sensors: sensorsNeeded = [], ownedBy = [] } = needs;
  const asking = readMoment(port, { sensors: sensorsNeeded, executors: executorsNeeded, ownedBy }).then(
    tools.admit,
  );
  let executors: readonly ExecutorView[] | undefined;
  const executorsIn = (moment: Moment): readonly ExecutorView[] =>
    (executors ??= moment.executors.map(tools.viewOf));
  const oldestAsked = oldestOf(port, needs);
  // All at once, so that they cost one way to the server and back.
  const others = Promise.all([
    oldestAsked,
    keysOf(port, needs.keys ?? [], oldestAsked),
    statusesOf(port, needs),
    needs.retries === true ? retriesOf(port) : null,
    spentOf(port, needs),
    needs.runs === undefined
      ? null
      : readRuns(port, needs.runs, { executors: async () => executorsIn(await asking), seen: tools.seen }),
    pagesOf(port, needs, asking),
    candidatesOf(port, needs),
    countsOf(port, needs),
    readPast(port, needs),
  ]);
  // Where the moment is wrong, what was asked beside it is, too: that is not what there is to say.
  others.catch(() => undefined);
  const moment = await asking;
  const clockAhead = tools.aheadIn(moment);
  const [oldest, keys, statuses, retries, spent, groups, pages, candidates, counts, past] = await others;
  const sizes = new Map(moment.sets.map(({ name, size }) => [name, size]));
  const sensors = new Map(moment.sensors.map((row) => [row.name, row]));
  const runs = groups?.map(pendingRuns);
  return {
    serial: moment.serial,
    pipeline: moment.pipeline,
    incidents: moment.incidents ?? NO_INCIDENTS,
    setNames: () => moment.sets.map(({ name }) => name),
    size: (set) => sizes.get(set) ?? 0,
    ...keys,
    page: asked(pages, 'a page of keys'),
    oldest: asked(oldest, 'the oldest keys'),
    ...statuses,
    ...past,
    nextRetry: (after) => (retries === null ? undeclared('when a key is tried again') : retries(after)),
    candidates: asked(candidates, 'candidates'),
    counts: asked(counts, 'counts'),
    sensor: (name) =>
      sensorView(sensors.get(name) ?? (needs.sensors === 'all' ? undefined : undeclared(`sensor ${name}`))),
    sensorNames: () => moment.sensors.filter(({ version }) => version !== null).map(({ name }) => name),
    spentRunKeys: spent,
    runs: () => runs ?? undeclared('runs'),
    run: (id) => (groups === null ? undeclared(`run ${id}`) : findRun(groups, id, runs)),
    ownedBy: (executor) =>
      Object.hasOwn(moment.owned, executor)
        ? moment.owned[executor]!
        : undeclared(`how many runs are ${executor}'s`),
    executors: () => (executorsNeeded ? executorsIn(moment) : undeclared('the executors')),
    poolStarts: () => (executorsNeeded ? (moment.poolStarts ?? {}) : undeclared('the executors')),
    clockAhead: () => (executorsNeeded ? clockAhead : undeclared('the executors')),
  };
}

function undeclared(what: string): never {
  throw new Error(`a plan asks for ${what}, which is not among its needs`);
}

/** Answers by the questions that they are to. */
type Answers<Query, Answer> = ReadonlyMap<string, Answer> & { readonly of?: Query };

function asked<Query, Answer>(answers: Answers<Query, Answer>, what: string): (query: Query) => Answer {
  return (query) => {
    const name = JSON.stringify(query);
    return answers.has(name) ? answers.get(name)! : undeclared(what);
  };
}

export async function readPast(port: Port, { runPages = [], ticks = [] }: Needs): Promise<Past> {
  const [pages, lists]: [Parameters<typeof pastOf>[0][number][], Parameters<typeof pastOf>[1][number][]] = [
    [],
    [],
  ];
  for (const query of runPages) pages.push([query, await listRuns(port, query)]);
  for (const query of ticks) lists.push([query, await readTicks(port, query.sensor, query.limit)]);
  return pastOf(pages, lists);
}

async function oldestOf(port: Port, needs: Needs): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const query of needs.oldest ?? []) found.set(JSON.stringify(query), await readOldest(port, query));
  return found;
}

async function pagesOf(port: Port, needs: Needs, moment: Promise<Moment>): Promise<Map<string, KeyPage>> {
  const found = new Map<string, KeyPage>();
  for (const query of needs.pages ?? []) {
    const total = (await moment).sets.find(({ name }) => name === query.set)?.size ?? 0;
    found.set(JSON.stringify(query), await readPage(port, query, total));
  }
  return found;
}

async function candidatesOf(port: Port, needs: Needs): Promise<Map<string, readonly KeyStatuses[]>> {
  const found = new Map<string, readonly KeyStatuses[]>();
  for (const query of needs.candidates ?? [])
    found.set(JSON.stringify(query), await readCandidates(port, query));
  return found;
}

async function countsOf(port: Port, needs: Needs): Promise<Map<string, StatusCounts>> {
  const queries = needs.counts ?? [];
  const found = await readCounts(port, queries);
  return new Map(queries.map((query, at) => [JSON.stringify(query), found[at]!]));
}

async function keysOf(
  port: Port,
  needs: readonly KeysNeed[],
  oldest: Promise<ReadonlyMap<string, readonly string[]>>,
): Promise<Pick<StateView, 'keys' | 'present' | 'keptOut' | 'carried'>> {
  const carriers = new Set(needs.filter(({ carried }) => carried).map(({ set }) => set));
  const withCarried = carriers.size > 0;
  const whole = new Set(needs.filter(({ keys }) => keys === 'all').map(({ set }) => set));
  const declared = new Map<string, Set<string>>();
  const declare = (set: string, key: string): void => {
    const known = declared.get(set);
    if (known === undefined) declared.set(set, new Set([key]));
    else known.add(key);
  };
  for (const { set, keys } of needs) {
    if (keys === 'all' || whole.has(set)) continue;
    for (const key of keys) if (key !== null) declare(set, key);
  }
  const [ofWhole, ofSome] = await Promise.all([
    whole.size === 0 ? [] : readSets(port, [...whole], withCarried),
    readKeys(port, declared, withCarried),
  ]);
  const inOrder = new Map<string, string[]>();
  const present = new Map<string, Set<string>>();
  const keptOut = new Map<string, Set<string>>();
  const carried = new Map<string, Map<string, Carried>>();
  for (const [set, some] of ofSome) {
    present.set(set, new Set(some.present));
    keptOut.set(set, new Set(some.keptOut));
    const ofSet = Object.entries(some.carried).map(([key, row]) => [key, carriedBy(row)] as const);
    carried.set(set, new Map(ofSet));
  }
  for (const row of ofWhole) {
    if (row.present) addTo(present, row.set, row.key);
    if (row.kept_out) addTo(keptOut, row.set, row.key);
    if (row.version !== null || row.item !== null) {
      const ofSet = carried.get(row.set) ?? new Map<string, Carried>();
      carried.set(row.set, ofSet);
      ofSet.set(row.key, carriedBy(row));
    }
    if (row.present && whole.has(row.set)) {
      const list = inOrder.get(row.set);
      if (list === undefined) inOrder.set(row.set, [row.key]);
      else list.push(row.key);
    }
  }
  // What a rule names is there.
  for (const [query, keys] of await oldest) {
    const { set } = JSON.parse(query) as { readonly set: string };
    for (const key of keys) {
      declare(set, key);
      addTo(present, set, key);
    }
  }
  const among = (sets: ReadonlyMap<string, ReadonlySet<string>>) => (set: string, keys: Iterable<string>) => {
    const isWhole = whole.has(set);
    const known = declared.get(set);
    const there = sets.get(set);
    const answer = new Set<string>();
    for (const key of keys) {
      if (!isWhole && !known?.has(key)) undeclared(`key ${key} of set ${set}`);
      if (there?.has(key)) answer.add(key);
    }
    return answer;
  };
  const presentAmong = among(present);
  return {
    keys: (set) => (whole.has(set) ? (inOrder.get(set) ?? []) : undeclared(`all keys of set ${set}`)),
    present: presentAmong,
    keptOut: among(keptOut),
    carried: (set, keys) => {
      if (!carriers.has(set)) undeclared(`what keys of set ${set} carry`);
      const ofSet = carried.get(set);
      const answer = new Map<string, Carried>();
      for (const key of presentAmong(set, keys)) {
        const carriedBy = ofSet?.get(key);
        if (carriedBy !== undefined) answer.set(key, carriedBy);
      }
      return answer;
    },
  };
}

function addTo(sets: Map<string, Set<string>>, set: string, key: string): void {
  const known = sets.get(set);
  if (known === undefined) sets.set(set, new Set([key]));
  else known.add(key);
}

async function retriesOf(port: Port): Promise<StateView['nextRetry']> {
  const times = await readRetryTimes(port);
  return (after) => times.find((at) => at > after) ?? null;
}

async function statusesOf(port: Port, needs: Needs): Promise<Pick<StateView, 'statusOf' | 'nextTries'>> {
  const wanted = new Map<string, StatusAsked>();
  for (const { asset, set, keys } of needs.statuses ?? [])
    for (const key of keys) wanted.set(statusName(asset, set, key), { asset, set, key });
  const found = wanted.size === 0 ? [] : await readStatuses(port, [...wanted.values()]);
  const known = new Map(found.map((row) => [statusName(row.asset, row.set, row.key), row]));
  const rowOf = (asset: string, set: string | null, key: string | null): StatusRow | undefined => {
    const name = statusName(asset, set, key);
    if (!wanted.has(name)) undeclared(`the status of ${asset} for ${key}`);
    return known.get(name);
  };
  return {
    statusOf: (asset, set, keys) => keys.map((key) => statusAt(rowOf(asset, set, key)?.letter)),
    nextTries: (asset, set, keys) =>
      keys.map((key) => {
        const { failures, retry_at: at } = rowOf(asset, set, key) ?? { failures: 0, retry_at: null };
        return failures === 0 ? null : { failures, at };
      }),
  };
}

function statusName(asset: string, set: string | null, key: string | null): string {
  return `${asset}\0${set ?? ''}\0${key ?? ''}`;
}

async function spentOf(port: Port, needs: Needs): Promise<StateView['spentRunKeys']> {
  const wanted = (needs.runKeys ?? []).flatMap(({ sensor, runKeys }) =>
    [...new Set(runKeys)].map((runKey) => ({ sensor, runKey })),
  );
  const found = wanted.length === 0 ? [] : await readSpent(port, wanted);
  const on = new Map(found.map((row) => [`${row.sensor}\0${row.run_key}`, row]));
  const declared = new Set(wanted.map(({ sensor, runKey }) => `${sensor}\0${runKey}`));
  return (sensor, runKeys, removed = new Map()) => {
    const spent = new Set<string>();
    for (const runKey of runKeys) {
      if (!declared.has(`${sensor}\0${runKey}`)) undeclared(`run key ${runKey} of sensor ${sensor}`);
      const row = on.get(`${sensor}\0${runKeyText(runKey)}`);
      if (row === undefined) continue;
      const isGone = row.set !== null && row.key !== null && removed.get(row.set)?.has(row.key);
      if (!isGone) spent.add(runKey);
    }
    return spent;
  };
}

function sensorView(row: SensorRow | undefined): SensorView {
  return {
    status: row?.status ?? null,
    cursor: row?.cursor ?? null,
    version: row?.version ?? 0,
    periods: row?.periods ?? {},
    quietSince: row?.quietSince ?? null,
    lastTick: row?.lastTick ?? null,
  };
}
