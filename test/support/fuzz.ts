/** What every fuzz test shares: how many inputs it tries, a pipeline with something of everything, and what holds for any command. */
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { CapturedTerminal, type Ran, runOn, type TerminalOptions } from './captured-terminal.ts';
import { FakeClock } from './fake-clock.ts';
import { Project } from './project.ts';

const FACTOR = Math.max(1, Number(process.env['DYNPART_RUNS'] ?? 1) || 1);

/** The number of inputs to try: `DYNPART_RUNS` multiplies it. */
export function tries(count: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(count * FACTOR) };
}

/** The time that a fuzz test may take: longer where it tries more. */
export const PATIENCE_MS = 180_000 * FACTOR;

/** Told by Unicode's own properties, so that the list in the code is not checked against itself. */
export const HOSTILE = /[^\P{Cc}\n\t]|[\p{Zl}\p{Zp}\p{Bidi_C}]/u;

/** A terminal without colours: every escape on it comes from outside. */
export const ON_A_TERMINAL: TerminalOptions = { isTerminal: true, env: { NO_COLOR: '1' } };

/** Assets with and without partitions, one that fails, two sensors, two sets: a state of it has something of everything. */
export const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const things = dynamicPartitions('things');
const copies = dynamicPartitions('copies');
const one = asset({ name: 'one', partitions: things, materialize: ({ partitionKey, log }) => { log.info('made ' + partitionKey); return { partitionKey }; } });
const echo = asset({
  name: 'echo',
  partitions: things,
  inputs: { one },
  materialize({ partitionKey, inputs }) {
    if (inputs.one?.partitionKey !== partitionKey) throw new Error('the value of another key: ' + JSON.stringify(inputs.one ?? null));
  },
});
const fails = asset({ name: 'fails', partitions: copies, materialize({ partitionKey }) { throw new Error('never ' + partitionKey); } });
const report = asset({ name: 'report', materialize: () => 1 });
const feed = sensor({
  name: 'feed',
  assets: [one, echo],
  evaluate: ({ cursor, lastTickAt }) => {
    if (lastTickAt !== null && Number.isNaN(lastTickAt.getTime())) throw new Error('lastTickAt is no time');
    return {
      cursor: 'c' + (Number(cursor?.slice(1) ?? 0) + 1),
      dynamicPartitionsRequests: [things.buildAddRequest(['new', 'a'])],
      runRequests: [{ partitionKey: 'new', runKey: 'new' }, { partitionKey: 'a', runKey: 'again', tags: { why: 'again' } }],
    };
  },
});
const lazy = sensor({ name: 'lazy', assets: [report], evaluate: () => ({ skipReason: 'nothing to do' }) });
export default definePipeline({ assets: [one, echo, fails, report], sensors: [feed, lazy] });
`;

export class FuzzProject extends Project {
  /** One for all commands: ids come from it. */
  readonly clock = new FakeClock();

  constructor() {
    super({ 'pipeline.ts': PIPELINE });
  }

  /** A command in this process. */
  run(args: readonly string[], options: TerminalOptions = {}): Promise<Ran> {
    const env = { HOME: this.folder, XDG_CACHE_HOME: this.path('.cache'), ...options.env };
    this.clock.time += 60_000;
    return runOn(new CapturedTerminal({ cwd: this.folder, ...options, env }), args, this.clock);
  }

  /** A command that must succeed, or at least end with the code that is expected of it. */
  async must(args: readonly string[], code = 0, options: TerminalOptions = {}): Promise<Ran> {
    const ran = await this.run(args, options);
    expect([args, ran.code, ran.stderr]).toEqual([args, code, expect.any(String)]);
    return ran;
  }

  /** A state with keys, kept-out keys, spent run keys, statuses, queued runs, cursors, history, logs and values. */
  async fill(): Promise<void> {
    await this.must(['partitions', 'add', 'things', 'a', 'b', 'c']);
    await this.must(['partitions', 'add', 'copies', 'x', 'y']);
    await this.must(['sensor', 'tick']);
    await this.must(['materialize', 'fails', '--key', 'x'], 1);
    await this.must(['materialize', 'report']);
    await this.must(['materialize', 'one', 'echo', '--key', 'b', '--no-run']);
    await this.must(['materialize', 'fails', '--key', 'y', '--no-run']);
    await this.must(['partitions', 'remove', 'things', 'c', '--keep-out']);
    await this.must(['sensor', 'stop', 'lazy']);
    await this.must(['state', 'check']);
  }

  get stateFolder(): string {
    return this.path('.dynpart');
  }

  /** The state folder as it is now, to be put back by `putBack`. */
  remember(): ReadonlyMap<string, Buffer> {
    const files = new Map<string, Buffer>();
    for (const entry of fs.readdirSync(this.stateFolder, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (entry.isFile()) files.set(path.relative(this.stateFolder, file), fs.readFileSync(file));
    }
    return files;
  }

  /** Files that are not what they were are written anew, others removed. */
  putBack(files: ReadonlyMap<string, Buffer>): void {
    const now = this.remember();
    for (const name of now.keys()) if (!files.has(name)) fs.rmSync(path.join(this.stateFolder, name));
    for (const [name, content] of files) {
      const file = path.join(this.stateFolder, name);
      if (now.get(name)?.equals(content) && name !== 'state.json') continue;
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.rmSync(file, { force: true });
      fs.writeFileSync(file, content);
    }
  }
}

/** What is wrong with how a command ended, whatever it was given; empty when nothing is. */
export function offences(args: readonly string[], { code, stdout, stderr }: Ran): string[] {
  const found: string[] = [];
  const said = `${stdout}\n${stderr}`;
  if (![0, 1, 2, 3, 4, 5, 10].includes(code)) found.push(`exit code ${code}`);
  if (/this is a bug|node:internal|"code":"bug"/.test(said)) found.push('a bug report');
  // A sensor or asset of ours throws no such thing: it came out of dynpart.
  if (
    /TypeError|RangeError|is not (?:a function|iterable)|\bundefined\b|\[object Object\]|\bNaN\b/.test(said)
  )
    found.push('words of a programming error');
  if (HOSTILE.test(said)) found.push('characters that must not reach a terminal');
  const end = args.indexOf('--');
  if ((end === -1 ? args : args.slice(0, end)).includes('--json')) {
    const lines = stdout.split('\n');
    if (lines.length !== 2 || lines[1] !== '' || !isObject(lines[0]!))
      found.push('not exactly one JSON document');
  } else if (code === 5 && !/\S/.test(stderr)) found.push('exit 5 without a word');
  return found;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
