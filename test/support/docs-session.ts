/**
 * The commands that a page shows, given in a folder as its reader would, and what they print held against what is shown.
 * Run ids, times, durations and process ids are by chance: an id or a time of the page means the one that stands in its place.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'vitest';
import { systemClock } from '../../src/cli/system-clock.ts';
import { CapturedTerminal, runOn } from './captured-terminal.ts';
import { binary, type Project, root } from './project.ts';

export interface Shown {
  readonly line: string;
  readonly output: string;
}

/** The commands of a block that is `console`, each with what stands below it. */
export function commandsOf(block: string): Shown[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return { line: part.slice(0, end), output: part.slice(end + 1) };
    });
}

/** As a shell does: words, and quotes around some. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, one, two, three]) => one ?? two ?? three!);

const RUN = /\b0m[0-9a-z]{13}-\d+\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\d[.-]\d{3}Z/g;
const NAMED = new RegExp(`${RUN.source}|${TIME.source}`, 'g');

/** What is by chance, as words; blanks that a column has for it count once. */
const withoutChance = (text: string): string =>
  text
    .replaceAll(RUN, 'RUN')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+\/\S*/g, 'ADDRESS')
    .replaceAll(/\bruns show ID\b/g, 'runs show RUN')
    .replaceAll(/\b(serial|generation) \d+/g, '$1 N')
    .replaceAll(TIME, 'TIME')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]*…/g, 'TIME…')
    .replaceAll(/\b\d+(?:\.\d+)? (?:ms|s|min|h)\b/g, 'N s')
    .replaceAll(/\bprocess \d+ on \S+/g, 'process N on HOST')
    .replaceAll(/ {2,}/g, '  ')
    .trimEnd();

/** A line that is `…` stands for any lines. */
function matches(printed: string, shown: string): boolean {
  const escaped = shown.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/^…$/gm, '[^]*');
  return new RegExp(`^${escaped}$`).test(printed);
}

export interface SessionOptions {
  /** Places of the page, and where they are in the project's folder. */
  readonly places?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

export class Session {
  readonly project: Project;
  readonly #places: readonly (readonly [string, string])[];
  readonly #env: Readonly<Record<string, string>>;
  /** What the page calls it → what it is here. */
  readonly #names = new Map<string, string>();
  /** A folder of programs. */
  readonly programs: string;

  constructor(project: Project, { places = { '/srv/orders': '' }, env = {} }: SessionOptions = {}) {
    this.project = project;
    this.#places = Object.entries(places).map(([place, name]) => [place, path.join(project.folder, name)]);
    for (const [, folder] of this.#places) fs.mkdirSync(folder, { recursive: true });
    this.programs = programsIn(project.path('.programs'));
    this.#env = {
      PATH: `${this.programs}:${process.env['PATH']}`,
      NO_COLOR: '1',
      HOME: project.folder,
      XDG_CACHE_HOME: path.join(os.tmpdir(), 'dynpart-test-cache'),
      ...project.environment,
      ...env,
    };
  }

  /** Gives a command, and holds what it prints against what is shown below it. */
  async run({ line, output }: Shown): Promise<void> {
    const { code, text } = await this.#printed(this.#here(line));
    const printed = this.#asShown(text);
    // Where nothing is shown, or something is left out, there is nothing to compare: but it has to go well.
    const isFailure = /^(?:error|failed|sensor .* failed|jq): |\bfailed in\b/m.test(output);
    expect
      .soft([line, isFailure ? 'fails' : 0, printed])
      .toEqual([line, isFailure && code !== 0 ? 'fails' : code, printed]);
    const [is, should] = [withoutChance(printed), withoutChance(output)];
    if (output !== '' && !matches(is, should)) expect.soft(`$ ${line}\n${is}`).toBe(`$ ${line}\n${should}`);
    const [shown, real] = [output.match(NAMED) ?? [], text.match(NAMED) ?? []];
    if (shown.length === real.length)
      for (const [at, name] of shown.entries()) this.#names.set(name, real[at]!);
  }

  /** A whole script, which has to go well. @returns what it prints */
  script(text: string): string {
    const { code, text: printed } = this.#inShell(this.#here(text), ['-e']);
    expect([text, code, printed]).toEqual([text, 0, printed]);
    return this.#asShown(printed);
  }

  /** Says what the page calls a run or a time that is there already. */
  name(shown: string, real: string): void {
    this.#names.set(shown, real);
  }

  #here(line: string): string {
    let text = line;
    for (const [shown, real] of [...this.#names, ...this.#places]) text = text.replaceAll(shown, real);
    return text;
  }

  #asShown(text: string): string {
    let shown = text;
    for (const [place, folder] of this.#places) shown = shown.replaceAll(folder, place);
    return shown;
  }

  async #printed(line: string): Promise<{ code: number | null; text: string }> {
    const [, rest] = /^(?:dynpart|node bin\/dynpart\.cjs) (.*)$/.exec(line) ?? [];
    if (line.includes('npm ')) return this.#onTerminal(line);
    const isPlain = rest !== undefined && !/[|<>;&$`]/.test(rest.replaceAll(/'[^']*'/g, ''));
    if (!isPlain) return this.#inShell(line, []);
    const { folder: cwd } = this.project;
    const terminal = new CapturedTerminal({ isTerminal: true, cwd, env: this.#env });
    const { code } = await runOn(terminal, wordsOf(rest), systemClock);
    return { code, text: stripVTControlCharacters(terminal.both.text) };
  }

  /** For programs that are no processes of ours: they see a terminal, one that draws nothing over. */
  #onTerminal(line: string): { code: number | null; text: string } {
    const { status, stdout } = spawnSync('script', ['-qec', `stty cols 80; ${line}`, '/dev/null'], {
      cwd: this.project.folder,
      env: { ...this.#env, TERM: 'dumb', npm_config_update_notifier: 'false' },
      encoding: 'utf8',
    });
    return { code: status, text: stripVTControlCharacters(stdout).replaceAll('\r\n', '\n') };
  }

  #inShell(text: string, flags: readonly string[]): { code: number | null; text: string } {
    const { status, stdout } = spawnSync('sh', [...flags, '-c', `exec 2>&1\n${text}`], {
      cwd: this.project.folder,
      env: this.#env,
      encoding: 'utf8',
    });
    return { code: status, text: stdout };
  }
}

/** A program that a page takes to be there. */
export function stub({ programs }: Session, name: string, text: string): void {
  fs.writeFileSync(path.join(programs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** `dynpart` on the path, and an `npm` that has nothing to install. */
function programsIn(folder: string): string {
  fs.mkdirSync(folder);
  const program = (name: string, text: string): void =>
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  program('dynpart', `exec '${process.execPath}' '${binary}' "$@"`);
  program('npm', `case "$1" in ci) ;; *) PATH="\${PATH#*:}"; exec npm "$@" ;; esac`);
  return folder;
}

/** As a fresh clone: what `npm run example` needs of the repository. */
export function clone(project: Project): void {
  for (const name of ['bin', 'dist', 'templates', 'docs', 'node_modules'])
    fs.symlinkSync(path.join(root, name), project.path(name));
  for (const name of ['package.json', 'pipeline.example.ts', 'examples'])
    fs.cpSync(path.join(root, name), project.path(name), { recursive: true });
}
