/** Every failure has words, without holes in them, and with nothing in them that could disturb a terminal. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { describe as inWords, subjectOf } from '../../src/model/describe-failure.ts';
import { listed, quoted } from '../../src/model/text.ts';
import { type Failure, FailureError } from '../../src/model/failure.ts';
import { DATABASE_CODES } from '../../src/state/postgres/database-errors.ts';
import { root } from '../support/project.ts';

const HOSTILE = '\u001b[2J\r\n\u202e\u2066evil\u0007\u009b31m';

// oxlint-disable-next-line no-control-regex -- that is what is looked for; a line's end is dynpart's own
const DISTURBING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** One of each reason, with `text` wherever a user's text may stand that no rule has checked. */
function everyFailure(text: string): {
  readonly [Reason in Failure['reason']]: Failure & { reason: Reason };
} {
  const file = '/f';
  return {
    usage: { reason: 'usage', message: 'm', hint: 'h' },
    'unknown-name': { reason: 'unknown-name', thing: 'asset', names: [text], nearest: [text], known: 2 },
    'unknown-keys': { reason: 'unknown-keys', sets: ['s'], keys: [text], nearest: [text] },
    'ambiguous-keys': { reason: 'ambiguous-keys', keys: [text], sets: ['s', 't'], known: true },
    'asset-without-key': { reason: 'asset-without-key', asset: 'a', set: 's', keys: [text] },
    'invalid-keys': { reason: 'invalid-keys', source: 'keys.txt', keys: [{ key: text, why: 'w', line: 3 }] },
    'keys-file': { reason: 'keys-file', file, cause: 'c' },
    'pipeline-not-found': { reason: 'pipeline-not-found', file, given: true },
    'pipeline-unreadable': { reason: 'pipeline-unreadable', file, cause: 'c' },
    'pipeline-syntax': { reason: 'pipeline-syntax', file, place: 'p', message: 'm', excerpt: 'e' },
    'pipeline-import-missing': { reason: 'pipeline-import-missing', file, place: null, specifier: '@a/b/c' },
    'pipeline-threw': { reason: 'pipeline-threw', file, message: 'm', frames: ['at f'] },
    'notify-failed': { reason: 'notify-failed', hook: '1', why: 'hooks.example.org answered 500' },
    'foreign-state': {
      reason: 'foreign-state',
      state: file,
      owner: '/one.ts',
      file: '/other.ts',
      why: 'another',
    },
    'pipeline-unsettled': { reason: 'pipeline-unsettled' },
    'pipeline-stray': { reason: 'pipeline-stray', message: 'm', frames: [] },
    'pipeline-no-default': { reason: 'pipeline-no-default', file, exports: ['a'] },
    'pipeline-not-one': { reason: 'pipeline-not-one', file, what: 'a number' },
    'pipeline-invalid': {
      reason: 'pipeline-invalid',
      file,
      problems: [{ code: 'c', message: 'm', place: null }],
    },
    'sensor-threw': { reason: 'sensor-threw', sensor: 's', message: 'm', frames: [] },
    'sensor-timeout': { reason: 'sensor-timeout', sensor: 's', seconds: 1 },
    'sensor-cursor': { reason: 'sensor-cursor', sensor: 's', problem: 'page: it is no number' },
    'sensor-result': { reason: 'sensor-result', sensor: 's', problems: ['p'] },
    'sensor-stuck': { reason: 'sensor-stuck', sensor: 's', pid: 1, host: 'h', since: 't', seconds: 1 },
    'source-failed': { reason: 'source-failed', sensor: 's', failures: [{ name: 'n', error: 'e' }] },
    'sensor-interrupted': { reason: 'sensor-interrupted', sensor: 's' },
    'sensor-busy': { reason: 'sensor-busy', sensor: 's', pid: 1, host: 'h', since: 't' },
    'asset-threw': { reason: 'asset-threw', asset: 'a', key: text, message: 'm', frames: [] },
    'asset-timeout': { reason: 'asset-timeout', asset: 'a', key: text, ms: 1 },
    'not-yielded': { reason: 'not-yielded', asset: 'a', key: text },
    'wrong-yield': { reason: 'wrong-yield', asset: 'a', key: text, wrong: 'yielded a number' },
    'process-exited': { reason: 'process-exited', asset: 'a', key: text, code: 3 },
    'process-died': { reason: 'process-died', run: 'g-1', asset: 'a', key: text, how: 'SIGSEGV', said: 's' },
    'process-out-of-memory': { reason: 'process-out-of-memory', asset: 'a', key: text },
    'process-killed': { reason: 'process-killed', asset: 'a', key: text, ms: 1 },
    'process-unusable': { reason: 'process-unusable', asset: 'a', key: text, message: 'm' },
    'value-not-json': { reason: 'value-not-json', asset: 'a', key: text, path: 'value', why: 'is NaN' },
    'pool-invalid': { reason: 'pool-invalid', run: 'g-1', asset: 'a', key: text, why: 'nobody defined it' },
    'check-failed': {
      reason: 'check-failed',
      asset: 'a',
      key: text,
      wrong: [{ check: text, why: 'it is empty' }],
    },
    'check-threw': { reason: 'check-threw', asset: 'a', key: text, check: text, message: 'm', frames: [] },
    'check-timeout': { reason: 'check-timeout', asset: 'a', key: text, check: text, ms: 1 },
    'check-invalid': { reason: 'check-invalid', asset: 'a', key: text, check: text, returned: 'a number' },
    'mapping-failed': {
      reason: 'mapping-failed',
      asset: 'a',
      key: text,
      upstream: 'u',
      wrong: 'threw: m',
      frames: [],
    },
    'upstream-missing': { reason: 'upstream-missing', asset: 'a', key: text, upstream: 'u' },
    'upstream-failed': { reason: 'upstream-failed', run: 'g-1', asset: 'a', upstream: 'u' },
    'unknown-asset': { reason: 'unknown-asset', asset: 'a' },
    'run-blocked': {
      reason: 'run-blocked',
      pid: 17,
      host: 'h',
      since: '2026-01-01T00:00:00.000Z',
      runs: [{ id: 'g-1', assets: ['audio'], key: 'a' }],
    },
    'runs-lost': { reason: 'runs-lost', count: 2 },
    interrupted: { reason: 'interrupted', run: 'g-1', executions: 3 },
    canceled: { reason: 'canceled', why: 'w' },
    'state-empty': { reason: 'state-empty', file },
    'state-missing': { reason: 'state-missing', file },
    'state-not-json': { reason: 'state-not-json', file, cause: 'c' },
    'state-misshapen': { reason: 'state-misshapen', file, place: 'runs', expected: 'a list' },
    'state-newer': { reason: 'state-newer', file, schema: 3, supported: 2 },
    'state-older': { reason: 'state-older', file, schema: 1, oldest: 2 },
    'commit-unsynced': { reason: 'commit-unsynced', file, serial: 7, cause: 'c' },
    'state-moved': {
      reason: 'state-moved',
      place: file,
      move: { to: 'postgres://h/d', at: '2026-01-01T00:00:00.000Z', isOver: true },
    },
    'move-incomplete': { reason: 'move-incomplete', place: file, what: 'keys', found: 1, sent: 2 },
    'state-mounted': { reason: 'state-mounted', file },
    'items-too-large': { reason: 'items-too-large', bytes: 70_000_000, most: 64 * 1024 * 1024 },
    'state-too-large': { reason: 'state-too-large', file },
    'clock-unusable': { reason: 'clock-unusable', ms: 253_402_300_800_000 },
    'commit-unsure': { reason: 'commit-unsure', file, serial: 7 },
    'log-too-large': { reason: 'log-too-large', run: 'g-1', mebibytes: 128 },
    'file-in-the-way': { reason: 'file-in-the-way', file: 'F', why: 'W' },
    'state-io': { reason: 'state-io', file, action: 'write', cause: 'c' },
    'value-damaged': { reason: 'value-damaged', file, asset: 'a', key: text, cause: 'c' },
    'copy-unusable': { reason: 'copy-unusable', file, why: 'w' },
    database: { reason: 'database', code: 'database-unreachable', message: text, hint: text },
    'state-problems': { reason: 'state-problems', file, count: 2 },
  };
}

