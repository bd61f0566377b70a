/** What the system refuses is said in words, whatever it answers. */
import fs from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { causeOf, refusalOf } from '../../src/files/system-errors.ts';

const refusing = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${code}: some words of node, ${syscall} '/srv/x' -> '/srv/y'`), { code, syscall });

function refusalFrom(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return null;
}

const causeFrom = (call: () => unknown): string => causeOf(refusalFrom(call));

describe('a failed system call', () => {
  it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])(
    'that was to link (%s) is a file system without hard links',
    (code) => {
      expect(causeOf(refusing(code, 'link'))).toBe(`the file system has no hard links (${code})`);
      expect(causeOf(refusing(code, 'open'))).not.toContain('hard links');
    },
  );

  it.each(Object.keys(constants.errno))(
    'of any code (%s) has words, and no call and path behind them',
    (code) => {
      expect(causeOf(refusing(code, 'open'))).toMatch(/^\w[\w ,;'-]+ \(E\w+\)$/);
    },
  );

  // What some drivers let through: node has no code for it, and its message says the number twice.
  it.each([
    ['link', 'the file system has no hard links (error 524)'],
    ['open', 'the system gave an error that has no name (error 524)'],
  ])('of a number that nobody has a name for has words, too: %s', (syscall, words) => {
    const code = 'Unknown system error -524';
    const error = new Error(`${code}: ${code}, ${syscall} '/srv/x' -> '/srv/y'`);
    expect(causeOf(Object.assign(error, { code, syscall }))).toBe(words);
  });

  it('is of a kind where what to do then is known', () => {
    const folder = fs.mkdtempSync(path.join(tmpdir(), 'dynpart-large-'));
    try {
      const file = path.join(folder, 'sparse');
      fs.writeFileSync(file, '');
      fs.truncateSync(file, 3 * 2 ** 30);
      const kinds = [
        refusalFrom(() => fs.readFileSync(file)),
        refusing('ERR_STRING_TOO_LONG', ''),
        refusing('EMLINK', 'link'),
        refusing('EMLINK', 'open'),
        'thrown',
      ].map((error) => refusalOf(error).kind);
      expect(kinds).toEqual(['too-large', 'too-large', 'no-hard-links', undefined, undefined]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('of the real system has words', () => {
    expect(causeFrom(() => fs.readFileSync('/no/such/file'))).toBe(
      'there is no such file or folder (ENOENT)',
    );
    expect(causeFrom(() => fs.readFileSync('/'))).toBe('it is a folder (EISDIR)');
  });
});
