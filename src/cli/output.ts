/** What a command says: its result and data on stdout, talk on stderr, and the exit code that comes of it. */
import { describe } from '../model/describe-failure.ts';
import type { Failure } from '../model/failure.ts';
import type { Problem } from '../model/problem.ts';
import { clean, toJson } from '../model/text.ts';
import { type Clock, isoTime } from '../model/time.ts';
import { type ExitCode, exitCodeOf, worst } from './exit-code.ts';
import { noPaint, type Paint, paintFor } from './render/paint.ts';
import { clockTime, shortTime } from './render/short-time.ts';
import { records, type Table } from './render/records.ts';
import type { Result, Results } from './json-results.ts';
import { toPaste } from './printed-commands.ts';
import type { Terminal } from './terminal.ts';

/** How much is said, and in which form. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
}

export interface OutputParts {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly options: OutputOptions;
  /** Of printed commands: see `flagsToPrint`. */
  readonly flags?: readonly string[];
}

export class Output {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly options: OutputOptions;
  readonly #flags: readonly string[];
  readonly #codes = new Set<ExitCode>();
  #talk: (write: () => void) => void = (write) => write();
  #stampsTalk = false;
  #drained = false;
  #documentToPaste: (document: object) => object = (document) => document;
  #before: Partial<Result> = {};
  #error: Problem | null = null;
  #paint: { readonly stdout: Paint; readonly stderr: Paint } = { stdout: noPaint, stderr: noPaint };

  constructor({ terminal, clock, options, flags = [] }: OutputParts) {
    this.terminal = terminal;
    this.clock = clock;
    this.options = options;
    this.#flags = flags;
  }

  get paint(): { readonly stdout: Paint; readonly stderr: Paint } {
    return this.#paint;
  }

  async prepare(): Promise<void> {
    const { terminal, options } = this;
    if (options.json && this.#flags.length > 0) {
      const { documentToPaste } = await import('./printed-document.ts');
      this.#documentToPaste = (document) => documentToPaste(document, this.#flags);
    }
    this.#paint = {
      stdout: await paintFor(terminal.stdout, terminal, options.color),
      stderr: await paintFor(terminal.stderr, terminal, options.color),
    };
  }

  /** The exit code will be at least as bad as this one. */
  exitWith(code: ExitCode): void {
    this.#codes.add(code);
  }

  /** It was told to stop, and that is how it ends well. */
  drained(): void {
    this.#drained = true;
  }

  /** The exit code of the whole command. @param signal that of the signal which interrupted it, if one did */
  exitCode(signal: ExitCode | null): ExitCode {
    if (this.#drained) return 0;
    return worst([...this.#codes, ...(signal === null ? [] : [signal])]);
  }

  /**
   * The commands in it as they can be pasted. Hints, talk and documents are made so here: this is for what is printed otherwise, before it
   * is drawn.
   */
  toPaste(text: string): string {
    return toPaste(text, this.#flags);
  }

  /** Data: stdout. With `--json` the document takes its place. */
  print(text: string): void {
    if (!this.options.json) this.terminal.stdout.write(text);
  }

  async table(table: Table): Promise<void> {
    const { stdout } = this.terminal;
    if (this.options.json) return;
    if (stdout.isTerminal)
      await (await import('./render/table.ts')).writeTable(stdout, this.paint.stdout, table);
    else stdout.write(records(table));
  }

  /** A time as data shows it: short and local for a person, ISO 8601 for a pipe. */
  when(time: string): string {
    return this.terminal.stdout.isTerminal ? shortTime(time, this.clock.now()) : time;
  }

  /** What is done already, so that a failure from here on does not hide it. Parts add up; the result takes their place. */
  soFar(part: Result): void {
    this.#before = { ...this.#before, ...part };
  }

  /**
   * With `--json`: exactly one document, whatever happened.
   * @param result `null`: the command has printed lines; `undefined`: it failed before it had a result
   */
  printResult(result: Result | null | undefined): void {
    if (!this.options.json || (result === null && this.#error === null)) return;
    this.#document({ ...(result ?? this.#before), ...(this.#error !== null && { error: this.#error }) });
  }

  /** One document a line, for commands that do not end by themselves. */
  printLine(line: Results['sensor watch, worker' | 'runs logs --follow' | 'ui']): void {
    this.#document(line);
  }

  /** Everything that is said goes through this, so that it does not run into a line that is redrawn. */
  talkThrough(talk: (write: () => void) => void): void {
    this.#talk = talk;
  }

  /** From now on, everything that is said says when: for commands that do not end by themselves. */
  stampTalk(): void {
    this.#stampsTalk = true;
  }

  /** Talk: stderr. What comes from outside is made fit for a terminal by who says it, since colours are its to add. */
  say(text: string): void {
    if (!this.options.quiet) this.sayAlways(text);
  }

  /** Talk that `--quiet` does not silence: errors. With `--json` it belongs into the document. */
  sayAlways(text: string): void {
    if (!this.options.json) this.#write(text);
  }

  /** Whether a person is there, or `--verbose` was given: else what is only talk need not be looked up. */
  get chats(): boolean {
    return this.terminal.stderr.isTerminal || this.options.verbose;
  }

  /** Talk for a person at a terminal, or with `--verbose`; cron does not want to hear it. */
  chat(text: string): void {
    if (this.chats) this.say(this.toPaste(text));
  }

  /** What is said with `--verbose`. */
  note(text: string): void {
    if (this.options.verbose) this.#write(clean(text));
  }

  warn(message: string): void {
    if (!this.options.quiet)
      this.#write(`${this.#paint.stderr.warn('warning:')} ${clean(this.toPaste(message))}`);
  }

  /** Words a failure. */
  sayProblem({ message, hint }: Problem): void {
    const paint = this.#paint.stderr;
    const more = hint === null ? '' : `\n${paint.dim(`  ${clean(this.toPaste(hint))}`)}`;
    this.sayAlways(`${paint.bad('error:')} ${clean(message)}${more}`);
  }

  #document(document: object): void {
    this.terminal.stdout.write(`${toJson(this.#documentToPaste(document))}\n`);
  }

  #write(text: string): void {
    const { stderr } = this.terminal;
    const now = this.clock.now();
    const stamp = this.#stampsTalk ? `${stderr.isTerminal ? clockTime(now) : isoTime(now)} ` : '';
    this.#talk(() => stderr.write(`${stamp}${text}\n`));
  }

  /** A failure that ends the command. */
  fail(failure: Failure): void {
    const problem = describe(failure);
    this.sayProblem(problem);
    this.endWith(problem, exitCodeOf(failure));
  }

  /** The result holds this error, and the exit code is at least as bad as this one. */
  endWith(error: Problem, code: ExitCode): void {
    this.#error = error;
    this.exitWith(code);
  }
}
