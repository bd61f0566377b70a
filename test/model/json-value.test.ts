/** What comes back from JSON as it was, and where in a value stands what does not. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import vm from 'node:vm';
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { whyNotJson } from '../../src/model/json-value.ts';

class Song {
  readonly title = 'x';
}

describe('a value that is kept as JSON', () => {
  it.each<readonly [string, unknown]>([
    ['a text', 'x'],
    ['a number', -1.5e300],
    ['null', null],
    ['lists and objects', [{ a: [null, true] }]],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['undefined in an object, which is left out', { a: undefined }],
    ['one object at two places', ((part) => [part, part, { part }])({ a: 1 })],
    ['an object of another realm', vm.runInNewContext('({ a: [1] })')],
  ])('may be %s', (_, value) => {
    expect(whyNotJson(value)).toBeNull();
  });

  const circle: { items: unknown[] } = { items: [1] };
  circle.items.push({ back: circle });

  it.each<readonly [string, unknown, string, string]>([
    ['undefined', undefined, 'value', 'is undefined'],
    ['undefined in a list', { a: [1, undefined] }, 'value.a[1]', 'is undefined'],
    ['a hole in a list', [1, , 3], 'value[1]', 'is undefined'], // oxlint-disable-line no-sparse-arrays
    ['NaN', { items: [{ at: NaN }] }, 'value.items[0].at', 'is NaN'],
    ['Infinity', [-Infinity], 'value[0]', 'is -Infinity'],
    ['a bigint', { n: 1n }, 'value.n', 'is a bigint; use a string or a number'],
    ['a function', { 'odd name': () => 1 }, 'value["odd name"]', 'is a function'],
    ['a symbol', [Symbol('x')], 'value[0]', 'is a symbol'],
    ['a Date', { at: new Date(0) }, 'value.at', 'is a Date; use its toISOString()'],
    ['a Map', { m: new Map() }, 'value.m', 'is an instance of Map, not a plain object'],
    ['a Set', new Set(), 'value', 'is an instance of Set, not a plain object'],
    [
      'an instance of a class',
      { song: new Song() },
      'value.song',
      'is an instance of Song, not a plain object',
    ],
    ['an Error', new Error('x'), 'value', 'is an instance of Error, not a plain object'],
    ['bytes inside', { b: new Uint8Array(1) }, 'value.b', 'is an instance of Uint8Array, not a plain object'],
    ['a promise', { p: Promise.resolve(1) }, 'value.p', 'is an instance of Promise, not a plain object'],
    ['something with toJSON', { toJSON: () => 1 }, 'value', 'has a toJSON function'],
    ['a circle', circle, 'value.items[1].back', 'contains itself'],
  ])('may not be %s', (_, value, path, why) => {
    expect(whyNotJson(value)).toEqual({ path, why });
  });

  it('is nested a thousand deep at most, and is refused without overflowing the stack', () => {
    const nested = (depth: number): unknown => {
      let value: unknown = 1;
      for (let at = 0; at < depth; at++) value = [value];
      return value;
    };
    expect(whyNotJson(nested(900))).toBeNull();
    expect(whyNotJson(nested(50_000))?.why).toBe('is nested more than 1,000 deep');
  });

  it('is named as the caller calls it', () => {
    expect(whyNotJson({ a: NaN }, 'metadata')).toEqual({ path: 'metadata.a', why: 'is NaN' });
  });

  it('comes back as it was whenever it passes', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
          withSparseArray: true,
        }),
        (value) => {
          fc.pre(whyNotJson(value) === null);
          expect(withoutMinusZero(JSON.parse(JSON.stringify(value)))).toEqual(withoutMinusZero(value));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** JSON has one zero, and objects of it have one prototype: neither is what a value is about. */
function withoutMinusZero(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(withoutMinusZero);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([name, item]) => [name, withoutMinusZero(item)]);
}
