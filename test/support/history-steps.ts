/** What may happen in a random history, as plain data: a failing history is printed, shrunk and repeated as it stands. */
import * as fc from './random.ts';
import type { Hearing } from './history-told.ts';
import {
  ASSETS,
  type CarriedByKey,
  type Choice,
  itemOf,
  KEYS,
  NAMED,
  SENSORS,
  setOf,
  SETS,
  type TickRequest,
} from './history-model.ts';

/** What a person or another process commits at once, without executing anything. */
export type Operator =
  | {
      readonly do: 'add';
      readonly set: string;
      readonly keys: readonly string[];
      /** By hand: `null` says nothing, `''` another item alone. */
      readonly version: string | null;
      /** The pipeline file cannot be loaded. */
      readonly blind: boolean;
    }
  /** Retention, as a tick of `automation` does it. */
  | { readonly do: 'retain' }
  /** Those of the keys that are there. */
  | {
      readonly do: 'mark';
      readonly asset: string;
      readonly keys: readonly string[];
      readonly as: 'materialized' | 'missing' | 'skipped';
      readonly blind: boolean;
    }
  | {
      readonly do: 'remove';
      readonly set: string;
      readonly keys: readonly string[];
      readonly keepOut: boolean;
      readonly purge: boolean;
      readonly blind: boolean;
    }
  | { readonly do: 'sync'; readonly set: string; readonly keys: readonly string[] }
  | { readonly do: 'cursor'; readonly sensor: string; readonly cursor: string | null }
  | { readonly do: 'status'; readonly sensor: string; readonly status: 'RUNNING' | 'STOPPED' }
  /** `pick`: which of those that are there, counted round. */
  | { readonly do: 'cancel'; readonly pick: number }
  | { readonly do: 'release'; readonly pick: number }
  /** A tick with `--no-run` that no claim holds off: correctness does not rest on the claim. */
  | { readonly do: 'tick-elsewhere'; readonly sensor: string; readonly result: TickRequest };

/** Where a process is killed: at once, or when it next gets there. */
export type KillPoint =
  | 'now'
  | 'before its commit'
  | 'between history and commit'
  | 'after its commit'
  | 'when a run begins'
  | 'when a value is saved'
  | 'when values are flushed'
  | 'before its tick is recorded';

/** How the user code of an asset ends: it makes something, it throws, it finds nothing to make, or a check says that what it made is wrong. */
export type Ending = boolean | 'skip' | 'wrong';

/** What is given to a key by hand. */
export function givenByHand(key: string, version: string | null): Partial<CarriedByKey> {
  if (version === null) return {};
  return version === '' ? { item: `another for ${key}` } : { version, item: itemOf(key, version) };
}

export type Step =
  | Operator
  /** The next commit of whomever finds that this one was first. */
  | { readonly do: 'contend'; readonly operator: Operator }
  | {
      readonly do: 'tick';
      readonly slot: number;
      readonly sensor: string;
      readonly result: TickRequest | 'throws';
      readonly runs: boolean;
      readonly pauses: boolean;
    }
  /** An evaluation that paused goes on. */
  | { readonly do: 'evaluate'; readonly pick: number }
  | { readonly do: 'materialize'; readonly slot: number; readonly choice: Choice; readonly runs: boolean }
  | { readonly do: 'retry'; readonly slot: number; readonly pick: number }
  | { readonly do: 'take up'; readonly slot: number; readonly all: boolean }
  /** User code of so many assets comes to its end, one after the other, without time passing. */
  | { readonly do: 'end'; readonly pick: number; readonly oks: readonly Ending[] }
  /** Processes that start from now on have an asset with this `codeVersion`; those that run go on with theirs. */
  | { readonly do: 'edit'; readonly asset: string; readonly code: string }
  /** Processes that start from now on, and commands, have another function for `mapKeys`. */
  | { readonly do: 'map'; readonly named: string }
  | { readonly do: 'kill'; readonly slot: number; readonly at: KillPoint }
  /** Killed at once, and another process takes up what it left; several times: a run may be what kills them. */
  | { readonly do: 'restart'; readonly slot: number; readonly times: number }
  | { readonly do: 'stop'; readonly slot: number }
  /** Somebody is told what there is to be told, by a process. */
  | { readonly do: 'tell'; readonly slot: number; readonly hearing: Hearing; readonly gatherMs: number }
  | { readonly do: 'wait'; readonly ms: number };

