/** Which strings may be partition keys, and why others may not. */
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { isPartitionKey, MAX_KEY_BYTES, nameOfType, whyNotAKey } from '../../src/model/partition-key.ts';

describe('a partition key', () => {
  it.each([
    '/',
    '..',
    ',',
    'a|b',
    '...',
    ' ',
    '"',
    "'",
    '😀',
    '__proto__',
    '{"a":1}',
    'e\u0301',
    '\u0080',
    '\u202e',
    'x'.repeat(1024),
    'é'.repeat(512),
    '😀'.repeat(256),
  ])('may be %j', (key) => {
    expect(whyNotAKey(key)).toBeNull();
  });

  it.each([
    ['', 'it is empty'],
    ['a\nb', 'it holds the control character U+000A at position 2'],
    ['foo\bfoo', 'it holds the control character U+0008 at position 4'],
    ['\0', 'it holds the control character U+0000 at position 1'],
    ['\u007f', 'it holds the control character U+007F at position 1'],
    ['a\u001b[31m', 'it holds the control character U+001B at position 2'],
    ['\ud83d', 'it holds half of a surrogate pair, which is no text'],
    ['a\ude00b', 'it holds half of a surrogate pair, which is no text'],
    ['x'.repeat(1025), 'it has 1025 bytes; a key has 1024 at most'],
    ['é'.repeat(513), 'it has 1026 bytes; a key has 1024 at most'],
    [`${'😀'.repeat(256)}a`, 'it has 1025 bytes; a key has 1024 at most'],
  ])('may not be %j', (key, why) => {
    expect(whyNotAKey(key)).toBe(why);
    expect(isPartitionKey(key)).toBe(false);
  });

  it.each([
    [5, 'a key is a string, not a number'],
    [null, 'a key is a string, not null'],
    [undefined, 'a key is a string, not undefined'],
    [['a'], 'a key is a string, not an array'],
    [{}, 'a key is a string, not an object'],
    [true, 'a key is a string, not a boolean'],
  ])('may not be %j, which is no string', (value, why) => {
    expect(whyNotAKey(value)).toBe(why);
  });

  it('is exactly what a far simpler rule says', () => {
    const anyString = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc
        .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 })
        .map((codes) => String.fromCharCode(...codes)),
      fc
        .tuple(fc.constantFrom('a', 'é', '€', '😀'), fc.integer({ min: 200, max: 1100 }))
        .map(([part, times]) => part.repeat(times)),
    );
    fc.assert(
      fc.property(anyString, (text) => {
        const bytes = Buffer.byteLength(text);
        const whole = Buffer.from(text).toString() === text;
        const controls = Buffer.from(text).some((byte) => byte < 32 || byte === 127);
        expect(isPartitionKey(text)).toBe(bytes >= 1 && bytes <= MAX_KEY_BYTES && whole && !controls);
      }),
      { numRuns: 2000 },
    );
  });

  it('of the wrong type is told with the right article', () => {
    expect([null, undefined, [], {}, 1, 'a', () => 1, 1n].map(nameOfType)).toEqual([
      'null',
      'undefined',
      'an array',
      'an object',
      'a number',
      'a string',
      'a function',
      'a bigint',
    ]);
  });
});
