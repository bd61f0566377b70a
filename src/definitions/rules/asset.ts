/** The rules for one asset by itself: its options, its set and its retries. */
import { whyNoVersion } from '../../model/carried.ts';
import { LONGEST_MS, parseDuration } from '../../model/duration.ts';
import { nameOfType } from '../../model/partition-key.ts';
import type { AnyAsset } from '../asset.ts';
import { kindOf } from '../brand.ts';
import { gatheredIn } from './upstreams.ts';
import { AT_EXAMPLES, isTimeZone, parseAt, PERIODS } from '../every.ts';
import { checkChecks } from './checks.ts';
import { checkName } from './names.ts';
import { checkAboveZero, checkDuration, checkIsolation, checkKnown, type Owner } from './options.ts';
import { checkSet } from './partitions.ts';
import { isRecord, problem, type Problems, said } from './problem.ts';

const OPTIONS = [
  'name',
  'partitions',
  'inputs',
  'deps',
  'automate',
  'checks',
  'retry',
  'timeoutMs',
  'concurrency',
  'pool',
  'isolation',
  'batch',
  'codeVersion',
  'freshFor',
  'description',
  'group',
  'tags',
  'materialize',
];
const RETRY_OPTIONS = ['maxRetries', 'delayMs', 'backoff', 'jitter', 'later'];

/** How often a key is tried again by itself, and how long after a failure at most. */
const MOST_DELAYS = 100;

export function* checkAsset(asset: AnyAsset): Problems {
  const { options } = asset;
  const owner = { definition: asset, name: `asset ${said(asset.name)}` };
  const { name } = owner;
  if (!isRecord(options))
    return yield problem(asset, 'invalid-asset', `asset() takes an object, not ${nameOfType(options)}`);
  yield* checkName(asset, 'asset', asset.name);
  yield* checkKnown(owner, options, OPTIONS);
  const { partitions, timeoutMs, concurrency, retry } = options;
  if (typeof options.materialize !== 'function')
    yield problem(asset, 'invalid-asset', `${name} has no materialize function`);
  if (partitions !== undefined && kindOf(partitions) !== 'dynamic-partitions')
    yield problem(
      asset,
      'invalid-asset',
      `partitions of ${name} must come from dynamicPartitions(), not be ${nameOfType(partitions)}`,
    );
  else if (partitions !== undefined) yield* checkSet(partitions);
  yield* checkAboveZero(owner, 'timeoutMs', timeoutMs, 'milliseconds');
  yield* checkAboveZero(owner, 'concurrency', concurrency, 'a whole number');
  yield* checkIsolation(owner, options.isolation);
  yield* checkBatch(owner, options);
  if (retry !== undefined) yield* checkRetry(owner, retry);
  if (retry?.later !== undefined && options.automate === undefined)
    yield problem(
      asset,
      'invalid-asset',
      `retry.later of ${name} needs automate: without it nothing requests a key again`,
    );
  yield* checkCodeVersion(owner, options.codeVersion);
  yield* checkAutomate(owner, options.automate);
  yield* checkChecks(owner, options.checks);
  yield* checkFreshFor(owner, options.freshFor);
}

function* checkBatch(
  owner: Owner,
  { batch, partitions }: { readonly batch?: unknown; readonly partitions?: unknown },
): Problems {
  yield* checkAboveZero(owner, 'batch', batch, 'a whole number');
  if (batch !== undefined && partitions === undefined)
    yield problem(
      owner.definition,
      'invalid-option',
      `batch of ${owner.name} makes many keys at once: it needs partitions`,
    );
}

const FRESH_OPTIONS = ['warn', 'fail'];

