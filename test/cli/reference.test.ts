/** docs/reference.md beside `--help`: every command has a row, every flag is in its row, and no flag is named that is not there. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Declaration, DeclaredOption } from '../../src/cli/command-line/declaration.ts';
import { GLOBAL_OPTIONS } from '../../src/cli/command-line/global-options.ts';
import { declaredAll } from '../../src/cli/command-table.ts';
import { type ExitCode, worst } from '../../src/cli/exit-code.ts';
import { root } from '../support/project.ts';

const page = fs.readFileSync(path.join(root, 'docs/reference.md'), 'utf8');
const section = (heading: string): string =>
  new RegExp(`^## ${heading}$(.*?)(?=^## |(?![^]))`, 'ms').exec(page)![1]!;

const namesIn = (text: string): string[] => [...new Set(text.match(/--[a-z][a-z-]*/g) ?? [])].toSorted();
const namesOf = (options: readonly DeclaredOption[]): string[] =>
  options.flatMap(({ flags }) => namesIn(flags)).toSorted();

/** The rows of the tables of commands, by the words of each command: `sensor start` and `sensor stop` share one. */
const rows = section('Commands')
  .split('\n')
  .flatMap((line) => {
    const [, first, rest] = /^\| (`.*?`) \| (.*) \|$/.exec(line.replaceAll('\\|', '\\')) ?? [];
    if (first === undefined) return [];
    return [...first.matchAll(/`([^`]*)`/g)].map(([, words]) => ({
      words: words!,
      text: `${words} ${rest}`,
    }));
  });

const commands: { readonly words: string; readonly command: Declaration }[] = [];
const visit = (command: Declaration, words: readonly string[]): void => {
  if (command.handler !== null && !command.isHidden) commands.push({ words: words.join(' '), command });
  for (const below of command.commands) visit(below, [...words, below.name]);
};
visit(await declaredAll(), []);

describe('the reference', () => {
  it.each(commands.filter(({ words }) => !words.startsWith('completion ')))(
    'has $words, with all of its flags',
    ({ words, command }) => {
      const own = rows.filter((row) => row.words === words || row.words.startsWith(`${words} `));
      expect(own.length).toBeGreaterThan(0);
      const named = namesIn(own.map(({ text }) => text).join(' '));
      expect(namesOf(command.options).filter((name) => !named.includes(name))).toEqual([]);
    },
  );

  it('has a row for nothing else', () => {
    const known = commands.map(({ words }) => words.replace(/^completion .*/, 'completion'));
    const odd = rows.filter(
      ({ words }) => !known.some((one) => words === one || words.startsWith(`${one} `)),
    );
    expect(odd.map(({ words }) => words)).toEqual([]);
  });

  it('names no flag that is not there', () => {
    const all = [...namesOf(GLOBAL_OPTIONS), ...commands.flatMap(({ command }) => namesOf(command.options))];
    const named = namesIn(section('Commands') + section('Global flags') + section('JSON'));
    // --strange is a key of the page's example.
    expect(named.filter((name) => !all.includes(name) && name !== '--strange')).toEqual(['--help']);
  });

  it('has every global flag', () => {
    const table = section('Global flags');
    for (const name of namesOf(GLOBAL_OPTIONS)) expect(table).toContain(`\`${name}`);
  });

  it('has the exit codes, and which of several wins', () => {
    const text = section('Exit codes');
    const [, list = ''] = /the first of ([\d, ]+) wins/.exec(text) ?? [];
    const order = list.split(', ').map((code) => Number(code) as ExitCode);
    for (const [index, code] of order.entries())
      for (const later of [...order.slice(index), 0 as const]) expect(worst([later, code])).toBe(code);
    const table = [...text.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes]) => codes!.trim().split(', '));
    expect(new Set(table.map(Number))).toEqual(new Set([0, ...order]));
  });
});
