/** Whatever a sensor returns or throws: SUCCESS, SKIPPED, or a FAILURE in words with nothing applied. Never a bug, never a half. */
import * as fc from '../support/random.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describe as worded } from '../../src/model/describe-failure.ts';
import { dynamicPartitions } from '../../src/definitions/partitions.ts';
import { definePipeline } from '../../src/definitions/pipeline.ts';
import { sensor } from '../../src/definitions/sensor.ts';
import { describeThrown } from '../../src/model/thrown.ts';
import { evaluateHere } from '../../src/engine/sensors/evaluate-sensor.ts';
import { runTick } from '../../src/engine/sensors/run-tick.ts';
import { checkState } from '../../src/state/document/check-state.ts';
import { tickShape } from '../../src/state/document/record-shapes.ts';
import { fits } from '../../src/model/shape.ts';
import { anyKey } from '../support/arbitraries.ts';
import { idle, knownOf } from '../support/builders.ts';
import { PATIENCE_MS, tries } from '../support/fuzz.ts';
import { built, odd, orOdd } from '../support/odd-values.ts';
import { JsonRig } from '../support/json-rig.ts';
import { loadProcessGroups } from '../../src/cli/isolation/load-process-groups.ts';
import { FakeClock } from '../support/fake-clock.ts';

const letters = dynamicPartitions('letters');
const numbers = dynamicPartitions('numbers');

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
    evaluate: evaluateHere(pipeline, clock, loadProcessGroups),
    processes: loadProcessGroups,
    clock,
    emit: () => undefined,
    interrupt: new AbortController().signal,
    concurrency: 1,
    executor: null,
    values: null,
    ifBusy: 'skip',
    waitTimeoutMs: 0,
  });
  expect(['SUCCESS', 'SKIPPED', 'FAILURE']).toContain(made.status);
  expect(fits(tickShape, JSON.parse(JSON.stringify(made)))).toBe(true);
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
        tries(400),
      );
      expect(Math.min(seen.SUCCESS + seen.SKIPPED, seen.FAILURE)).toBeGreaterThan(0);
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
        tries(150),
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