function* checkFreshFor({ definition, name }: Owner, freshFor: unknown): Problems {
  if (freshFor === undefined) return;
  const wrong = (what: string) => problem(definition, 'invalid-option', what);
  if (!isRecord(freshFor))
    return yield wrong(
      `freshFor of ${name} must be durations such as { warn: '26h', fail: '2d' }, not ${typeof freshFor === 'string' ? said(freshFor) : nameOfType(freshFor)}`,
    );
  const { warn, fail } = freshFor as Readonly<Record<string, unknown>>;
  yield* checkKnown({ definition, name: `freshFor of ${name}` }, freshFor, FRESH_OPTIONS);
  if (warn === undefined && fail === undefined)
    yield wrong(`freshFor of ${name} says nothing: it needs warn, fail or both, such as { fail: '2d' }`);
  yield* checkDuration({ definition, name }, 'freshFor.warn', warn);
  yield* checkDuration({ definition, name }, 'freshFor.fail', fail);
  const [warnMs, failMs] = [parseDuration(warn), parseDuration(fail)];
  if (warnMs !== null && failMs !== null && warnMs >= failMs)
    yield wrong(
      `freshFor of ${name} warns after ${said(warn)}, when it is overdue already: warn must be less than fail, ${said(fail)}`,
    );
}

const AUTOMATE_OPTIONS = ['when', 'only', 'backlog', 'every', 'at', 'timeZone', 'waitFor'];
const WHEN = ['missing', 'stale'];

function* checkAutomate({ definition, name }: Owner, automate: unknown): Problems {
  if (automate === undefined || WHEN.includes(automate as string)) return;
  const wrong = (what: string) => problem(definition, 'invalid-option', what);
  if (!isRecord(automate))
    return yield wrong(
      `automate of ${name} must be 'missing', 'stale' or { when, … }, not ${typeof automate === 'string' ? said(automate) : nameOfType(automate)}`,
    );
  const { when, only, backlog } = automate as Readonly<Record<string, unknown>>;
  yield* checkKnown({ definition, name: `automate of ${name}` }, automate, AUTOMATE_OPTIONS);
  if (!WHEN.includes(when as string)) yield wrong(`automate.when of ${name} must be 'missing' or 'stale'`);
  if (only !== undefined && typeof only !== 'function')
    yield wrong(`automate.only of ${name} must be a function of key and item, not ${nameOfType(only)}`);
  if (backlog !== undefined && typeof backlog !== 'boolean')
    yield wrong(`automate.backlog of ${name} must be true or false, not ${nameOfType(backlog)}`);
  yield* checkEvery({ definition, name }, automate);
  yield* checkWaitFor({ definition, name }, automate);
}

function* checkWaitFor({ definition, name }: Owner, automate: object): Problems {
  const { waitFor } = automate as Readonly<Record<string, unknown>>;
  if (waitFor === undefined) return;
  const wrong = (what: string) => problem(definition, 'invalid-option', what);
  const { allBut } = (isRecord(waitFor) ? waitFor : {}) as Readonly<Record<string, unknown>>;
  if (waitFor !== 'all' && !(Number.isInteger(allBut) && (allBut as number) > 0))
    return yield wrong(
      `automate.waitFor of ${name} must be 'all' or { allBut: n } with a whole number above 0, not ${typeof waitFor === 'string' ? said(waitFor) : nameOfType(waitFor)}`,
    );
  if (isRecord(waitFor))
    yield* checkKnown({ definition, name: `automate.waitFor of ${name}` }, waitFor, ['allBut']);
  const gathered = gatheredIn((definition as AnyAsset).options);
  if (gathered.length === 0)
    yield wrong(
      `automate.waitFor of ${name} says how many upstream keys are waited for, and it takes none of many: it needs an input such as allKeys(asset)`,
    );
  const needed = gathered.find(({ options }) => options?.onMissing !== 'skip');
  if (waitFor !== 'all' && needed !== undefined)
    yield wrong(
      `automate.waitFor of ${name} asks for it while keys of asset ${said(needed.asset?.name)} are not there, and onMissing ${said(needed.options?.onMissing ?? 'fail')} needs all of them: give them onMissing: 'skip'`,
    );
}