/** So many processes may live at the same time. */
export const SLOTS = 3;

const slot = fc.nat(SLOTS - 1);
const pick = fc.nat(11);
const set = fc.constantFrom(...SETS, 'letters');
const keys = fc.array(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 5 });
const sensor = fc.constantFrom(...SENSORS, 'feed');
const cursor = fc.constantFrom(null, null, '1', '2');
const version = fc.constantFrom('1', '1', '2', '2', '3', null);
const versions = fc.array(version, { minLength: 5, maxLength: 5 });
const asset = fc.constantFrom(...ASSETS.map(({ name }) => name), 'audio', 'audio', 'transcript');
const often = fc.constantFrom(true, true, true, false);
const seldom = fc.constantFrom(false, false, false, true);

const anyRun: fc.Arbitrary<TickRequest['runs'][number]> = fc
  .record({
    assets: fc.constantFrom(
      ['audio'],
      ['audio'],
      ['audio', 'transcript'],
      ['transcript'],
      ['paste'],
      ['report'],
      ['latest'],
      ['mirror'],
    ),
    key: fc.constantFrom(...KEYS),
    // Few, so that they are met again; also one key as the run key of another one.
    runKey: fc.constantFrom(null, 'its key', 'its key', 'once', 'once', 'daily', 'a', '__proto__'),
  })
  .map(({ assets, key, runKey }) => ({
    assets,
    key: setOf(assets[0]) === null ? null : key,
    runKey: runKey === 'its key' ? key : runKey,
  }));

const randomResult: fc.Arbitrary<TickRequest> = fc
  .record({
    requests: fc.array(
      fc.record({
        add: fc.constantFrom(true, true, false),
        set,
        keys,
        versions: fc.option(versions, { nil: undefined }),
      }),
      { maxLength: 3 },
    ),
    runs: fc.array(anyRun, { maxLength: 3 }),
    cursor,
    /** Whether it adds the keys that it requests runs for: most of the others fail. */
    sound: often,
  })
  .map(({ requests, runs, cursor, sound }) => {
    const forRuns = SETS.map((set) => ({
      add: true,
      set,
      keys: runs.flatMap(({ key, assets }) => (key !== null && setOf(assets[0]!) === set ? [key] : [])),
    }));
    return { requests: sound ? [...requests, ...forRuns] : requests, runs, cursor };
  });

/** What most sensors return: keys, a run for each with the key as its run key, and a cursor. */
const usualResult: fc.Arbitrary<TickRequest> = fc
  .record({
    keys: fc.uniqueArray(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 3 }),
    assets: fc.constantFrom(['audio'], ['audio', 'transcript']),
    cursor,
    /** And once more without one. */
    again: seldom,
    versions,
  })
  .map(({ keys, assets, cursor, again, versions }) => ({
    requests: [{ add: true, set: 'letters', keys, versions }],
    runs: keys.flatMap((key) => [
      { key, runKey: key, assets },
      ...(again ? [{ key, runKey: null, assets: assets.slice(-1) }] : []),
    ]),
    cursor,
  }));

const anyResult = fc.oneof(usualResult, randomResult);

