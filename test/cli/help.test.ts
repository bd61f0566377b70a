/** Help: every command, every flag of the design, nothing wider than its page. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Declaration } from '../../src/cli/command-line/declaration.ts';
import { EXAMPLES } from '../../src/cli/command-line/examples.ts';
import { readPlainly } from '../../src/cli/command-line/read-plainly.ts';
import { declared } from '../../src/cli/command-table.ts';
import { CapturedTerminal, runOn } from '../support/captured-terminal.ts';
import { root } from '../support/project.ts';

const GLOBAL = ['-f, --file', '--state', '--json', '-q, --quiet', '-v, --verbose', '--no-color', '--help'];

/** As in design/cli.md. */
const COMMANDS: readonly [string, readonly string[]][] = [
  ['init', ['--template']],
  ['partitions', []],
  ['partitions list', ['--prefix', '--status', '--asset', '--limit', '--after', '--count', '--json-lines']],
  ['partitions show', []],
  ['partitions add', ['--from', '--json-lines', '--materialize']],
  [
    'partitions remove',
    ['--from', '--older-than', '--keep-last', '--keep-out', '--purge', '--dry-run', '--json-lines'],
  ],
  ['partitions sync', ['--from', '--dry-run', '--allow-empty', '--max-remove', '--json-lines']],
  ['sensor', []],
  ['sensor list', []],
  ['sensor tick', ['--dry-run', '--due', '--no-run', '--if-busy', '--wait-timeout', '--concurrency']],
  ['sensor watch', ['--concurrency']],
  ['sensor start', []],
  ['sensor stop', []],
  ['sensor cursor', ['--set', '--clear']],
  ['sensor history', ['--limit']],
  [
    'materialize',
    [
      '--key',
      '--keys-from',
      '--all',
      '--missing',
      '--failed',
      '--prefix',
      '--add',
      '--order',
      '--limit',
      '--concurrency',
      '--fail-fast',
      '--dry-run',
      '--no-run',
      '--summary',
    ],
  ],
  ['value', []],
  ['value show', ['--key']],
  ['value path', ['--key']],
  ['worker', ['--once', '--concurrency']],
  ['runs', []],
  ['runs list', ['--status', '--key', '--asset', '--sensor', '--limit', '--after']],
  ['runs show', []],
  ['runs logs', ['--follow']],
  ['runs retry', ['--status', '--key', '--asset', '--sensor', '--concurrency']],
  ['runs cancel', ['--status', '--key', '--asset', '--sensor']],
  ['runs release', []],
  ['assets', []],
  ['assets list', []],
  [
    'assets mark',
    [
      '--as',
      '--key',
      '--keys-from',
      '--json-lines',
      '--all',
      '--missing',
      '--failed',
      '--stale',
      '--prefix',
      '--dry-run',
    ],
  ],
  ['why', ['--key']],
  ['status', ['--exit-code']],
  ['doctor', []],
  ['schedule', []],
  ['schedule cron', []],
  ['schedule systemd', []],
  ['explain', []],
  ['state', []],
  ['state check', []],
  ['state migrate', []],
  ['state move', ['--to', '--dry-run']],
  ['state export', []],
  ['state restore', []],
];

