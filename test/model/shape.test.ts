/** Shapes of parsed JSON: the first misfit is told with its place, and a shape that forgets a field does not compile. */
import { describe, expect, it } from 'vitest';
import {
  anything,
  count,
  entries,
  fits,
  letters,
  list,
  object,
  oneOf,
  optional,
  orNull,
  type Shape,
  text,
  time,
  tuple,
  where,
} from '../../src/model/shape.ts';

interface Row {
  readonly name: string;
  readonly state: 'on' | 'off' | null;
  readonly size?: number;
}

const row = object<Row>({ name: text, state: orNull(oneOf('on', 'off')), size: optional(count) });
const table = object({ rows: list(row), by: entries(tuple(count, text)) });

describe('a shape', () => {
  it('lets through what fits, and fields that it does not know', () => {
    const value = {
      rows: [
        { name: 'a', state: null },
        { name: 'b', state: 'on', size: 3, new: {} },
      ],
      by: {},
    };
    expect(table(value)).toBeNull();
    expect(fits(table, value)).toBe(true);
    expect(fits(anything, undefined)).toBe(true);
  });

  it.each<readonly [place: string, expected: string, value: unknown]>([
    ['', 'an object', []],
    ['.rows', 'a list', { rows: {}, by: {} }],
    ['.rows[1]', 'an object', { rows: [{ name: 'a', state: null }, null], by: {} }],
    ['.rows[0].name', 'a string', { rows: [{ state: null }], by: {} }],
    ['.rows[0].state', 'on or off or null', { rows: [{ name: 'a', state: 'ON' }], by: {} }],
    [
      '.rows[0].size',
      'a whole number of 0 or more',
      { rows: [{ name: 'a', state: null, size: null }], by: {} },
    ],
    ['.by', 'an object', { rows: [], by: null }],
    ['.by.x.y', 'a list', { rows: [], by: { 'x.y': 'z' } }],
    ['.by.__proto__[1]', 'a string', JSON.parse('{"rows":[],"by":{"__proto__":[1]}}')],
  ])('tells %j apart, where %s should be', (place, expected, value) => {
    expect(table(value)).toEqual({ place, expected });
    expect(fits(table, value)).toBe(false);
  });

  it.each<readonly [shape: Shape<unknown>, fitting: unknown, not: unknown]>([
    [count, 2 ** 52, 2 ** 53 - 1],
    [count, 0, 0.5],
    [time, '2026-02-28T23:59:59.999Z', '2026-02-28T24:00:00.000Z'],
    [time, '0000-01-01T00:00:00.000Z', '2026-02-28T23:59:59Z'],
    [letters(/^[ab]*$/, 'a and b'), '', 'abc'],
    [where(text, (value) => text(value.length > 1 ? value : null)), 'ab', 'a'],
    [where(text, () => null), 'ab', 1],
  ])('%#: accepts %j and not %j', (shape, fitting, not) => {
    expect([shape(fitting), shape(not) === null]).toEqual([null, false]);
  });

  it('does not compile where it forgets a field, or lets in what its type does not have', () => {
    // @ts-expect-error -- `state` is missing
    object<Row>({ name: text, size: optional(count) });
    // @ts-expect-error -- a size that is there may not be null
    object<Row>({ name: text, state: orNull(oneOf('on')), size: optional(orNull(count)) });
    // @ts-expect-error -- a name is always there
    object<Row>({ name: optional(text), state: orNull(oneOf('on')), size: optional(count) });
  });
});
