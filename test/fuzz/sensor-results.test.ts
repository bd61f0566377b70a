/** Whatever a sensor returns or throws: SUCCESS, SKIPPED, or a FAILURE in words with nothing applied. Never a bug, never a half. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describe as worded } from '../../src/definitions/failure-words.ts';
import { dynamicPartitions } from '../../src/definitions/partitions.ts';
import { definePipeline } from '../../src/definitions/pipeline.ts';
import { sensor } from '../../src/definitions/sensor.ts';
import { describeThrown } from '../../src/definitions/user-code.ts';
import { evaluateHere } from '../../src/engine/evaluate-sensor.ts';
import { runTick } from '../../src/engine/run-tick.ts';
import { checkState } from '../../src/state/check-state.ts';
import { isTick } from '../../src/state/json/record-shapes.ts';
import { anyKey } from '../support/arbitraries.ts';
import { idle, knownOf } from '../support/builders.ts';
import { PATIENCE_MS, tries } from '../support/fuzz.ts';
import { JsonRig } from '../support/json-rig.ts';
import { FakeClock } from '../support/fake-clock.ts';

const letters = dynamicPartitions('letters');
const numbers = dynamicPartitions('numbers');

const throwing = (): never => {
  throw new Error('it fights back');
};

/** A proxy that answers each question with a throw. */
function fighting(target: object): object {
  return new Proxy(
    target,
    Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((trap) => [trap, throwing])),
  );
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** Good when it is first looked at, and something else from then on. */
function liar(first: object, then: object): object {
  let looks = 0;
  return new Proxy(first, {
    get: (target, name) => {
      if (name === 'length') return Reflect.get(target, name) as unknown;
      return Reflect.get(++looks > 1 ? then : target, name) as unknown;
    },
  });
}

function cyclic(): object {
  const round: Record<string, unknown> = {};
  round['self'] = round;
  return round;
}

class OddArray extends Array<unknown> {
  override *[Symbol.iterator](): ArrayIterator<unknown> {
    yield 'a';
  }
  override flatMap(): never[] {
    return [null as never];
  }
  override map(): never[] {
    return [undefined as never];
  }
}

/* oxlint-disable unicorn/no-thenable -- a sensor may return anything */
/** Values that are made anew for each try, by a name that a failure can print. */
const ODD: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  zero: () => 0,
  NaN: () => NaN,
  text: () => 'text',
  'empty text': () => '',
  'lone surrogate': () => 'a\ud800',
  'control characters': () => '\u001b]0;x\u0007',
  'set name': () => 'letters',
  'asset name': () => 'audio',
  'text object': () => Object('text') as unknown,
  bigint: () => 10n,
  symbol: () => Symbol('odd'),
  function: () => throwing,
  class: () => OddArray,
  date: () => new Date(NaN),
  map: () => new Map([['a', 1]]),
  set: () => new Set(['a']),
  regexp: () => /a/g,
  error: () => new Error('returned, not thrown'),
  promise: () => Promise.resolve('late'),
  'rejected promise': () => {
    const rejected = Promise.reject(new Error('late'));
    rejected.catch(() => undefined);
    return rejected;
  },
  thenable: () => ({ then: (resolve: (value: unknown) => void) => resolve({ cursor: 'from a thenable' }) }),
  'throwing thenable': () => ({ then: throwing }),
  'thenable getter that throws': () => Object.defineProperty({}, 'then', { get: throwing, enumerable: true }),
  cyclic,
  'cyclic list': () => {
    const list: unknown[] = [];
    list.push(list);
    return list;
  },
  'sparse list': () => Object.assign([], { 3: 'a' }),
  'huge sparse list': () => Object.assign([], { length: 100_000 }),
  'odd list': () => OddArray.from(['a', 'b']),
  'list of odd things': () => [null, undefined, 1n, Symbol('x'), {}, [], 'a'],
  'typed array': () => new Uint8Array(3),
  'array buffer': () => new ArrayBuffer(3),
  'object without a prototype': () => Object.create(null) as unknown,
  'object with __proto__': () => JSON.parse('{"__proto__":{"cursor":"polluted"},"constructor":1}') as unknown,
  'object of another prototype': () => Object.create({ cursor: 'inherited' }) as unknown,
  'getter that throws': () =>
    Object.defineProperties(
      {},
      Object.fromEntries(
        ['cursor', 'keys', 'type', 'set', 'partitionKey', 'runKey', 'name', 'length', 'toJSON', 'x'].map(
          (name) => [name, { get: throwing, enumerable: true }],
        ),
      ),
    ),
  'toJSON that lies': () => ({ toJSON: () => ({ cursor: 'another' }) }),
  'toJSON that throws': () => ({ toJSON: throwing }),
  'fighting proxy': () => fighting({}),
  'fighting list': () => fighting([]),
  'revoked proxy': () => revoked({}),
  'revoked list': () => revoked([]),
  'lying list': () => liar(['a', 'b'], [Symbol('x'), 5]),
  'lying tags': () => liar({ by: 'me' }, { by: 5n }),
  'tags with a getter': () => {
    let looks = 0;
    return Object.defineProperty({}, 'by', {
      get: () => (++looks > 1 ? throwing() : 'me'),
      enumerable: true,
    });
  },
  'deeply nested': () => {
    let value: unknown = 'x';
    for (let depth = 0; depth < 5000; depth++) value = [value];
    return value;
  },
};

const odd = fc.constantFrom(...Object.keys(ODD)).map((name) => ({ odd: name }));
const orOdd = <T>(good: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: good }, { weight: 1, arbitrary: odd });

const key = fc.oneof(fc.constantFrom('a', 'b', 'new', '__proto__'), anyKey);
const keys = fc.array(fc.oneof({ weight: 12, arbitrary: key }, { weight: 1, arbitrary: odd }), {
  maxLength: 4,
});

