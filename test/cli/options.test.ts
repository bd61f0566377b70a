/** Flags with values, exit codes and keys from files: everything typed is read in one place, and named when it cannot be. */
import fs from 'node:fs';
import * as fc from '../support/random.ts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ExitCode, worst } from '../../src/cli/exit-code.ts';
import { age, oneOf, repeated, seconds, wholeNumber } from '../../src/cli/command-line/options.ts';
import { checkedKeys, keysFrom } from '../../src/cli/read-keys.ts';
import { toJson } from '../../src/model/text.ts';
import { FailureError, type Failure } from '../../src/model/failure.ts';
import { isPartitionKey } from '../../src/model/partition-key.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { Project } from '../support/project.ts';

function failureOf(step: () => unknown): Failure {
  try {
    step();
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('a flag with a value', () => {
  it.each([
    ['1', 1],
    ['007', 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('takes %s as a whole number', (text, value) => {
    expect(wholeNumber('--limit', 1)(text)).toBe(value);
  });

  it.each(['0', '-1', '1.5', '1e3', '', ' 1', '0x10', 'ten', '9007199254740993', '١'])(
    'refuses %j as a whole number, by name',
    (text) => {
      expect(failureOf(() => wholeNumber('--limit', 1)(text))).toMatchObject({
        reason: 'usage',
        message: expect.stringContaining(
          `--limit takes a whole number of 1 or more, not ${JSON.stringify(text)}`,
        ),
      });
    },
  );

  it.each([
    ['30s', 30_000],
    ['90m', 5_400_000],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
    ['2w', 1_209_600_000],
    ['0d', 0],
  ])('takes the age %s', (text, ms) => {
    expect(age('--older-than')(text)).toBe(ms);
  });

  it.each(['30', 'd', '1.5d', '-1d', '30 d', '30D', '1y', ''])('refuses the age %j', (text) => {
    expect(failureOf(() => age('--older-than')(text))).toMatchObject({ reason: 'usage' });
  });

  it('takes seconds with a fraction', () => {
    expect(seconds('--wait-timeout')('0.5')).toBe(500);
    for (const text of ['', '-1', '.5', '5s', 'NaN', 'Infinity', '1e3'])
      expect(failureOf(() => seconds('--wait-timeout')(text))).toMatchObject({ reason: 'usage' });
  });

  it('takes one of its words and no other', () => {
    const read = oneOf('--if-busy', ['skip', 'wait']);
    expect(read('wait')).toBe('wait');
    // The words are ours, in capitals here and small there: nobody need remember which.
    expect([read('Wait'), read('SKIP')]).toEqual(['wait', 'skip']);
    for (const text of ['Skipp', '', 'toString', 'skip '])
      expect(failureOf(() => read(text))).toMatchObject({ reason: 'usage' });
  });

  it('is collected as it was typed, never split', () => {
    expect(repeated('a,b', repeated(' c '))).toEqual([' c ', 'a,b']);
  });
});

describe('the exit code', () => {
  const order: readonly ExitCode[] = [130, 143, 5, 2, 3, 1, 4, 10, 0];

  it.each(order.map((code, at) => [code, order.slice(at)] as const))(
    '%d wins over all that stand behind it',
    (code, behind) => {
      for (const other of behind) {
        expect(worst([code, other])).toBe(code);
        expect(worst([other, code])).toBe(code);
      }
    },
  );

  it('is the one for any mix that stands first', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...order)), (codes) => {
        expect(worst(codes)).toBe(order.find((code) => codes.includes(code)) ?? 0);
      }),
    );
  });
});

const read = (stdin: string | Uint8Array, asJson = false): readonly string[] =>
  keysFrom('-', new CapturedTerminal({ stdin }), asJson);

describe('keys from a file', () => {
  let project: Project | undefined;
  afterEach(async () => {
    await project?.[Symbol.asyncDispose]();
    project = undefined;
  });

  it('lose \\r before the end of a line, one mark at the start, and blank lines; nothing else', () => {
    expect(read('\ufeffa\r\n\n  \n b \nc d')).toEqual(['a', ' b ', 'c d']);
    expect(read('')).toEqual([]);
    expect(read('\n\r\n')).toEqual([]);
    expect(read('last')).toEqual(['last']);
    expect(read('\ufeff\ufeffa')).toEqual(['\ufeffa']);
  });

  it('are refused in words where they are more than one text can hold', () => {
    const terminal = new CapturedTerminal({});
    // Only its length is asked for.
    vi.spyOn(terminal, 'readStdin').mockReturnValue({ length: 2 ** 29 } as never);
    expect(failureOf(() => keysFrom('-', terminal, false))).toMatchObject({
      reason: 'keys-file',
      cause: 'it is larger than the 512 MiB that can be read as one text',
      kind: 'too-large',
    });
  });

  it('are read from the folder of the caller', () => {
    project = new Project({ 'keys.txt': 'a\nb\n' });
    expect(keysFrom('keys.txt', new CapturedTerminal({ cwd: project.folder }), false)).toEqual(['a', 'b']);
    expect(failureOf(() => keysFrom('none.txt', new CapturedTerminal({ cwd: '/' }), false))).toMatchObject({
      reason: 'keys-file',
      file: 'none.txt',
    });
    fs.mkdirSync(project.path('folder'));
    expect(
      failureOf(() => keysFrom('folder', new CapturedTerminal({ cwd: project!.folder }), false)),
    ).toMatchObject({ reason: 'keys-file' });
  });

  it('are all refused for one bad line, and each bad one is named with its number', () => {
    expect(failureOf(() => read(`good\nbad\u0007\n${'x'.repeat(1025)}\n`))).toMatchObject({
      reason: 'invalid-keys',
      source: 'standard input',
      keys: [{ line: 2 }, { line: 3 }],
    });
  });

  it('are refused where bytes are no UTF-8, by line', () => {
    const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.from([0xff, 0x0a]), Buffer.from('\ufffd\n')]);
    expect(failureOf(() => read(bytes))).toMatchObject({ reason: 'invalid-keys', keys: [{ line: 2 }] });
    expect(read('\ufffd\n')).toEqual(['\ufffd']);
  });

  it('may be JSON strings, and nothing else then', () => {
    expect(read('"a\\u202eb"\n" c "\r\n', true)).toEqual(['a\u202eb', ' c ']);
    for (const line of ['a', '1', 'null', '["a"]', '"a" "b"', '"a']) {
      expect(failureOf(() => read(line, true))).toMatchObject({
        reason: 'invalid-keys',
        keys: [{ line: 1 }],
      });
    }
  });

  it('come back as they were listed with --json-lines', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter(isPartitionKey)),
        (keys) => {
          expect(read(keys.map((key) => `${toJson(key)}\n`).join(''), true)).toEqual(keys);
        },
      ),
    );
  });

  it('given as arguments are checked the same way', () => {
    expect(checkedKeys([' a ', 'b'])).toEqual([' a ', 'b']);
    expect(failureOf(() => checkedKeys(['a', '', 'b\n']))).toMatchObject({
      reason: 'invalid-keys',
      keys: [{ key: '' }, { key: 'b\n' }],
    });
  });
});
