/** Pools: how many runs may use something at once, and how many may begin in a time, over all processes of a state. */
import type { Failure } from '../model/failure.ts';
import { isPartitionKey, nameOfType } from '../model/partition-key.ts';
import { describeThrown } from '../model/thrown.ts';
import { quoted } from '../model/text.ts';

/** A limit of `definePipeline({ pools })`. */
export interface PoolOptions {
  /** So many runs that use the pool may be started at once: a whole number above 0. */
  readonly limit: number;
  /** So many of them may begin in so many seconds. Default: no bound. */
  readonly rate?: { readonly calls: number; readonly perSeconds: number };
}

/** What a function of an asset is asked for the name of a pool with. */
export interface PoolContext<Key = string | null, Item = unknown> {
  /** `null` for an asset without partitions. */
  readonly partitionKey: Key;
  /** What the key carries; `null` when that is nothing. */
  readonly item: Item;
}

/** The name of a pool, or a function that gives it: at once, and alike each time. */
export type PoolOption<Key = string | null, Item = unknown> =
  string | ((context: PoolContext<Key, Item>) => string);

/** A pool with every default filled in. */
export interface PoolDefinition {
  readonly limit: number;
  readonly rate: { readonly calls: number; readonly windowMs: number } | null;
}

/** Each name that is not defined is a pool of its own, as this one says. */
export const DEFAULT_POOL = 'default';

/** Bytes of UTF-8 of a name. */
export const LONGEST_POOL = 200;

export type Pools = ReadonlyMap<string, PoolDefinition>;

export function poolsIn(pools: Readonly<Record<string, PoolOptions>> | undefined): Pools {
  return new Map(
    Object.entries(pools ?? {}).map(([name, { limit, rate }]) => [
      name,
      { limit, rate: rate === undefined ? null : { calls: rate.calls, windowMs: rate.perSeconds * 1000 } },
    ]),
  );
}

/** What holds for a pool. `undefined`: nobody defined it. */
export function poolNamed(pools: Pools, name: string): PoolDefinition | undefined {
  return pools.get(name) ?? pools.get(DEFAULT_POOL);
}

/** The pool of an asset for a key; `null`: none. */
export function poolOf(
  pools: Pools,
  { name: asset, pool }: { readonly name: string; readonly pool: PoolOption | null },
  context: PoolContext,
):
  | { readonly pool: string | null }
  | { readonly failure: Omit<Extract<Failure, { readonly reason: 'pool-invalid' }>, 'run'> } {
  if (pool === null) return { pool: null };
  const wrong = (why: string) => ({
    failure: { reason: 'pool-invalid', asset, key: context.partitionKey, why } as const,
  });
  let name: unknown = pool;
  try {
    if (typeof pool === 'function') name = pool(context);
  } catch (error) {
    return wrong(`its function threw: ${describeThrown(error).message}`);
  }
  if (name instanceof Promise) return wrong('its function answers with a promise');
  if (typeof name !== 'string') return wrong(`its function answers with ${nameOfType(name)}`);
  if (!isPartitionKey(name) || Buffer.byteLength(name) > LONGEST_POOL)
    return wrong(
      `${quoted(name.slice(0, 60))} is no name of 1 to ${LONGEST_POOL} bytes without control characters`,
    );
  return poolNamed(pools, name) === undefined
    ? wrong(`nobody defined ${quoted(name)}, and there is no pool 'default'`)
    : { pool: name };
}
