/** Options of a pipeline by machine: a pipeline that can be used, or every problem in words. */
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { asset } from '../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../src/definitions/partitions.ts';
import { definePipeline, PipelineError } from '../../src/definitions/pipeline.ts';
import { sensor } from '../../src/definitions/sensor.ts';
import { describeThrown } from '../../src/model/thrown.ts';
import { knownOf } from '../../src/loader/known-pipeline.ts';
import { PATIENCE_MS, tries } from '../support/fuzz.ts';
import { built, oddBut, orOdd as orAnyOdd } from '../support/odd-values.ts';

// A list with a broken `map` of its own is the one thing that nobody is asked to word.
const odd = oddBut('odd list');
const orOdd = <T>(good: fc.Arbitrary<T>) => orAnyOdd(good, odd);

/** Mostly one that nobody else has. */
const name = orOdd(
  fc.oneof(
    { weight: 20, arbitrary: fc.nat(50_000).map((number) => `n${number}`) },
    { weight: 1, arbitrary: fc.constantFrom('one', 'a.b', '__proto__', 'constructor', '..', '-x', '', 'é') },
    { weight: 1, arbitrary: fc.string({ maxLength: 5 }) },
  ),
);
const number = orOdd(
  fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom<unknown>(1, 10) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(0.5, 0, -1, NaN, Infinity, '5') },
  ),
);
const partial = { requiredKeys: [] as never[] };
const mustHave = <Field extends string>(...fields: Field[]) => ({ requiredKeys: fields });

const assetOptions = orOdd(
  fc.record(
    {
      name,
      partitions: orOdd(fc.record({ set: name })),
      inputs: orOdd(
        fc.dictionary(fc.constantFrom('up', '__proto__', 'x'), orOdd(fc.record({ asset: fc.nat(2) }))),
      ),
      deps: orOdd(fc.array(orOdd(fc.record({ asset: fc.nat(2) })), { maxLength: 2 })),
      retry: orOdd(
        fc.record(
          { maxRetries: number, delayMs: number, backoff: orOdd(fc.constant('linear')), jitter: odd },
          partial,
        ),
      ),
      timeoutMs: number,
      concurrency: number,
      description: odd,
      tags: odd,
      materialize: orOdd(fc.constant({ odd: 'function' })),
    },
    mustHave('name', 'materialize'),
  ),
);
const sensorOptions = orOdd(
  fc.record(
    {
      name,
      assets: orOdd(fc.array(orOdd(fc.record({ asset: fc.nat(2) })), { maxLength: 2 })),
      minimumIntervalSeconds: number,
      timeoutSeconds: number,
      defaultStatus: orOdd(fc.constantFrom('running', 'stopped', 'RUNNING')),
      evaluate: orOdd(fc.constant({ odd: 'function' })),
    },
    mustHave('name', 'evaluate'),
  ),
);
const plan = fc.record({
  assets: fc.array(assetOptions, { maxLength: 3 }),
  sensors: fc.array(sensorOptions, { maxLength: 2 }),
  sets: fc.array(name, { maxLength: 2 }),
  concurrency: fc.option(number, { nil: undefined }),
  ioManager: fc.option(odd, { nil: undefined, freq: 1 }),
  lists: fc.constantFrom('lists', 'lists', 'lists', 'odd'),
  odd: odd,
});

/** A definition as a user would come to it, with whatever is meant by it. */
function defined(options: unknown, made: readonly unknown[]): unknown {
  const value = built(options) as Record<string, unknown>;
  if (typeof options !== 'object' || options === null || 'odd' in options) return value;
  const asset = (item: unknown): unknown => {
    const { asset: nth } = (item ?? {}) as { asset?: unknown };
    return typeof nth === 'number' ? (made[nth] ?? null) : item;
  };
  const { inputs, deps, assets, partitions } = options as Record<string, unknown>;
  if (isPlan(inputs)) {
    const links = value['inputs'] as Record<string, unknown>;
    for (const input of Object.keys(links))
      links[input] = asset((inputs as Record<string, unknown>)[input] ?? null);
  }
  if (Array.isArray(deps))
    value['deps'] = (value['deps'] as unknown[]).map((item, at) =>
      isPlan(deps[at]) ? asset(deps[at]) : item,
    );
  if (Array.isArray(assets))
    value['assets'] = (value['assets'] as unknown[]).map((item, at) =>
      isPlan(assets[at]) ? asset(assets[at]) : item,
    );
  if (isPlan(partitions))
    value['partitions'] = dynamicPartitions(built((partitions as { set: unknown }).set) as string);
  return value;
}

/** A part of a plan that is more than an odd value. */
function isPlan(part: unknown): boolean {
  return typeof part === 'object' && part !== null && !('odd' in part);
}

describe('a pipeline of whatever options', () => {
  it(
    'can be used, or says every problem in words',
    async () => {
      let good = 0;
      let bad = 0;
      await fc.assert(
        fc.asyncProperty(plan, async (of) => {
          try {
            const made: unknown[] = [];
            for (const options of of.assets)
              made.push(asset(defined(options, made) as Parameters<typeof asset>[0]));
            const pipeline = definePipeline({
              assets: (of.lists === 'odd' ? built(of.odd) : made) as [],
              sensors: of.sensors.map((options) =>
                sensor(defined(options, made) as Parameters<typeof sensor>[0]),
              ),
              partitions: of.sets.map((set) => dynamicPartitions(built(set) as string)),
              ...(of.concurrency !== undefined && { concurrency: built(of.concurrency) as number }),
              ...(of.ioManager !== undefined && { ioManager: built(of.ioManager) as never }),
            });
            // What is remembered of it is plain and comes back from JSON as it is.
            const known = knownOf(pipeline, '/p.ts', '1');
            expect(JSON.parse(JSON.stringify(known))).toEqual(known);
            for (const one of [
              ...known.sets,
              ...known.assets.map((each) => each.name),
              ...known.sensors.map((each) => each.name),
            ])
              expect(one).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/);
            good++;
          } catch (error) {
            bad++;
            if (error instanceof PipelineError) {
              for (const { message } of PipelineError.problemsOf(error)!) expect(message).toMatch(/\S/);
              return;
            }
            // Thrown by the user's own object when it is looked at: told as such.
            expect(describeThrown(error).message).toMatch(/it fights back|revoked/);
          }
        }),
        tries(300),
      );
      expect(
        [good, bad].every((count) => count > 0),
        `${good} good, ${bad} bad`,
      ).toBe(true);
    },
    PATIENCE_MS,
  );
});
