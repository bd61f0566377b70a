/** Commands in messages: which of them are made such that they can be pasted, and which words only look like one. */
import { describe, expect, it } from 'vitest';
import { allWords } from '../../build/words.mjs';
import { declaredAll } from '../../src/cli/command-table.ts';
import { flagsToPrint, toPaste } from '../../src/cli/printed-commands.ts';
import { documentToPaste } from '../../src/cli/printed-document.ts';
import { shownAddress } from '../../src/cli/shown-address.ts';
import { shellFlag } from '../../src/model/shell-words.ts';

const BOTH = ['-f a/pipeline.ts', "--state 'my state.json'"];
const SAID = BOTH.join(' ');

describe('the flags', () => {
  it('are those that were given, as they were typed, fit for a shell', async () => {
    expect(await flagsToPrint({})).toEqual([]);
    expect(await flagsToPrint({ file: undefined, state: '' })).toEqual([]);
    expect(await flagsToPrint({ file: '../a b/p.ts' })).toEqual(["-f '../a b/p.ts'"]);
    expect(await flagsToPrint({ file: '-x.ts', state: '-y.json' })).toEqual([
      '-f ./-x.ts',
      '--state=-y.json',
    ]);
    expect(await flagsToPrint({ file: '~/p.ts', state: '$HOME/x.json' })).toEqual([
      "-f '~/p.ts'",
      "--state '$HOME/x.json'",
    ]);
    expect(await flagsToPrint({ file: 'ends\n', state: 'a:b.json' })).toEqual([
      '-f FILE',
      '--state a:b.json',
    ]);
  });
});

describe('a command', () => {
  it.each([
    ['dynpart status', `dynpart ${SAID} status`],
    [
      '  dynpart runs list; again: dynpart sensor tick feed',
      `  dynpart ${SAID} runs list; again: dynpart ${SAID} sensor tick feed`,
    ],
    [
      'look (dynpart status, dynpart runs list), and',
      `look (dynpart ${SAID} status, dynpart ${SAID} runs list), and`,
    ],
    [
      'did you mean dynpart runs list or dynpart runs show?',
      `did you mean dynpart ${SAID} runs list or dynpart ${SAID} runs show?`,
    ],
    ['first\ndynpart check', `first\ndynpart ${SAID} check`],
  ])('gets them: %s', (text, expected) => {
    const said = toPaste(text, BOTH);
    expect(said).toBe(expected);
    expect(toPaste(said, BOTH), 'and once only').toBe(expected);
    expect(toPaste(text, [])).toBe(text);
  });

  it('keeps what it says itself of the state, and so does the next one', () => {
    expect(
      toPaste('take it: dynpart state restore --last --state /s.json; look: dynpart state check', BOTH),
    ).toBe(
      `take it: dynpart -f a/pipeline.ts state restore --last --state /s.json; look: dynpart ${SAID} state check`,
    );
    expect(toPaste('dynpart state check; or name a file: --state FILE', BOTH)).toBe(
      `dynpart ${SAID} state check; or name a file: --state FILE`,
    );
    const whole = 'to adopt it: dynpart -f /p.ts --state /s.json state adopt';
    expect(toPaste(whole, BOTH)).toBe(whole);
  });

  it.each([
    ['needs no project', 'see: dynpart --help'],
    ['asks for help', 'see: dynpart runs --help'],
    ['explains, begins or completes', 'dynpart explain usage; dynpart init DIR; dynpart completion bash'],
    ['is what did something', 'name a copy that dynpart state export made'],
    ['is only named', '--asset belongs to dynpart runs list, dynpart value show and others'],
    ['is no command', 'nothing was changed; dynpart writes no file that is so large'],
  ])('that %s stays as it is', (_, text) => {
    expect(toPaste(text, BOTH)).toBe(text);
  });

  it('in a name or key is none, however that is quoted', () => {
    const odd = [
      'a; dynpart status',
      'a: dynpart runs list --state x',
      "it's: dynpart status",
      'a\u0007: dynpart status',
    ];
    for (const key of odd) {
      const flag = shellFlag('--key', key);
      expect(toPaste(`again: dynpart why raw ${flag}; all: dynpart status`, BOTH)).toBe(
        `again: dynpart ${SAID} why raw ${flag}; all: dynpart ${SAID} status`,
      );
    }
    expect(toPaste('"a: dynpart status" is a key', BOTH)).toBe('"a: dynpart status" is a key');
  });

  it('may stand beside any sign', () => {
    for (const sign of ['\r', '\u2028', '\u2029', "'", '"', '\\'])
      expect(toPaste(`x: dynpart status ${sign} y`, BOTH)).toBe(`x: dynpart ${SAID} status ${sign} y`);
  });
});