/** A plan of a result: plain data, so that a failure can be printed. `{ odd }` stands for a value from the list above. */
const plan = orOdd(
  fc.record(
    {
      cursor: orOdd(fc.string()),
      dynamicPartitionsRequests: orOdd(
        fc.array(
          orOdd(
            fc.record({
              type: fc.constantFrom('add', 'delete', 'add', 'delete', 'replace'),
              set: orOdd(fc.constantFrom('letters', 'numbers', 'nowhere')),
              keys: orOdd(keys),
            }),
          ),
          { maxLength: 3 },
        ),
      ),
      runRequests: orOdd(
        fc.array(
          orOdd(
            fc.record(
              {
                partitionKey: orOdd(key),
                runKey: orOdd(fc.constantFrom('k', 'once', '')),
                assets: orOdd(
                  fc.array(orOdd(fc.constantFrom('audio', 'report', 'count', 'none')), { maxLength: 2 }),
                ),
                tags: orOdd(fc.dictionary(fc.string(), orOdd(fc.string()), { maxKeys: 2 })),
              },
              { requiredKeys: [] },
            ),
          ),
          { maxLength: 3 },
        ),
      ),
      skipReason: orOdd(fc.string()),
      extra: odd,
    },
    { requiredKeys: [] },
  ),
);

/** The value that a plan stands for. */
function built(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(built);
  if (typeof part !== 'object' || part === null) return part;
  const { odd: name } = part as { odd?: unknown };
  if (typeof name === 'string' && Object.hasOwn(ODD, name)) return ODD[name]!();
  const made: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(part))
    Object.defineProperty(made, field, {
      value: built(value),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  return made;
}

let rig: JsonRig;
beforeEach(() => (rig = new JsonRig()));
afterEach(() => rig[Symbol.dispose]());

const clock = new FakeClock();

/** One tick of a sensor whose function is this; what must hold of its outcome does. */
async function tick(evaluate: () => unknown) {
  const pipeline = definePipeline({
    assets: [idle('audio', { partitions: letters }), idle('report'), idle('count', { partitions: numbers })],
    sensors: [
      sensor({
        name: 'feed',
        assets: [idle('audio', { partitions: letters })],
        evaluate: evaluate as () => undefined,
      }),
    ],
  });
  const before = JSON.stringify(rig.onDisk());
  const { tick: made } = await runTick(pipeline.sensors.get('feed')!, {
    store: rig.store,
    pipeline,
    known: knownOf(pipeline),
    evaluate: evaluateHere(pipeline, clock),
    clock,
    emit: () => undefined,
    interrupt: new AbortController().signal,
    concurrency: 1,
    dryRun: false,
    executor: null,
    ifBusy: 'skip',
    waitTimeoutMs: 0,
  });
  expect(['SUCCESS', 'SKIPPED', 'FAILURE']).toContain(made.status);
  expect(isTick(JSON.parse(JSON.stringify(made)))).toBe(true);
  const after = rig.onDisk();
  expect(checkState(after)).toEqual([]);
  // What the process holds in memory is what it wrote.
  expect(JSON.parse(JSON.stringify(await rig.store.document()))).toEqual(JSON.parse(JSON.stringify(after)));
  if (made.status === 'FAILURE') {
    expect(JSON.stringify(after)).toBe(before);
    expect(made.error!.message).toMatch(/\S/);
    expect(made.error!.message).not.toMatch(/reading '|is not (a function|iterable)|\[object Object\]/);
  } else {
    expect(made.error).toBeNull();
    for (const { added } of made.partitions) for (const one of added) expect(typeof one).toBe('string');
  }
  expect(Object.prototype).not.toHaveProperty('cursor');
  return made;
}

describe('a sensor', () => {
  it(
    'that returns whatever it likes makes a tick, in words where it fails',
    async () => {
      const seen = { SUCCESS: 0, SKIPPED: 0, FAILURE: 0, BUSY: 0 };
      await fc.assert(
        fc.asyncProperty(plan, async (of) => {
          clock.time += 1000;
          seen[(await tick(() => built(of))).status]++;
        }),
        tries(500),
      );
      expect(Math.min(seen.SUCCESS, seen.SKIPPED, seen.FAILURE)).toBeGreaterThan(0);
    },
    PATIENCE_MS,
  );

  it(
    'that throws whatever it likes is a failure in words',
    async () => {
      const thrown = fc.oneof(
        odd,
        fc.record({
          of: fc.constantFrom('Error', 'AggregateError'),
          message: orOdd(fc.string()),
          name: orOdd(fc.string()),
          stack: orOdd(fc.string()),
          cause: odd,
          errors: orOdd(fc.array(odd, { maxLength: 3 })),
        }),
      );
      await fc.assert(
        fc.asyncProperty(thrown, async (of) => {
          const error =
            'of' in of ? Object.assign(new Error('x'), built({ ...of, of: undefined })) : built(of);
          clock.time += 1000;
          const { status, error: said } = await tick(() => {
            throw error;
          });
          expect(status).toBe('FAILURE');
          expect(said!.message).toMatch(/^sensor 'feed' threw: \S/);
          const { message, frames } = describeThrown(error);
          expect(worded({ reason: 'pipeline-stray', message, frames }).message).not.toContain('undefined\n');
        }),
        tries(300),
      );
    },
    PATIENCE_MS,
  );

  it('that throws an error which contains itself over and over is told at once', () => {
    const error = new AggregateError([], '');
    error.errors = Array.from({ length: 1000 }, () => error);
    const { message } = describeThrown(error);
    expect(message.length).toBeLessThan(10_000);
  });
});
