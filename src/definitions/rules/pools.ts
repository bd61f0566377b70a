/** The rules for pools: their limits, and that the assets name pools that are there. */
import { isPartitionKey, nameOfType } from '../../model/partition-key.ts';
import { didYouMean } from '../../model/nearest.ts';
import type { AnyAsset } from '../asset.ts';
import { DEFAULT_POOL, LONGEST_POOL } from '../pool.ts';
import { checkAboveZero, checkKnown } from './options.ts';
import { isRecord, problem, type Problems, said } from './problem.ts';

function wrong(what: string): ReturnType<typeof problem> {
  return problem(null, 'invalid-option', what);
}

export function* checkPools(pools: unknown): Problems {
  if (pools === undefined) return;
  if (!isRecord(pools))
    return yield wrong(
      `pools of the pipeline must be an object such as { api: { limit: 2 } }, not ${nameOfType(pools)}`,
    );
  for (const [pool, given] of Object.entries(pools)) {
    const owner = { definition: null, name: `pool ${said(pool)}` };
    if (!isPartitionKey(pool) || Buffer.byteLength(pool) > LONGEST_POOL || pool === '__proto__')
      yield wrong(
        `${JSON.stringify(pool.slice(0, 60))} is no name for a pool: use 1 to ${LONGEST_POOL} bytes`,
      );
    if (!isRecord(given)) {
      yield wrong(`${owner.name} must be an object such as { limit: 2 }, not ${nameOfType(given)}`);
      continue;
    }
    yield* checkKnown(owner, given, ['limit', 'rate']);
    const { limit, rate } = given as Readonly<Record<string, unknown>>;
    if (limit === undefined) yield wrong(`${owner.name} has no limit: how many runs may use it at once`);
    yield* checkAboveZero(owner, 'limit', limit, 'a whole number');
    if (rate === undefined) continue;
    if (!isRecord(rate)) {
      yield wrong(
        `rate of ${owner.name} must be an object such as { calls: 10, perSeconds: 60 }, not ${nameOfType(rate)}`,
      );
      continue;
    }
    yield* checkKnown({ definition: null, name: `rate of ${owner.name}` }, rate, ['calls', 'perSeconds']);
    const { calls, perSeconds } = rate as Readonly<Record<string, unknown>>;
    for (const [option, value] of Object.entries({ calls, perSeconds }))
      if (value === undefined) yield wrong(`rate of ${owner.name} has no ${option}`);
    yield* checkAboveZero(owner, 'rate.calls', calls, 'a whole number');
    yield* checkAboveZero(owner, 'rate.perSeconds', perSeconds, 'seconds');
  }
}

/** A name is looked for at once; what a function answers, when there is a run. */
export function* checkPoolOf(asset: AnyAsset, pools: unknown): Problems {
  const pool: unknown = isRecord(asset.options) ? asset.options.pool : undefined;
  if (pool === undefined) return;
  const name = `pool of asset ${said(asset.name)}`;
  const known = isRecord(pools) ? Object.keys(pools) : [];
  if (typeof pool !== 'string' && typeof pool !== 'function')
    yield problem(
      asset,
      'invalid-option',
      `${name} must be a name, or a function of partitionKey and item, not ${nameOfType(pool)}`,
    );
  else if (typeof pool === 'string' && !known.includes(pool) && !known.includes(DEFAULT_POOL))
    yield problem(
      asset,
      'unknown-pool',
      `${name} is ${said(pool)}, which nobody defined${didYouMean(pool, known)}; add it to pools of definePipeline: { ${JSON.stringify(pool)}: { limit: 1 } }`,
    );
}
