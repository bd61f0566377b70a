/** What every command works with: resolved options, the state, the pipeline, and where its result goes. */
import fs from 'node:fs';
import { describe } from '../model/failure-words.ts';
import type { Problem } from '../model/problem.ts';
import { clean, shellQuoted, toJson } from '../model/text.ts';
import { fail, FailureError, type Failure } from '../model/failure.ts';
import type { NamedThing } from '../model/failures/usage.ts';
import { nearest } from '../model/nearest.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import { describeThrown } from '../model/thrown.ts';
import { type Clock, isoTime } from '../model/time.ts';
import { remembering } from '../engine/plan/remembering.ts';
import type { LoadedPipeline } from '../loader/load-pipeline.ts';
import { findPipelineFile, isAsStamped } from '../loader/pipeline-file.ts';
import type { HistoryRetention } from '../model/history-retention.ts';
import type { KnownPipeline, StateIdentity } from '../model/known-pipeline.ts';
import { openToOthers } from '../files/open-to-others.ts';
import type { Needs } from '../state/needs.ts';
import type { StateView } from '../state/slice.ts';
import type { Plan } from '../state/store.ts';
import { packFileFor } from './cache-folder.ts';
import { type ExitCode, exitCodeOf, worst } from './exit-code.ts';
import type { Interrupts } from './interrupts.ts';
import type { UserPipeline } from './load-user-pipeline.ts';
import { namedStateFile, ownStateFile, usualStateFile } from './state-place.ts';
import { type LocalStore, openStore } from './stores.ts';
import type { GlobalOptions } from './command-line/global-options.ts';
import { noPaint, type Paint, paintFor } from './render/paint.ts';
import { clockTime, shortTime } from './render/short-time.ts';
import { writeTable } from './render/table.ts';
import type { Terminal } from './terminal.ts';
import { admit, type PipelineInUse, stateFileOf } from './whose-state.ts';

export interface ContextParts {
  readonly terminal: Terminal;
  readonly options: GlobalOptions;
  readonly clock: Clock;
  readonly interrupts: Interrupts;
  readonly version: string;
  /** Where dynpart itself was started from. */
  readonly ownFolder: string;
}

export class Context {
  readonly terminal: Terminal;
  readonly options: GlobalOptions;
  readonly clock: Clock;
  readonly interrupts: Interrupts;
  readonly version: string;
  readonly ownFolder: string;
  /** What `--json` prints: filled as the command goes, so that an error does not hide what was done before it. */
  readonly document: Record<string, unknown> = {};
  readonly #codes = new Set<ExitCode>();
  #talk: (write: () => void) => void = (write) => write();
  #stampsTalk = false;
  readonly #file: string | null;
  /** `undefined` until it was looked for. */
  #stateFile: string | FailureError | undefined;
  #admitsAll = false;
  #loads = true;
  #store: LocalStore | undefined;
  #loaded: Promise<LoadedPipeline> | undefined;
  #history: HistoryRetention = {};
  #drained = false;
  #lines = false;
  #paint: { readonly stdout: Paint; readonly stderr: Paint } = { stdout: noPaint, stderr: noPaint };

  constructor({ terminal, options, clock, interrupts, version, ownFolder }: ContextParts) {
    this.terminal = terminal;
    this.options = options;
    this.clock = clock;
    this.interrupts = interrupts;
    this.version = version;
    this.ownFolder = ownFolder;
    this.#file = this.#pipelineFileIfAny();
  }

  /** The pipeline file. @throws FailureError when there is none */
  get file(): string {
    return this.#file ?? fail({ reason: 'pipeline-not-found', file: this.terminal.cwd, given: false });
  }