it('of all messages and hints, each command is found, and nothing else', () => {
  const left = allWords()
    .flatMap(({ message, hint }) => (hint === null ? [message] : [message, hint]))
    .map((text) => toPaste(text.replaceAll(/‹[^›]*›/g, 'X'), ['-f p.ts']))
    .flatMap((text) => [...text.matchAll(/dynpart (?!-f )[a-z]+(?: [a-z]+)?/g)].map(([found]) => found));
  expect(left.toSorted()).toEqual([
    'dynpart init',
    'dynpart knows',
    'dynpart knows schemas',
    'dynpart knows schemas',
    'dynpart runs as',
    'dynpart state export',
    'dynpart takes for',
    'dynpart that knows',
    'dynpart that wrote',
    'dynpart writes',
    'dynpart writes no',
  ]);
});

it('all commands of dynpart are known, but for those that work on no project', async () => {
  const names = (await declaredAll()).commands.map(({ name }) => name);
  expect(names.filter((name) => toPaste(`dynpart ${name}`, BOTH) === `dynpart ${name}`)).toEqual([
    'init',
    'explain',
    'completion',
  ]);
});

describe('the address of a database', () => {
  it('is shown as it was typed', () => {
    for (const state of [
      'postgres://etl@127.0.0.1/w?schema=a',
      'postgresql:///w?host=/run/x',
      'postgres://h/w?sslmode=verify-full&sslrootcert=ca.pem',
    ])
      expect(shownAddress(state)).toBe(state);
  });

  it('is shown without its password, and not at all where that may stand anywhere', () => {
    expect(shownAddress('postgres://etl:hunter2@h:5433/w?schema=a&sslmode=disable')).toBe(
      'postgres://etl@h:5433/w?schema=a&sslmode=disable',
    );
    expect(shownAddress('postgres://:hunter2@h/w')).toBe('postgres://h/w');
    for (const state of [
      'postgres://etl:1/hunter2@h/w',
      'postgres://etl:1?hunter2@h/w',
      'postgres://etl:1#hunter2@h/w',
      'postgres://etl:hunter2/@h/w',
      'postgres:etl:hunter2@h/w',
      'POSTGRES://etl:a@hunter2@@h:x/w',
      'postgres://h/w?password=hunter2',
      'mysql://etl:hunter2@[/w',
    ])
      expect(shownAddress(state)).toBe('STATE');
    expect(shownAddress('mysql://etl:hunter2@h/w')).toBe('mysql://etl@h/w');
  });
});

describe('a document', () => {
  it('has its hints and commands so, and what users keep as it was', () => {
    const error = { code: 'x', message: 'see: dynpart status', hint: 'see: dynpart status' };
    const item = { message: 'm', hint: 'dynpart status', command: 'dynpart status', next: 1 };
    const run = { error, tags: item, metadata: item, assets: [{ error }, { error: null }] };
    const document = {
      run,
      command: 'dynpart status',
      next: 'make',
      text: 'dynpart status',
      item,
      value: item,
    };
    const hinted = { ...error, hint: `see: dynpart ${SAID} status` };
    const before = structuredClone(document);
    expect(documentToPaste(document, BOTH)).toEqual({
      ...document,
      run: { ...run, error: hinted, assets: [{ error: hinted }, { error: null }] },
      command: `dynpart ${SAID} status`,
    });
    expect(document, 'what was given is not changed: it may be on record').toEqual(before);
  });

  it('that has none stays the same', () => {
    const document = { keys: [{ key: 'dynpart status', item: null }], next: null };
    expect(documentToPaste(document, BOTH)).toBe(document);
  });
});
