/** What is cut from texts before they go into a page that is passed on. */
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { withoutQueries } from '../../src/model/without-queries.ts';
import { shownValue } from '../../src/report/without-secrets.ts';

describe('addresses', () => {
  it.each([
    ['https://a.example/x?token=1', 'https://a.example/x?…'],
    ['see https://a.example/x?token=1&b=2, then go on', 'see https://a.example/x?… then go on'],
    ['https://a.example/x#access_token=1', 'https://a.example/x#…'],
    ['https://me:word@a.example/x', 'https://…@a.example/x'],
    ['postgres://me:word@db/x?sslmode=off', 'postgres://…@db/x?…'],
    ['HTTPS://a.example?t=1', 'HTTPS://a.example?…'],
    ['<a href="https://a.example/?t=1">', '<a href="https://a.example/?…">'],
    ['https://a.example/x', 'https://a.example/x'],
    ['what? no://', 'what? no://'],
    ['a?b=c', 'a?b=c'],
  ])('%s', (text, shown) => {
    expect(withoutQueries(text)).toBe(shown);
  });

  it('keep no letter of their query, however deep in an item they stand', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9=&%/?#:@]{1,30}$/), (query) => {
        const item = {
          deep: [{ url: `https://a.example/feed?SECRET${query}` }],
          [`https://b/?SECRET${query}`]: 1,
        };
        expect(JSON.stringify(shownValue(item, 500))).not.toContain('SECRET');
      }),
    );
  });
});

describe('long values', () => {
  it('are cut, and say how long they are', () => {
    expect(shownValue('x'.repeat(10_000_000), 100)).toBe(
      `${'x'.repeat(100)} … (cut: it has 10000000 characters)`,
    );
    expect(shownValue({ list: Array.from({ length: 1000 }, () => 'x') }, 50)).toMatch(
      /^\{"list":\["x".* … \(cut: it has \d+ characters\)$/,
    );
    expect(shownValue({ a: ['b', 1, null, true] }, 50)).toEqual({ a: ['b', 1, null, true] });
  });

  it('are never cut within a letter', () => {
    expect((shownValue('😀'.repeat(10), 3) as string).isWellFormed()).toBe(true);
  });
});
