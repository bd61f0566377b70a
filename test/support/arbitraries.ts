/** Arbitrary values for property tests. */
import * as fc from './random.ts';
import { isPartitionKey } from '../../src/model/partition-key.ts';

const TRICKY = [
  '.',
  '..',
  '...',
  '/',
  '\\',
  '%',
  '%2E',
  '%2e',
  '~',
  '=',
  '-',
  '_',
  'a',
  'A',
  'é',
  'e\u0301',
  'É',
  'ſ',
  's',
  'K',
  '\u212a',
  'ﬁ',
  'ß',
  'ẞ',
  'İ',
  'ı',
  '😀',
  ' ',
  '"',
  '|',
  ',',
  ':',
  '*',
  '\u200f',
  '\u2028',
  '__proto__',
  'constructor',
  '.json',
  'con',
  '0',
];

/** Any legal partition key, most of them of pieces that file systems and formats stumble over. */
export const anyKey = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc
        .array(fc.constantFrom(...TRICKY), { minLength: 1, maxLength: 8 })
        .map((parts) => parts.join('')),
    },
    { weight: 2, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...TRICKY), fc.integer({ min: 60, max: 1024 }))
        .map(([part, length]) => part.repeat(Math.max(1, Math.floor(length / Buffer.byteLength(part))))),
    },
  )
  .filter(isPartitionKey);
