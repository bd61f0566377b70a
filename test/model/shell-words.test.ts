/** What is printed to be pasted is given to a real shell here. */
import { execFileSync } from 'node:child_process';
import * as fc from '../support/random.ts';
import { expect, it } from 'vitest';
import { describe as wordsOf } from '../../src/model/describe-failure.ts';
import { shellFlag, shellWord } from '../../src/model/shell-words.ts';
import { isDangerous } from '../../src/model/text.ts';

const ODD = [
  'plain-key_1.json',
  '/srv/a b/state.json',
  "it's",
  "''",
  '"quoted"',
  '$HOME $(echo x) `echo y`',
  'a\\b\\n%s 100%',
  '~/x',
  '=ls',
  '*?[a-z]{1,2}',
  '#no comment',
  'a;b&c|d>e<f(g)!h',
  'zwei\nlines',
  '\n\ttabs\tand more',
  'bell\u0007 escape\u001b[31m',
  'right\u202eto left, a mark\u200e',
  'é, 日本語, 🎉',
  ' blanks at both ends ',
  '',
];

/** The words that a shell makes of a line. */
function wordsIn(line: string): string[] {
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
  return printed.split('\0').slice(0, -1);
}

it.each(ODD)('%j is one word for a shell, and itself', (text) => {
  expect(wordsIn(`${shellWord(text)} end`)).toEqual([text, 'end']);
});

it('so is any other text', () => {
  const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((one) => !/\0|\n$|^-/.test(one));
  fc.assert(
    fc.property(fc.array(text, { minLength: 50, maxLength: 100 }), (texts) => {
      const line = texts.map((one) => shellWord(one)).join(' ');
      expect(isDangerous(line)).toBe(false);
      expect(wordsIn(line)).toEqual(texts);
    }),
    { numRuns: 10 },
  );
});

it('what would be taken for a flag, or ends with a line, is left to the reader', () => {
  expect(shellWord('--all', 'SET')).toBe('SET');
  expect(shellWord('a\n', 'FILE')).toBe('FILE');
  expect(shellFlag('--key', 'a\n', 'KEY')).toBe('--key KEY');
});

it('a value that begins with a dash stands behind an equals sign', () => {
  expect(shellFlag('--key', 'a b')).toBe("--key 'a b'");
  expect(wordsIn(shellFlag('--key', "-it's"))).toEqual(["--key=-it's"]);
});

it('no failure prints a command with text of a user that is not quoted', () => {
  const odd = "/tmp/it's $HOME; x";
  const key = '-$(rm x)';
  const hints = [
    { reason: 'state-empty', file: odd },
    { reason: 'state-missing', file: odd },
    { reason: 'state-problems', file: odd, count: 1 },
    { reason: 'foreign-state', state: odd, owner: null, file: odd, why: 'another' },
    { reason: 'value-damaged', file: odd, asset: 'a', key, cause: 'c' },
    { reason: 'unknown-keys', sets: [odd], keys: [key] },
    { reason: 'unknown-name', thing: 'asset', names: [key], nearest: [], known: 1, keyOf: 's' },
    { reason: 'pipeline-import-missing', file: odd, place: null, specifier: '$(rm x)' },
  ] as const;
  expect(hints.map((failure) => wordsOf(failure).hint)).toMatchInlineSnapshot(`
    [
      "nothing was changed. To take the newest intact generation: dynpart state restore --last --state '/tmp/it'\\''s $HOME; x'; to take a copy: dynpart state restore FILE --state '/tmp/it'\\''s $HOME; x'",
      "nothing was changed. To take the newest intact generation: dynpart state restore --last --state '/tmp/it'\\''s $HOME; x'; to take a copy: dynpart state restore FILE --state '/tmp/it'\\''s $HOME; x'",
      "nothing was changed. To take the newest intact generation: dynpart state restore --last --state '/tmp/it'\\''s $HOME; x'; to take a copy: dynpart state restore FILE --state '/tmp/it'\\''s $HOME; x'",
      "nothing was changed. To make it the state of "/tmp/it's $HOME; x" from now on: dynpart -f '/tmp/it'\\''s $HOME; x' --state '/tmp/it'\\''s $HOME; x' state adopt; to use another state: --state FILE",
      "materialize it again: dynpart materialize a --key='-$(rm x)'",
      "To register a key: dynpart partitions add '/tmp/it'\\''s $HOME; x' KEY, or materialize with --add",
      ""-$(rm x)" is a key of set 's'; a key goes behind --key: dynpart materialize --key='-$(rm x)'",
      "install it beside the pipeline file: npm install '$(rm x)'",
    ]
  `);
});