async function help(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runOn(new CapturedTerminal(), [...args, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

describe('--help', () => {
  it('of the tool names every command', async () => {
    const text = await help([]);
    for (const [command] of COMMANDS) expect(text).toContain(`  ${command.split(' ')[0]} `);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each(COMMANDS)('of %s names its flags and what every command has', async (command, flags) => {
    const text = await help(command.split(' '));
    expect(text).toMatch(new RegExp(`^Usage: dynpart ${command}\\b`));
    for (const flag of [...flags, ...GLOBAL]) expect(text).toMatch(new RegExp(`${flag}\\b`));
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    // Each flag has words.
    for (const [, rest] of text.matchAll(/^ {2}-[^ ].*?(?: {2,}(.*))?$/gm)) expect(rest ?? '').not.toBe('');
  });

  it('of a group lists what is in it', async () => {
    for (const group of ['partitions', 'sensor', 'value', 'runs', 'assets', 'state']) {
      const text = await help([group]);
      for (const [command] of COMMANDS)
        if (command.startsWith(`${group} `))
          expect(text).toMatch(new RegExp(`^ {2}${command.split(' ')[1]}\\b`, 'm'));
    }
  });

  it('is what help as a word asks for, too', async () => {
    for (const words of [[], ['runs'], ['runs', 'logs']]) {
      const asked = await runOn(new CapturedTerminal(), ['help', ...words]);
      expect([asked.code, asked.stdout, asked.stderr]).toEqual([0, await help(words), '']);
    }
    const { code, stdout } = await runOn(new CapturedTerminal(), ['help', 'runs', '--json']);
    expect([code, JSON.parse(stdout).help]).toEqual([0, (await help(['runs'])).trimEnd()]);
  });

  it('is written to stderr with exit code 2 where a command is missing', async () => {
    for (const args of [[], ['partitions']]) {
      const { code, stdout, stderr } = await runOn(new CapturedTerminal(), args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('Usage: dynpart');
    }
  });

  it('is near where a name or flag was mistyped', async () => {
    expect((await runOn(new CapturedTerminal(), ['materialise'])).stderr).toContain('materialize');
    expect((await runOn(new CapturedTerminal(), ['sensor', 'tikc'])).stderr).toContain('tick');
    expect((await runOn(new CapturedTerminal(), ['status', '--exitcode'])).stderr).toContain('--exit-code');
  });

  it.each([
    ['tick', 'did you mean dynpart sensor tick?'],
    ['cancel x', 'did you mean dynpart runs cancel?'],
    ['partitions rm', 'did you mean dynpart partitions remove?'],
    ['version', 'did you mean dynpart --version?'],
    [
      'partitions remove feeds --key k1',
      'an argument here, without --key: dynpart partitions remove SET KEY',
    ],
    ['partitions add s --keys k', 'an argument here, without --keys: dynpart partitions add SET KEY'],
    ['materialize --assets a', 'an argument here, without --assets: dynpart materialize ASSET'],
    ['runs logs --run x', 'an argument here, without --run: dynpart runs logs ID'],
    ['runs cancel --run-id x', 'an argument here, without --run-id: dynpart runs cancel ID'],
    ['state export --output x', 'an argument here, without --output: dynpart state export FILE'],
    ['materialize --partition k', 'did you mean --key?'],
    ['sensor tick --dry', 'did you mean --dry-run?'],
    ['partitions list s --stat failed', 'did you mean --status?'],
    ['json', 'did you mean dynpart COMMAND --json?'],
    ['json status', 'did you mean dynpart status --json?'],
    ['runs json', 'did you mean dynpart runs COMMAND --json?'],
    ['quiet sensor tick feed', 'did you mean dynpart sensor tick feed --quiet?'],
    ['html', 'did you mean dynpart status --html FILE?'],
    ['exit-code', 'did you mean dynpart status --exit-code?'],
    ['failed', 'did you mean dynpart materialize --failed or dynpart assets mark --failed?'],
    ['runs ls', 'did you mean dynpart runs list?'],
    ['runs delete', 'did you mean dynpart partitions remove?'],
    ['status --failed', '--failed belongs to dynpart materialize, dynpart assets mark'],
    ['help runs lgos', "unknown command 'lgos'"],
    ['why a k', 'did you mean dynpart why a --key k?'],
    ['value show a k $x', "did you mean dynpart value show a --key k --key '$x'?"],
    ['check other.ts', 'did you mean dynpart check -f other.ts?'],
    ['value a', 'did you mean dynpart value show a?'],
    ['runs 0mabc-1', 'did you mean dynpart runs show 0mabc-1?'],
    ['sensor feed', 'did you mean dynpart sensor tick feed?'],
    ['partitions episodes', 'did you mean dynpart partitions list episodes?'],
    ['assets mark a', 'see: dynpart assets mark --help'],
    ['explain', 'for example: dynpart explain upstream-missing'],
    ['materialize --key', 'for example: dynpart materialize --key KEY'],
    ['sensor cursor feed --set', 'for example: dynpart sensor cursor SENSOR --set VALUE'],
    ['runs list --status', 'for example: dynpart runs list --status STATUS'],
    ['status -f', 'for example: dynpart status --file FILE'],
    ['--state', 'for example: dynpart --state FILE'],
    ['init a b', 'see: dynpart init --help'],
    ['partitions list s --key k', 'and others'],
    ['status --status failed', '--status belongs to dynpart partitions list, dynpart runs list'],
    [
      'partitions show episodes',
      'for example: dynpart partitions show SET KEY; to find one: dynpart partitions list SET',
    ],
    ['sensor run feed', 'did you mean dynpart sensor tick?'],
    ['--json help sensor tick', 'did you mean dynpart sensor tick --help?'],
    ['runs logs', 'for example: dynpart runs logs ID; to find one: dynpart runs list'],
    [
      'runs cancel',
      'for example: dynpart runs cancel ID, or dynpart runs cancel --status QUEUED; to find one: dynpart runs list',
    ],
    ['partitions remove', 'for example: dynpart partitions remove SET; to find one: dynpart partitions list'],
    ['sensor start -q', 'for example: dynpart sensor start SENSOR; to find one: dynpart sensor list'],
    ['runs list --status failed', 'did you mean --status FAILURE?'],
    ['runs list --status succeeded', 'did you mean --status SUCCESS?'],
    ['runs list --status queue', 'did you mean --status QUEUED?'],
    ['runs list --status no', 'for example: --status QUEUED'],
  ])('of what was meant by %s', async (line, hint) => {
    const { code, stdout, stderr } = await runOn(new CapturedTerminal(), line.split(' '));
    expect(code).toBe(2);
    expect(stdout + stderr).toContain(hint);
  });

  it('that is prepared for a quick start is what the program says', async () => {
    const prepared = fs.readFileSync(path.join(root, 'dist/help.txt'), 'utf8');
    expect(prepared).toBe(await help([]));
    expect(prepared).toContain('partitions');
  });

  it('of --state says that a state may be in PostgreSQL', async () => {
    expect(await help([])).toMatch(/--state <file> +the state: a file or postgres:/);
  });

  it('of a group has its commands before the flags that all commands have', async () => {
    for (const group of [[], ['partitions'], ['sensor'], ['runs'], ['assets'], ['state'], ['completion']]) {
      const text = await help(group);
      const at = (heading: string): number => text.indexOf(`\n${heading}:\n`);
      expect(at('Commands')).toBeGreaterThan(0);
      expect(at('Commands')).toBeLessThan(Math.min(at('Options'), at('Global options')));
      // Moved, not copied.
      expect(text.match(/^Commands:$/gm)).toHaveLength(1);
    }
  });

  it('ends with an example that can be typed', async () => {
    const program = await declared([
      ...new Set(COMMANDS.map(([name]) => name.split(' ')[0]!)),
      'check',
      'ui',
      'completion',
    ]);
    const paths: string[] = [];
    const walk = (command: Declaration, words: readonly string[]): void => {
      paths.push(words.join(' '));
      for (const below of command.commands) if (!below.isHidden) walk(below, [...words, below.name]);
    };
    walk(program, []);
    expect(Object.keys(EXAMPLES).sort()).toEqual(paths.sort());
    for (const [command, lines] of Object.entries(EXAMPLES)) {
      const text = await help(command === '' ? [] : command.split(' '));
      expect(text).toMatch(/^Examples?:$/m);
      for (const line of lines) {
        expect(text).toContain(`\n  ${line}\n`);
        const [, typed] = /\bdynpart ([^|)>]+)/.exec(line)!;
        expect([line, readPlainly(program, typed!.trim().split(' '))]).toEqual([line, expect.anything()]);
      }
    }
  });

  it.each([
    ['--help', '--json'],
    ['--json', '--help'],
    ['runs', 'list', '--json', '--help'],
    ['runs', '--help', '--json'],
  ])('is one JSON document with --json: %s %s %s %s', async (...args) => {
    const words = args.filter((arg) => arg !== undefined);
    const { code, stdout, stderr } = await runOn(new CapturedTerminal(), words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const text = await help(words.filter((word) => !word.startsWith('--')));
    expect(JSON.parse(stdout)).toEqual({ help: text.trimEnd() });
  });

  it('has a version beside it, which is JSON, too', async () => {
    const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
    const { code, stdout } = await runOn(new CapturedTerminal(), ['--version', '--json']);
    expect({ code, document: JSON.parse(stdout) }).toEqual({ code: 0, document: { version } });
  });
});
