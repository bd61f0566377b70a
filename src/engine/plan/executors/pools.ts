/** Shares pools among the processes that execute runs: how many runs of each pool they may have started, and how many may begin now. Pure. */
import type { PoolDefinition } from '../../../definitions/pool.ts';
import type { Millis } from '../../../model/time.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { PoolShare, PoolStarts } from '../../../state/pools.ts';
import type { StateView } from '../../../state/state-view.ts';
import type { Plan } from '../../../state/store.ts';
import { fairShare } from './slots.ts';

/** Runs of a process that use the same pools: a run begins when there is room in all of them. */
export interface Lane {
  readonly pools: readonly PoolUse[];
  /** Those that wait. */
  readonly waiting: number;
}

export interface PoolUse {
  readonly pool: string;
  /** How many assets of a run use it. */
  readonly calls: number;
}

export interface PoolsAsked {
  readonly executor: string;
  readonly lanes: readonly Lane[];
  /** Runs of this process that are under way, by pool. */
  readonly busy: ReadonlyMap<string, number>;
  /** Calls that were granted before and may still be made. */
  readonly granted: ReadonlyMap<string, number>;
  readonly limitOf: (pool: string) => PoolDefinition | undefined;
  readonly now: Millis;
}

export interface PoolsGranted {
  /** So many runs of each pool this process may have started. */
  readonly held: ReadonlyMap<string, number>;
  /** Of pools with a rate: so many calls more may begin, within `callsValidMs` of it. */
  readonly calls: ReadonlyMap<string, number>;
  /** When the next calls may be asked for, where there are none now. */
  readonly nextAt: Millis | null;
}

/** A call that was granted begins within this time, or not at all: what is granted later counts on it. */
export function callsValidMs(windowMs: number): number {
  return Math.min(2000, windowMs / 4);
}

export function planPools(view: StateView, asked: PoolsAsked): Plan<PoolsGranted> {
  const { executor, busy } = asked;
  const own = view.executors().find(({ id }) => id === executor);
  // Nothing is owned here (any more): what is not in the state, nobody could count.
  if (own === undefined) return { changes: [], outcome: { held: new Map(), calls: new Map(), nextAt: null } };
  const wanted = sumOf(asked.lanes.flatMap(({ pools, waiting }) => pools.map(({ pool }) => [pool, waiting])));
  for (const [pool, count] of busy) wanted.set(pool, (wanted.get(pool) ?? 0) + count);
  const held = heldBy(view, asked, wanted);
  const shares = Object.fromEntries(
    [...wanted].flatMap(([pool, wants]): [string, PoolShare][] => {
      const taken = held.get(pool) ?? 0;
      return wants === 0 ? [] : [[pool, [taken, wants - taken]]];
    }),
  );
  const { starts, calls, nextAt } = callsOf(view, asked, held);
  const isSaid = isSame(own.pools, shares) && calls.size === 0;
  const change = { type: 'pools', executor, shares, starts } satisfies StateChange;
  return { changes: isSaid ? [] : [change], outcome: { held, calls, nextAt } };
}

/** All pools of a run, or none of them: two processes that each hold what the other waits for would wait for good. */
function heldBy(
  view: StateView,
  { executor, lanes, busy, limitOf }: PoolsAsked,
  wanted: ReadonlyMap<string, number>,
): Map<string, number> {
  const others = view.executors().filter(({ id, alive }) => alive && id !== executor);
  const room = new Map<string, number>();
  for (const pool of wanted.keys()) {
    const limit = limitOf(pool)?.limit ?? 0;
    const theirs = others.flatMap(({ pools }) => (Object.hasOwn(pools, pool) ? [pools[pool]!] : []));
    const share = fairShare(
      limit,
      theirs.map(([taken, waiting]) => ({ taken, waiting })),
    );
    room.set(pool, Math.max(0, share - (busy.get(pool) ?? 0)));
  }
  const held = new Map(busy);
  for (const { pools, waiting } of lanes) {
    const count = Math.min(waiting, ...pools.map(({ pool }) => room.get(pool) ?? 0));
    if (count <= 0) continue;
    for (const { pool } of pools) {
      held.set(pool, (held.get(pool) ?? 0) + count);
      room.set(pool, room.get(pool)! - count);
    }
  }
  return held;
}

/** Of a clock that was set back, times in the future count as now. */
function recent(starts: PoolStarts, now: Millis, spanMs: number): PoolStarts {
  return starts.map(([at, count]) => [Math.min(at, now), count] as const).filter(([at]) => at > now - spanMs);
}

function callsOf(
  view: StateView,
  { lanes, busy, granted, limitOf, now: here }: PoolsAsked,
  held: ReadonlyMap<string, number>,
): {
  readonly starts: Readonly<Record<string, PoolStarts>>;
  readonly calls: Map<string, number>;
  readonly nextAt: Millis | null;
} {
  const all = new Map(Object.entries(view.poolStarts()));
  // By the clock that all have: those of two machines may differ by minutes.
  const now = here + view.clockAhead();
  const starts = new Map<string, PoolStarts>();
  for (const [pool, before] of all) {
    const rate = limitOf(pool)?.rate;
    // Nobody asks for it any more.
    if (rate == null) continue;
    const left = recent(before, now, rate.windowMs + callsValidMs(rate.windowMs));
    if (left.length > 0) starts.set(pool, left);
  }
  const calls = new Map<string, number>();
  let nextAt: Millis | null = null;
  for (const pool of held.keys()) {
    const rate = limitOf(pool)?.rate ?? null;
    const free = held.get(pool)! - (busy.get(pool) ?? 0);
    if (rate === null || free <= 0) continue;
    const each = Math.max(
      ...lanes.flatMap(({ pools }) => pools.flatMap((use) => (use.pool === pool ? [use.calls] : []))),
    );
    const needed = Math.min(each, rate.calls);
    if ((granted.get(pool) ?? 0) >= needed) continue;
    const before = starts.get(pool) ?? [];
    const used = before.reduce((sum, [, count]) => sum + count, 0);
    const grant = Math.min(rate.calls - used, free * needed);
    if (grant >= needed) {
      calls.set(pool, grant);
      starts.set(pool, [...before, [now, grant]]);
      continue;
    }
    const at = freeAt(before, used - (rate.calls - needed)) + rate.windowMs + callsValidMs(rate.windowMs);
    nextAt = Math.min(nextAt ?? Infinity, at - view.clockAhead());
  }
  return { starts: Object.fromEntries(starts), calls, nextAt };
}

/** When the last of so many calls was granted. */
function freeAt(starts: PoolStarts, calls: number): Millis {
  let left = calls;
  for (const [at, count] of [...starts].sort(([one], [other]) => one - other)) {
    left -= count;
    if (left <= 0) return at;
  }
  return 0;
}

function sumOf(counts: readonly (readonly (string | number)[])[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of counts as [string, number][]) sums.set(name, (sums.get(name) ?? 0) + count);
  return sums;
}

function isSame(
  one: Readonly<Record<string, PoolShare>>,
  other: Readonly<Record<string, PoolShare>>,
): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && one[name]!.join() === other[name]!.join())
  );
}