describe('the page for when something went wrong', () => {
  const page = fs.readFileSync(path.join(root, 'docs/when-something-went-wrong.md'), 'utf8');
  // Where a reader looks for a message: headings, and first cells of tables.
  const places = page.split('\n').flatMap((line) => (/^#|^\|/.test(line) ? [line.split(' | ')[0]!] : []));
  const things = ['set', 'sensor', 'asset', 'run'] as const;
  const all = Object.values(everyFailure('key')).flatMap<Failure>((failure) =>
    failure.reason === 'unknown-name'
      ? things.map((thing) => ({ ...failure, thing }))
      : failure.reason === 'database'
        ? DATABASE_CODES.map((code) => ({ ...failure, code }))
        : [failure],
  );

  it.each(all.map((failure) => [inWords(failure).code, failure] as const))('has a place for %s', (code) => {
    expect(places.filter((line) => line.includes(`(\`${code}\``))).not.toEqual([]);
  });

  it('has no place for what is never said', () => {
    // What is no failure but a mistake of dynpart's own has its place, too.
    const codes = new Set([...all.map((failure) => inWords(failure).code), 'bug']);
    const named = places.flatMap((line) =>
      [...line.matchAll(/\(`([a-z]+(?:-[a-z]+)*)`/g)].map(([, code]) => code!),
    );
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((code) => !codes.has(code))).toEqual([]);
  });
});

describe('the words for a failure', () => {
  it.each<[string, Failure]>(Object.entries(everyFailure('key')))(
    'of reason %s are whole',
    (reason, failure) => {
      expect(failure.reason).toBe(reason);
      const { code, message, hint } = inWords(failure);
      for (const text of [code, message, hint ?? 'none']) {
        expect(text).not.toBe('');
        expect(text).not.toMatch(/undefined|\[object|NaN,|\$\{/);
      }
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    },
  );

  it.each<[string, Failure]>(Object.entries(everyFailure(HOSTILE)))(
    'of reason %s hold no character that could disturb a terminal',
    (_, failure) => {
      const { message, hint } = inWords(failure);
      // oxlint-disable-next-line no-control-regex -- that is what is looked for; a line's end is ours
      expect(`${message}${hint}`).not.toMatch(DISTURBING);
    },
  );

  it('say what to do by the kind of a refusal, whatever its words are', () => {
    const refused = { reason: 'state-io', file: '/f', action: 'read', cause: 'c' } as const;
    const keys = { reason: 'keys-file', file: '/f', cause: 'c' } as const;
    const hints = [
      refused,
      { ...refused, kind: 'too-large' } as const,
      { ...refused, kind: 'no-hard-links' } as const,
      keys,
      { ...keys, kind: 'too-large' } as const,
    ].map((failure) => inWords(failure).hint);
    expect(hints).toEqual(
      [
        /check the disk/,
        /state restore --last$/,
        /a file system with hard links/,
        /^name a text file/,
        /^give them in several parts/,
      ].map((hint) => expect.stringMatching(hint)),
    );
  });

  it('name the run itself in the command that is about a run: it is to be pasted', () => {
    const hints = Object.values(everyFailure('key'))
      .filter((failure) => subjectOf(failure) === 'run')
      .flatMap((failure) => inWords(failure).hint?.match(/dynpart runs (?:retry|logs) .*/) ?? []);
    expect(hints).toHaveLength(4);
    for (const hint of hints) expect(hint).toMatch(/^dynpart runs (retry|logs) g-1$/);
  });

  it('name each thing by its own code', () => {
    const codes = (['set', 'sensor', 'asset', 'run'] as const).map(
      (thing) => inWords({ reason: 'unknown-name', thing, names: ['x'], nearest: [], known: 0 }).code,
    );
    expect(codes).toEqual(['unknown-set', 'unknown-sensor', 'unknown-asset', 'unknown-run']);
  });

  it('differ for one and for many', () => {
    expect(inWords({ reason: 'unknown-keys', sets: ['s'], keys: ['a'], nearest: [] }).message).toBe(
      `key "a" is not in set 's'`,
    );
    expect(inWords({ reason: 'unknown-keys', sets: ['s'], keys: ['a', 'b'], nearest: [] }).message).toBe(
      `keys "a", "b" are not in set 's'`,
    );
  });

  it('name the first of very many bad keys with their lines, and count the rest', () => {
    const keys = Array.from({ length: 1012 }, (_, at) => ({ key: 'x'.repeat(100), why: 'w', line: at + 1 }));
    const { message } = inWords({ reason: 'invalid-keys', source: 'keys.txt', keys });
    expect(message).toContain(`line 1: "${'x'.repeat(60)}…": w`);
    expect(message).toContain('line 1000:');
    expect(message).not.toContain('line 1001:');
    expect(message).toContain('and 12 more');
  });

  it('tell how to install a package that is missing, by its name', () => {
    const hint = (specifier: string): string | null =>
      inWords({ reason: 'pipeline-import-missing', file: '/f', place: 'p', specifier }).hint;
    expect(hint('@scope/name/deep')).toContain('npm install @scope/name');
    expect(hint('lodash')).toMatch(/npm install lodash$/);
    expect(hint('lodash/fp')).toMatch(
      /npm install lodash; where it is there, look at what stands behind its name$/,
    );
    expect(hint('dynpart/source')).toBe(
      "it has 'dynpart', 'dynpart/sources', 'dynpart/testing'; did you mean 'dynpart/sources'?",
    );
    expect(hint('./other.ts')).not.toContain('npm install');
  });

  it('are what a FailureError carries its failure for', () => {
    const error = new FailureError({ reason: 'sensor-interrupted', sensor: 's' });
    expect(error.message).toBe('sensor-interrupted');
    expect(inWords(error.failure).message).toContain("'s'");
  });
});

describe('a quoted text', () => {
  it('shows control and bidirectional characters as escapes', () => {
    expect(quoted('a\u001b\u202e\u2066\u009b\u200f\ufeffé"')).toBe(
      '"a\\u001b\\u202e\\u2066\\u009b\\u200f\\ufeffé\\""',
    );
  });

  it('is JSON, which comes back as it was', () => {
    for (const text of [HOSTILE, '', '\ud83d', '😀']) expect(JSON.parse(quoted(text))).toBe(text);
  });

  it('stands in a list of five at most, with a count of the rest', () => {
    expect(listed(['a', 'b'])).toBe('"a", "b"');
    expect(listed(['1', '2', '3', '4', '5', '6', '7'])).toBe('"1", "2", "3", "4", "5" and 2 more');
  });
});

it('names a run of which only its ID is known by that', () => {
  const failure = {
    reason: 'run-blocked',
    pid: 7,
    host: 'h',
    since: '2026-01-31T12:00:00.000Z',
    runs: [{ id: 'g-1', assets: [], key: null }],
  } as const;
  expect(inWords(failure).message).toContain('code of run g-1 has not let go');
});
