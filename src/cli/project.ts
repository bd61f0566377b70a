/** What a command works on: the pipeline file, its code, the state, and the names that both know. */
import { describe } from '../model/describe-failure.ts';
import { type Failure, FailureError } from '../model/failure.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import { notePipeline } from '../engine/note-pipeline.ts';
import { pipelineNews, withPipeline } from '../engine/plan/pipeline/remember-pipeline.ts';
import { findPipelineFile, isAsStamped } from '../loader/pipeline-files.ts';
import type { KnownAsset, KnownPipeline, StateIdentity } from '../model/known-pipeline.ts';
import type { Needs } from '../state/needs.ts';
import type { StateView } from '../state/state-view.ts';
import type { Plan } from '../state/store.ts';
import type { UserPipeline } from './load-user-pipeline.ts';
import type { Output } from './output.ts';
import type { DatabaseState } from './database-state.ts';
import type { ProjectParts } from './project-parts.ts';
import { FoundState, noPipeline, nonEmpty } from './found-state.ts';
import { openStore, type Store, warnIfOpen } from './stores.ts';
import { UserCode } from './user-code.ts';

export class Project {
  readonly #around: ProjectParts;
  readonly #file: string | null;
  readonly #state: FoundState;
  #loads = true;
  #store: Store | undefined;
  #warned: Promise<void> | undefined;
  readonly #code: UserCode;

  constructor(parts: ProjectParts) {
    this.#around = parts;
    this.#file = this.#pipelineFileIfAny();
    this.#code = new UserCode(
      parts,
      () => this.file,
      (mapping) => this.#store?.useMapping?.(mapping),
    );
    const names = async (): Promise<KnownPipeline | null> => (this.#loads ? this.loadedAsKnown() : null);
    this.#state = new FoundState(parts, this.#file === null ? null : { file: this.#file, names });
  }