const anyChoice: fc.Arbitrary<Choice> = fc
  .record({
    assets: fc.constantFrom(
      ['audio'],
      ['audio', 'transcript'],
      ['transcript'],
      ['paste'],
      ['paste'],
      ['report'],
      ['latest'],
      ['mirror'],
    ),
    keys,
    by: fc.constantFrom('missing', 'failed', 'both', 'all', 'keys', 'waiting', 'adding'),
    newest: seldom,
    limit: fc.constantFrom(null, null, null, 1, 2),
  })
  .map(({ assets, keys, by, newest, limit }) => {
    const named = by === 'keys' || by === 'waiting' || by === 'adding';
    return {
      assets,
      keys: named && setOf(assets[0]) !== null ? keys : null,
      missing: by === 'missing' || by === 'both',
      failed: by === 'failed' || by === 'both',
      waits: by === 'waiting',
      add: by === 'adding',
      newest,
      limit,
    };
  });

const is = <const Do extends string>(what: Do): fc.Arbitrary<Do> => fc.constant(what);

const anyOperator: fc.Arbitrary<Operator> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: is('add'),
      set,
      keys,
      version: fc.constantFrom(null, '', '1', '2', '2', '3'),
      blind: seldom,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: is('mark'),
      asset,
      keys,
      as: fc.constantFrom('materialized', 'missing', 'skipped'),
      blind: seldom,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: is('remove'), set, keys, keepOut: seldom, purge: seldom, blind: seldom }),
  },
  { weight: 1, arbitrary: fc.record({ do: is('sync'), set, keys }) },
  { weight: 2, arbitrary: fc.record({ do: is('retain') }) },
  { weight: 1, arbitrary: fc.record({ do: is('cursor'), sensor, cursor }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: is('status'), sensor, status: fc.constantFrom('RUNNING', 'STOPPED') }),
  },
  { weight: 3, arbitrary: fc.record({ do: is('cancel'), pick }) },
  { weight: 2, arbitrary: fc.record({ do: is('release'), pick }) },
  { weight: 2, arbitrary: fc.record({ do: is('tick-elsewhere'), sensor, result: anyResult }) },
);

const killPoint = fc.constantFrom<KillPoint>(
  'now',
  'now',
  'before its commit',
  'between history and commit',
  'after its commit',
  'when a run begins',
  'when a value is saved',
  'when values are flushed',
  'before its tick is recorded',
);

const ending = fc.constantFrom<Ending>(true, true, true, true, true, false, false, 'skip', 'wrong');

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: anyOperator },
  { weight: 2, arbitrary: fc.record({ do: is('contend'), operator: anyOperator }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: is('tick'),
      slot,
      sensor,
      result: fc.oneof({ weight: 9, arbitrary: anyResult }, { weight: 1, arbitrary: is('throws') }),
      runs: often,
      pauses: seldom,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: is('evaluate'), pick }) },
  { weight: 4, arbitrary: fc.record({ do: is('materialize'), slot, choice: anyChoice, runs: often }) },
  { weight: 1, arbitrary: fc.record({ do: is('retry'), slot, pick }) },
  { weight: 3, arbitrary: fc.record({ do: is('take up'), slot, all: fc.boolean() }) },
  {
    weight: 9,
    arbitrary: fc.record({ do: is('end'), pick, oks: fc.array(ending, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: is('kill'), slot, at: killPoint }) },
  { weight: 3, arbitrary: fc.record({ do: is('restart'), slot, times: fc.constantFrom(1, 1, 2, 3) }) },
  { weight: 1, arbitrary: fc.record({ do: is('stop'), slot }) },
  { weight: 2, arbitrary: fc.record({ do: is('edit'), asset, code: fc.constantFrom('1', '2', '3') }) },
  { weight: 1, arbitrary: fc.record({ do: is('map'), named: fc.constantFrom(...Object.keys(NAMED)) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: is('wait'), ms: fc.constantFrom(1, 100, 200, 600, 2100, 2100, 61_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: is('tell'),
      slot,
      hearing: fc.constantFrom<Hearing>('works', 'works', 'works', 'throws', 'dies'),
      gatherMs: fc.constantFrom(0, 0, 5000),
    }),
  },
);

export const anyHistory: fc.Arbitrary<readonly Step[]> = fc.array(anyStep, {
  minLength: 1,
  maxLength: 50,
  size: 'max',
});
