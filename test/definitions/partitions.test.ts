/** Partitions definitions: their request builders take lists, and never a text for a list of its letters. */
import { describe, expect, it } from 'vitest';
import { kindOf } from '../../src/definitions/brand.ts';
import { dynamicPartitions } from '../../src/definitions/partitions.ts';

describe('a partitions definition', () => {
  const fruits = dynamicPartitions('fruits');

  it('is recognised by its brand, and cannot be changed', () => {
    expect(kindOf(fruits)).toBe('dynamic-partitions');
    expect(fruits.name).toBe('fruits');
    expect(Object.isFrozen(fruits)).toBe(true);
  });

  it('builds requests from any list, in its order', () => {
    expect(fruits.buildAddRequest(['b', 'a', 'b'])).toEqual({
      type: 'add',
      set: 'fruits',
      keys: ['b', 'a', 'b'],
    });
    expect(fruits.buildAddRequest(new Set(['x', 'y']))).toEqual({
      type: 'add',
      set: 'fruits',
      keys: ['x', 'y'],
    });
    expect(fruits.buildDeleteRequest(new Map([['k', 1]]).keys())).toEqual({
      type: 'delete',
      set: 'fruits',
      keys: ['k'],
    });
  });

  it('keeps the list as it was when the request was built', () => {
    const keys = ['a'];
    const request = fruits.buildAddRequest(keys);
    keys.push('b');
    expect(request.keys).toEqual(['a']);
  });

  it('refuses a bare text, and says what to write instead', () => {
    for (const build of ['buildAddRequest', 'buildDeleteRequest'] as const) {
      expect(() => fruits[build]('apple')).toThrow(
        new TypeError("keys must be a list of strings; for one key write ['apple']"),
      );
    }
  });
});
