/** Words for bash: bash itself reads back exactly what was meant, whatever quotes were open, and executes nothing. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { bashWord, readBashLine } from '../../src/cli/completion/bash-words.ts';
import { anyKey } from '../support/arbitraries.ts';
import { ATTACK_KEYS, HARMFUL } from '../support/attack-keys.ts';
import { TemporaryFolder } from '../support/json-rig.ts';

const options = { home: '/home/somebody', breaks: ' \t\n"\'@><=;|&(:' };
const read = (line: string) => readBashLine(line, options);

const OPENINGS = [
  ['nothing', '', ''],
  ['single', "'", "'"],
  ['double', '"', '"'],
  ['ansi', "$'", "'"],
] as const;

/** A word as it stands on the line when it was completed and the quote closed. */
function written(key: string, [open, before, after]: (typeof OPENINGS)[number]): string {
  return `${before}${bashWord(key, open)}${after}`;
}

describe('a line up to the cursor', () => {
  it.each([
    ['dynpart sta', ['dynpart'], '', 'sta', 'nothing'],
    ['dynpart status ', ['dynpart', 'status'], '', '', 'nothing'],
    ["a 'b c' d", ['a', 'b c'], '', 'd', 'nothing'],
    ["a 'b c", ['a'], '', 'b c', 'single'],
    ['a b"c d', ['a'], 'b', 'c d', 'double'],
    ['a "b\\"c\\d', ['a'], '', 'b"c\\d', 'double'],
    ['a b\\ c', ['a'], '', 'b c', 'nothing'],
    ['a b:c', ['a'], 'b:', 'c', 'nothing'],
    ['a b\\:c', ['a'], '', 'b:c', 'nothing'],
    ['a --key=b', ['a'], '--key=', 'b', 'nothing'],
    ["a 'b:c", ['a'], '', 'b:c', 'single'],
    ["a $'b\\xc3\\xa9' c", ['a', 'bé'], '', 'c', 'nothing'],
    ['a ~/b', ['a'], '', '/home/somebody/b', 'nothing'],
    ["a '~/b' c", ['a', '~/b'], '', 'c', 'nothing'],
    ['a b\\', ['a'], '', 'b', 'nothing'],
    ["a '' b", ['a', ''], '', 'b', 'nothing'],
    ['a $(touch pwned) `x` $HOME ', ['a', '$(touch', 'pwned)', '`x`', '$HOME'], '', '', 'nothing'],
  ])('%s', (line, words, kept, replaced, open) => {
    expect(read(line)).toEqual({ words, kept, replaced, open });
  });
});

describe('a word for bash', () => {
  it('is what dynpart reads back from the line', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyKey, fc.constantFrom(...ATTACK_KEYS)),
        fc.constantFrom(...OPENINGS),
        (key, opening) => {
          expect(read(`dynpart ${written(key, opening)} `).words).toEqual(['dynpart', key]);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is text of one line that turns no terminal around', () => {
    fc.assert(
      fc.property(anyKey, fc.constantFrom(...OPENINGS), (key, [open]) => {
        expect(bashWord(key, open)).not.toMatch(HARMFUL);
        expect(bashWord(key, open)).not.toContain('\n');
      }),
    );
  });

  it.each(['C', 'C.UTF-8'])(
    'is what bash reads back in the locale %s, also with its history on',
    (locale) => {
      using folder = new TemporaryFolder();
      const random = fc.sample(anyKey, 300);
      const keys = [...ATTACK_KEYS, ...random];
      const cases = keys.flatMap((key) => OPENINGS.map((opening) => ({ key, word: written(key, opening) })));
      const script = [
        'set -o history -o histexpand',
        ...cases.map(({ word }) => `printf '%s\\0' ${word}`),
      ].join('\n');
      // Read from standard input: there bash expands its history as at a prompt.
      const { stdout, stderr } = spawnSync('bash', ['--norc', '-s'], {
        input: `${script}\n`,
        cwd: folder.path,
        env: { PATH: process.env['PATH'], LC_ALL: locale, HOME: folder.path },
        maxBuffer: 2 ** 28,
      });
      expect(stderr.toString()).toBe('');
      const back = stdout.toString('utf8').split('\0').slice(0, -1);
      cases.forEach(({ key, word }, at) => expect([word, back[at]]).toEqual([word, key]));
      expect(back).toHaveLength(cases.length);
      expect(fs.readdirSync(folder.path).filter((name) => name !== '.bash_history')).toEqual([]);
    },
  );
});