  get store(): LocalStore {
    return (this.#store ??= this.#openStore());
  }

  /** The state file. @throws FailureError where none can be told */
  get stateFile(): string {
    if (this.#stateFile instanceof FailureError) throw this.#stateFile;
    if (this.#stateFile === undefined) throw new Error('the state is asked for before it was looked for');
    return this.#stateFile;
  }

  /**
   * Finds the state file, before anybody asks for the state. What keeps from it is thrown by whoever asks.
   * @param loads whether the user's code may be executed for it, where the names of files do not tell
   */
  async findState({ loads }: { readonly loads: boolean } = { loads: true }): Promise<void> {
    this.#loads = loads;
    try {
      this.#stateFile = await this.#findStateFile();
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      this.#stateFile = error;
    }
  }

  /** Takes the state as it is, whoever it belongs to: for the one command that changes that. */
  useForeignState(): void {
    this.#admitsAll = true;
    const found = this.#stateFile;
    if (found instanceof FailureError && found.failure.reason === 'foreign-state')
      this.#stateFile = found.failure.state;
  }

  /** What is needed to load the user's code, also in another thread. */
  userPipeline(): UserPipeline {
    const { file, version, terminal } = this;
    return { file, version, packFile: packFileFor(file, terminal.env) };
  }

  /** The user's code, loaded once. */
  async pipeline(): Promise<Pipeline> {
    return (await this.#load()).pipeline;
  }

  /**
   * What names there are, without the user's code where that is enough.
   * @param missing a name that is wanted, and not among those that the state remembers: then the code is asked in any case
   */
  async known(
    view: StateView,
    missing: (known: KnownPipeline) => boolean = () => false,
  ): Promise<KnownPipeline> {
    const remembered = view.pipeline;
    const file = this.#file;
    if (remembered !== null) {
      const isFresh = (): boolean => remembered.file === file && isAsStamped(remembered.stamp);
      if (file === null || (isFresh() && !missing(remembered))) return remembered;
    }
    if (file === null) return emptyPipeline;
    try {
      return await this.loadedAsKnown();
    } catch (error) {
      // A broken pipeline file must not keep anyone from the state: its names are remembered.
      if (remembered === null || !(error instanceof FailureError)) throw error;
      this.note(`${describe(error.failure).message}; using the names that the state remembers`);
      return remembered;
    }
  }

  async loadedAsKnown(): Promise<KnownPipeline> {
    const { knownOf } = await import('../loader/known-pipeline.ts');
    const { pipeline, stamp } = await this.#load();
    return knownOf(pipeline, this.file, stamp);
  }

  /** Commits a plan; a pipeline that this command had to load is remembered with it. */
  async commit<Outcome>(needs: Needs, plan: (view: StateView) => Plan<Outcome>): Promise<Outcome> {
    const known = this.#loaded === undefined ? null : await this.loadedAsKnown().catch(() => null);
    return this.store.commit(needs, (view) => {
      const planned = plan(view);
      if (known === null || planned.changes.length === 0) return planned;
      return { ...planned, changes: [...planned.changes, ...remembering(view, known)] };
    });
  }

  /** A name that the pipeline or the state must have. @throws FailureError with the nearest names */
  checkName(thing: NamedThing, name: string, names: Iterable<string>): void {
    const all = [...new Set(names)];
    if (!all.includes(name))
      fail({ reason: 'unknown-name', thing, names: [name], nearest: nearest(name, all), known: all.length });
  }

  /** A set of the pipeline, or one that only the state knows. */
  async checkSet(set: string): Promise<void> {
    const view = await this.store.read({ sets: true });
    if (view.setNames().includes(set) || view.pipeline?.sets.includes(set)) return;
    this.checkName('set', set, [...(await this.known(view, () => true)).sets, ...view.setNames()]);
  }

  async checkSensor(sensor: string): Promise<void> {
    const view = await this.store.read({ sensors: 'all' });
    if (view.pipeline?.sensors.some(({ name }) => name === sensor)) return;
    this.checkName('sensor', sensor, [
      ...(await this.known(view, () => true)).sensors.map(({ name }) => name),
      ...view.sensorNames(),
    ]);
  }

  get paint(): { readonly stdout: Paint; readonly stderr: Paint } {
    return this.#paint;
  }

  async preparePaint(): Promise<void> {
    const { terminal, options } = this;
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
    this.#lines = true;
  }

  /** The exit code of the whole command. */
  exitCode(): ExitCode {
    if (this.#drained) return 0;
    const signal = this.interrupts.code;
    return worst([...this.#codes, ...(signal === null ? [] : [signal])]);
  }

  /** Data: stdout. With `--json` the document takes its place. */
  print(text: string): void {
    if (!this.options.json) this.terminal.stdout.write(text);
  }

  async table(table: Parameters<typeof writeTable>[2]): Promise<void> {
    if (!this.options.json) await writeTable(this.terminal.stdout, this.paint.stdout, table);
  }

  /** A time as data shows it: short and local for a person, ISO 8601 for a pipe. */
  when(time: string): string {
    return this.terminal.stdout.isTerminal ? shortTime(time, this.clock.now()) : time;
  }

  /** The lines were printed one by one: no document follows. */
  printedLines(): void {
    this.#lines = true;
  }

  /** With `--json`: exactly one document, whatever happened. */
  printDocument(): void {
    if (!this.options.json) return;
    if (!this.#lines || this.document['error'] !== undefined) this.printLine(this.document);
  }

  /** One document a line, for commands that do not end by themselves. */
  printLine(document: unknown): void {
    this.terminal.stdout.write(`${toJson(document)}\n`);
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

  /** Talk for a person at a terminal, or with `--verbose`; cron does not want to hear it. */
  chat(text: string): void {
    if (this.terminal.stderr.isTerminal || this.options.verbose) this.say(text);
  }

  /** What is said with `--verbose`. */
  note(text: string): void {
    if (this.options.verbose) this.#write(clean(text));
  }

  warn(message: string): void {
    if (!this.options.quiet) this.#write(`${this.#paint.stderr.warn('warning:')} ${clean(message)}`);
  }

  /** Words a failure. */
  sayProblem({ message, hint }: Problem): void {
    const paint = this.#paint.stderr;
    const more = hint === null ? '' : `\n${paint.dim(`  ${clean(hint)}`)}`;
    this.sayAlways(`${paint.bad('error:')} ${clean(message)}${more}`);
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
    this.document['error'] = problem;
    this.sayProblem(problem);
    this.exitWith(exitCodeOf(failure));
  }

  #pipelineFileIfAny(): string | null {
    const { terminal, options } = this;
    const given = options.file ?? nonEmpty(terminal.env['DYNPART_FILE']);
    try {
      return findPipelineFile(given, terminal.cwd);
    } catch (error) {
      if (error instanceof FailureError) return null;
      throw error;
    }
  }

  #openStore(): LocalStore {
    const store = openStore({
      file: this.stateFile,
      clock: this.clock,
      version: this.version,
      retention: () => this.#history,
      warn: (message) => this.warn(message),
      admit: (state) => this.#admit(state),
    });
    const open = openToOthers(store.file.path);
    if (open !== null)
      this.warn(
        `every user of this machine can write to ${open}, and so decide what dynpart takes for done; close it: chmod o-w ${shellQuoted(open, 'PLACE')}`,
      );
    return store;
  }

  async #findStateFile(): Promise<string> {
    const { terminal, options } = this;
    const given = options.state ?? nonEmpty(terminal.env['DYNPART_STATE']);
    if (given !== undefined) return namedStateFile(given, terminal.cwd);
    if (this.#file !== null) return stateFileOf(this.#pipelineInUse(this.#file));
    // The pipeline file may be gone or elsewhere: what it left here can still be looked at.
    const here = usualStateFile(terminal.cwd);
    return fs.existsSync(here) ? here : ownStateFile(this.file);
  }

  #admit(state: StateIdentity): void | Promise<void> {
    const file = this.#file;
    if (file === null || this.#admitsAll) return;
    if (state.pipeline?.file === file && !state.mayBeShared) return;
    return admit(this.stateFile, state, this.#pipelineInUse(file));
  }

  #pipelineInUse(file: string): PipelineInUse {
    return { file, names: async () => (this.#loads ? this.loadedAsKnown() : null) };
  }

  #load(): Promise<LoadedPipeline> {
    return (this.#loaded ??= this.#loadNow());
  }

  async #loadNow(): Promise<LoadedPipeline> {
    const { loadUserPipeline } = await import('./load-user-pipeline.ts');
    const loaded = await loadUserPipeline(this.userPipeline(), {
      onOutput: (text) => this.note(text),
      onStray: (error) => this.fail({ reason: 'pipeline-stray', ...describeThrown(error) }),
    });
    this.#history = loaded.pipeline.history;
    return loaded;
  }
}

const emptyPipeline: KnownPipeline = {
  file: '',
  stamp: '',
  sets: [],
  concurrency: 0,
  assets: [],
  sensors: [],
};

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
