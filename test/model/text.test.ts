/** Text from outside on its way to a terminal: nothing in it may move the cursor, colour anything or turn the reading direction. */
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { clean, counted, duration, grouped, printable, quoted, toJson } from '../../src/model/text.ts';

/** Told by Unicode's own properties, so that the list in the code is not checked against itself. */
const HOSTILE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/u;

const hostileChar = fc.constantFrom(
  ...Array.from(
    '\u0000\u0007\u0008\u000b\u000c\r\u001b\u007f\u0080\u0085\u009b\u009f\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff',
  ),
);
const text = fc
  .array(
    fc.oneof(
      hostileChar,
      fc.constantFrom('"', '\\', '\n', '\t', ' '),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
    ),
  )
  .map((parts) => parts.join(''));

describe('text from outside', () => {
  it('holds nothing hostile once it is clean; only line ends and tabs stay', () => {
    fc.assert(
      fc.property(text, (from) => {
        expect(clean(from).replaceAll(/[\n\t]/g, '')).not.toMatch(HOSTILE);
      }),
      { numRuns: 2000 },
    );
  });

  it('stays as it is where nothing is hostile', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (from) => {
        expect(clean(from)).toBe(from);
      }),
    );
    expect(clean('ünï 日本 👩‍👩‍👧 עברית')).toBe('ünï 日本 👩‍👩‍👧 עברית');
  });

  it('is one line without anything hostile as a printable key, and can be read back', () => {
    fc.assert(
      fc.property(text, (key) => {
        const shown = printable(key);
        expect(shown).not.toMatch(HOSTILE);
        expect(shown.startsWith('"') ? JSON.parse(shown) : shown).toBe(key);
      }),
      { numRuns: 2000 },
    );
  });

  it('is the same value from JSON and never hostile in it', () => {
    fc.assert(
      fc.property(text, fc.jsonValue(), (key, value) => {
        const json = toJson({ [key]: key, value });
        expect(json).not.toMatch(HOSTILE);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ [key]: key, value })));
        expect(JSON.parse(quoted(key))).toBe(key);
        expect(quoted(key)).not.toMatch(HOSTILE);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['plain', 'plain'],
    ['with inner blanks', 'with inner blanks'],
    ['"quoted', '"\\"quoted"'],
    [' before', '" before"'],
    ['after ', '"after "'],
    ['no-break\u00a0', '"no-break\u00a0"'],
    ['tab\tinside', '"tab\\tinside"'],
    ['\u202eesrever', '"\\u202eesrever"'],
  ])('%j is printed as %s', (key, shown) => {
    expect(printable(key)).toBe(shown);
  });
});

describe('numbers and times', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1234567, '1,234,567'],
  ])('%d is %s', (count, shown) => {
    expect(grouped(count)).toBe(shown);
  });

  it('are counted in words', () => {
    expect([counted(0, 'key'), counted(1, 'key'), counted(12000, 'key')]).toEqual([
      '0 keys',
      '1 key',
      '12,000 keys',
    ]);
  });

  it.each([
    [0, '0.0 s'],
    [449, '0.4 s'],
    [9_949, '9.9 s'],
    [12_000, '12 s'],
    [119_499, '119 s'],
    [200_000, '3 min 20 s'],
    [7_199_999, '2 h 0 min'],
    [7_500_000, '2 h 5 min'],
  ])('%d ms are %s', (ms, shown) => {
    expect(duration(ms)).toBe(shown);
  });
});
