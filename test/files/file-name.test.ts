/** File names for keys: no two keys share one, whatever a file system folds together, and none leaves its folder. */
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { fileNameOf } from '../../src/files/file-name.ts';
import { anyKey } from '../support/arbitraries.ts';

/** The longest ending that a file gets behind a name, with what `.000001` and temporary endings take. */
const LONGEST_ENDING = '.000001.jsonl';

/** What the most forgiving of file systems would take two names for. */
function folded(name: string): string {
  return name.normalize('NFD').toLowerCase().normalize('NFC').toUpperCase().toLowerCase().normalize('NFKD');
}

describe('the file name of a key', () => {
  it('keeps what is plain as it is', () => {
    for (const plain of ['a', 'audio', 'key_1', '2026-01-01', 'a.b', '-', '_'])
      expect(fileNameOf(plain)).toBe(plain);
  });

  it('encodes all else, byte by byte', () => {
    expect(fileNameOf('A')).toBe('%41');
    expect(fileNameOf('a/b')).toBe('a%2Fb');
    expect(fileNameOf('.')).toBe('%2E');
    expect(fileNameOf('..')).toBe('%2E%2E');
    expect(fileNameOf('a.')).toBe('a%2E');
    expect(fileNameOf('.hidden')).toBe('%2Ehidden');
    expect(fileNameOf('é')).toBe('%C3%A9');
    expect(fileNameOf('%2F')).toBe('%252%46');
    expect(fileNameOf('~')).toBe('%7E');
  });

  it('of a long key ends in a hash of all of it', () => {
    const [one, other] = [`${'x'.repeat(1000)}1`, `${'x'.repeat(1000)}2`];
    expect(fileNameOf(one)).toMatch(/^x{80}~[0-9a-f]{64}$/);
    expect(fileNameOf(one)).not.toBe(fileNameOf(other));
    // Nothing is cut in the middle of an encoded byte.
    for (let before = 0; before < 3; before++) {
      expect(fileNameOf(`${'x'.repeat(before)}${'É'.repeat(400)}`)).toMatch(
        /^x*(%[0-9A-F]{2})+~[0-9a-f]{64}$/,
      );
    }
  });

  it('is one name in its folder, of letters that every file system keeps apart', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const name = fileNameOf(key);
        expect(name).toMatch(/^[a-z0-9_%~-][a-z0-9A-F_.%~-]*$/);
        expect(name).not.toMatch(/\.$/);
        expect(Buffer.byteLength(`${name}${LONGEST_ENDING}`)).toBeLessThanOrEqual(255);
      }),
      { numRuns: 1000 },
    );
  });

  it('is no other key’s, also where case and Unicode forms are folded', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyKey, { minLength: 2, maxLength: 30 }), (keys) => {
        const names = keys.map((key) => folded(fileNameOf(key)));
        expect(new Set(names).size).toBe(keys.length);
      }),
      { numRuns: 500 },
    );
  });

  it('is never what stands for the value of an asset without partitions', () => {
    fc.assert(fc.property(anyKey, (key) => fileNameOf(key) !== '='));
  });
});
