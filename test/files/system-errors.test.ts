/** What the system refuses is said in words, whatever it answers. */
import fs from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { causeOf } from '../../src/files/system-errors.ts';

const refusing = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${code}: some words of node, ${syscall} '/srv/x' -> '/srv/y'`), { code, syscall });

function causeFrom(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return causeOf(error);
  }
  return 'none';
}

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

  it('of the real system has words', () => {
    expect(causeFrom(() => fs.readFileSync('/no/such/file'))).toBe(
      'there is no such file or folder (ENOENT)',
    );
    expect(causeFrom(() => fs.readFileSync('/'))).toBe('it is a folder (EISDIR)');
  });
});