function* checkEvery({ definition, name }: Owner, automate: object): Problems {
  const { every, at, timeZone } = automate as Readonly<Record<string, unknown>>;
  const wrong = (what: string) => problem(definition, 'invalid-option', what);
  const period = PERIODS.find((one) => one === every);
  if (every !== undefined && period === undefined)
    yield wrong(`automate.every of ${name} must be one of ${PERIODS.map((one) => `'${one}'`).join(', ')}`);
  if (every === undefined && at !== undefined)
    yield wrong(`automate.at of ${name} says when in each period: it needs every, such as every: 'day'`);
  else if (period !== undefined && parseAt(period, at) === null)
    yield wrong(
      `automate.at of ${name} must be a time of each ${period} such as '${AT_EXAMPLES[period]}', not ${typeof at === 'string' ? said(at) : nameOfType(at)}`,
    );
  if (timeZone === undefined) return;
  if (every === undefined) yield wrong(`automate.timeZone of ${name} needs every, such as every: 'day'`);
  if (!isTimeZone(timeZone))
    yield wrong(
      `automate.timeZone of ${name} must be a time zone such as 'Europe/Berlin', not ${typeof timeZone === 'string' ? said(timeZone) : nameOfType(timeZone)}`,
    );
}

function* checkCodeVersion({ definition, name }: Owner, codeVersion: unknown): Problems {
  if (codeVersion === undefined) return;
  const why =
    typeof codeVersion === 'string'
      ? whyNoVersion(codeVersion)
      : `it is ${nameOfType(codeVersion)}, not text`;
  if (why !== null) yield problem(definition, 'invalid-option', `codeVersion of ${name}: ${why}`);
}

function* checkRetry(
  { definition, name }: Owner,
  retry: NonNullable<AnyAsset['options']['retry']>,
): Problems {
  const wrong = (what: string) => problem(definition, 'invalid-asset', what);
  if (!isRecord(retry)) return yield wrong(`retry of ${name} must be an object, not ${nameOfType(retry)}`);
  yield* checkKnown({ definition, name: `retry of ${name}` }, retry, RETRY_OPTIONS);
  const { maxRetries, delayMs, backoff, jitter } = retry;
  if (maxRetries !== undefined && !(Number.isInteger(maxRetries) && maxRetries >= 0))
    yield wrong(`retry.maxRetries of ${name} must be a whole number of 0 or more`);
  if (delayMs !== undefined && !(Number.isFinite(delayMs) && delayMs >= 0))
    yield wrong(`retry.delayMs of ${name} must be milliseconds, 0 or more`);
  if (backoff !== undefined && !['constant', 'linear', 'exponential'].includes(backoff))
    yield wrong(`retry.backoff of ${name} must be 'constant', 'linear' or 'exponential'`);
  if (jitter !== undefined && !['none', 'full', 'plus-minus'].includes(jitter))
    yield wrong(`retry.jitter of ${name} must be 'none', 'full' or 'plus-minus'`);
  yield* checkLater({ definition, name }, retry.later);
}

function* checkLater({ definition, name }: Owner, later: unknown): Problems {
  if (later === undefined) return;
  const wrong = (what: string) => problem(definition, 'invalid-asset', what);
  if (!Array.isArray(later) || later.length === 0 || later.length > MOST_DELAYS)
    return yield wrong(
      `retry.later of ${name} must be a list of 1 to ${MOST_DELAYS} durations such as ['10m', '1h', '1d']`,
    );
  for (const delay of later as unknown[]) {
    const ms = parseDuration(delay);
    if (ms === null || ms > LONGEST_MS)
      yield wrong(
        `retry.later of ${name} must hold durations of a year at most such as '10m', '1h' or '1d', not ${typeof delay === 'string' ? said(delay) : nameOfType(delay)}`,
      );
  }
}