  /** The project that is meant where these are said, and what was said here for the rest. */
  elsewhere(said: { readonly file?: string; readonly state?: string }, output: Output): Project {
    return new Project({ ...this.#around, options: { ...this.#around.options, ...said }, output });
  }

  /** The pipeline file. @throws FailureError when there is none */
  get file(): string {
    return this.#file ?? noPipeline(this.#around.terminal.cwd);
  }

  get hasFile(): boolean {
    return this.#file !== null;
  }

  get store(): Store {
    if (this.#store === undefined) {
      this.#store = this.#openStore();
      const { mapping } = this.#code;
      if (mapping !== null) this.#store.useMapping?.(mapping);
    }
    return this.#store;
  }

  /** Where the state is a database. @throws FailureError where it cannot be used */
  get database(): DatabaseState | null {
    return this.#state.database;
  }

  /** Where the state is, for messages. */
  get place(): string {
    return this.database?.place ?? this.stateFile;
  }

  /** Warns of a state that was named where there is no folder, as long as no command has made one. */
  readonly sayIfNowhere = (): void => this.#state.sayIfNowhere();

  /** Nothing is asked of the state any more. */
  async close(): Promise<void> {
    await this.#warned;
    if (this.#store !== undefined) this.sayIfNowhere();
    if (this.#store !== undefined && 'database' in this.#store) await this.#store.close();
  }

  /** The state: its file, or the address of a database. @throws FailureError where none can be told */
  get stateFile(): string {
    return this.#state.file;
  }

  /**
   * Finds the state file, before anybody asks for the state. What keeps from it is thrown by whoever asks.
   * @param loads whether the user's code may be executed for it, where the names of files do not tell
   */
  findState({ loads }: { readonly loads: boolean } = { loads: true }): Promise<void> {
    this.#loads = loads;
    return this.#state.find();
  }

  /** Takes the state as it is, whoever it belongs to: for the one command that changes that. */
  useForeignState(): void {
    this.#state.useForeign();
  }

  /** Takes a place where no state is yet: for commands that put one there. */
  useNewState(): void {
    this.#state.useNew();
  }

  /** Takes a state that is being moved: for the one command that does. */
  useMovedState(): void {
    this.#state.useMoved();
  }

  /** What is needed to run the user's code, as it was loaded here, in another thread or process. */
  userPipeline(): Promise<UserPipeline> {
    return this.#code.sameElsewhere();
  }

  /** The user's code, loaded once. */
  async pipeline(): Promise<Pipeline> {
    return (await this.#code.load()).pipeline;
  }

  /** From now on errors of the code that nothing waits for are told to this one, and not said. */
  hearStrays(onStray: (failure: Failure) => void): void {
    this.#code.onStray = onStray;
  }

  /** Of the files that the code was loaded from: see `isAsStamped`. */
  async stamp(): Promise<string> {
    return (await this.#code.load()).stamp;
  }

  /**
   * Loads the code anew. Where that fails, what was loaded before stays.
   * @param usable throws where it cannot take the place of what was loaded before
   */
  reload(usable: (pipeline: Pipeline) => void): Promise<void> {
    return this.#code.reload(usable);
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
      const [first = ''] = describe(error.failure).message.split('\n');
      this.#around.output.warn(
        `${first.replace(/:$/, '')}; using the names that the state remembers: dynpart check`,
      );
      return remembered;
    }
  }

  loadedAsKnown(): Promise<KnownPipeline> {
    return this.#code.asKnown();
  }

  /** Commits a plan; a pipeline that this command had to load is remembered with it. */
  async commit<Outcome>(needs: Needs, plan: (view: StateView) => Plan<Outcome>): Promise<Outcome> {
    // What hangs on functions of the pipeline becomes stale with what they say; else all of it does.
    if (!this.#code.isLoaded && (await this.store.read({})).pipeline?.assets.some(isOfFunctions))
      await this.pipeline().catch(() => null);
    const known = !this.#code.isLoaded ? null : await this.loadedAsKnown().catch(() => null);
    return this.store.commit(needs, (view) => {
      const planned = plan(view);
      if (known === null || planned.changes.length === 0) return planned;
      return { ...planned, changes: withPipeline(view, known, planned.changes, this.#around.clock.now()) };
    });
  }

  /** The state as it is by the code that was loaded, also where nobody has committed yet what that makes stale. */
  async look(needs: Needs): Promise<StateView> {
    if (!this.#code.isLoaded) return this.store.read(needs);
    const known = await this.loadedAsKnown().catch(() => null);
    const news =
      known === null ? [] : pipelineNews(await this.store.read({}), known, this.#around.clock.now());
    return news.length === 0 ? this.store.read(needs) : this.store.preview(news, needs);
  }

  /** Whether the code says something else than what is on record of it. */
  async hasNews(): Promise<boolean> {
    return (
      pipelineNews(await this.store.read({}), await this.loadedAsKnown(), this.#around.clock.now()).length > 0
    );
  }

  /** Puts on record what the pipeline says now, where that is something else than before. */
  async remember(): Promise<void> {
    const known = await this.loadedAsKnown();
    await notePipeline(this.store, await this.store.read({}), { known, now: this.#around.clock.now() });
  }

  #pipelineFileIfAny(): string | null {
    const { terminal, options } = this.#around;
    const given = options.file ?? nonEmpty(terminal.env['DYNPART_FILE']);
    try {
      return findPipelineFile(given, terminal.cwd);
    } catch (error) {
      if (error instanceof FailureError) return null;
      throw error;
    }
  }

  #openStore(): Store {
    const { clock, version } = this.#around;
    const options = {
      clock,
      version,
      retention: () => this.#code.history,
      admit: (state: StateIdentity) => this.#state.admit(state),
    };
    if (this.database !== null) return this.database.open(options);
    const store = openStore({
      ...options,
      file: this.stateFile,
      warn: (message) => this.#around.output.warn(message),
      onUnsynced: (failure) => this.#around.output.fail(failure),
    });
    this.#warned = warnIfOpen(store.file.path, this.#around.output);
    return store;
  }
}

function isOfFunctions({ gathers = [] }: KnownAsset): boolean {
  return gathers.some(({ mapped }) => mapped);
}

const emptyPipeline: KnownPipeline = {
  file: '',
  stamp: '',
  sets: [],
  concurrency: 0,
  assets: [],
  sensors: [],
};
