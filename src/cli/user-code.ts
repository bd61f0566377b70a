/** The user's code of a project: loaded once when it is asked for, and anew after an edit. */
import type { Pipeline } from '../definitions/pipeline.ts';
import type { LoadedPipeline } from '../loader/load-pipeline.ts';
import type { Failure } from '../model/failure.ts';
import type { HistoryRetention } from '../model/history-retention.ts';
import type { KnownPipeline } from '../model/known-pipeline.ts';
import { describeThrown } from '../model/thrown.ts';
import type { Mapping } from '../state/store.ts';
import { packFileFor } from './cache-folder.ts';
import type { UserPipeline } from './load-user-pipeline.ts';
import type { ProjectParts } from './project-parts.ts';

export class UserCode {
  readonly #around: ProjectParts;
  readonly #file: () => string;
  readonly #onMapping: (mapping: Mapping) => void;
  #loaded: Promise<LoadedPipeline> | undefined;
  /** What the code says of how much of the past is kept; nothing before it is loaded. */
  history: HistoryRetention = {};
  /** Which keys are made of others, as functions of the code say; `null` where there are none, and before it is loaded. */
  mapping: Mapping | null = null;

  /** Told of errors of the code that nothing waits for, where no run or tick can be named. By default they are said, and end the command. */
  onStray: (failure: Failure) => void = (failure) => this.#around.output.fail(failure);

  /**
   * @param file the pipeline file; throws where there is none
   * @param onMapping whoever commits asks functions of the pipeline which keys are made of others
   */
  constructor(around: ProjectParts, file: () => string, onMapping: (mapping: Mapping) => void) {
    this.#around = around;
    this.#file = file;
    this.#onMapping = onMapping;
  }

  /** Whether it was asked for. */
  get isLoaded(): boolean {
    return this.#loaded !== undefined;
  }

  /** What is needed to run the same in another thread or process, whatever became of the files since it was loaded here. */
  async sameElsewhere(): Promise<UserPipeline> {
    const { code } = await this.load();
    return { ...this.#source, code: code() };
  }

  get #source(): UserPipeline {
    const { version, terminal } = this.#around;
    const file = this.#file();
    return { file, version, packFile: packFileFor(file, terminal.env) };
  }

  load(): Promise<LoadedPipeline> {
    return (this.#loaded ??= this.#loadNow());
  }

  /**
   * Loads the code anew. Where that fails, what was loaded before stays.
   * @param usable throws where it cannot take the place of what was loaded before
   */
  async reload(usable: (pipeline: Pipeline) => void): Promise<void> {
    const { loadAgain } = await import('./load-user-pipeline.ts');
    const loaded = await loadAgain(this.#source);
    usable(loaded.pipeline);
    this.#loaded = Promise.resolve(loaded);
    await this.#use(loaded.pipeline);
  }

  async asKnown(): Promise<KnownPipeline> {
    const { knownOf } = await import('../loader/known-pipeline.ts');
    const { pipeline, stamp } = await this.load();
    return knownOf(pipeline, this.#file(), stamp);
  }

  async #loadNow(): Promise<LoadedPipeline> {
    const { loadUserPipeline } = await import('./load-user-pipeline.ts');
    const loaded = await loadUserPipeline(this.#source, {
      onOutput: (text) => this.#around.output.note(text),
      onStray: (error) => this.onStray({ reason: 'pipeline-stray', ...describeThrown(error) }),
    });
    await this.#use(loaded.pipeline);
    return loaded;
  }

  async #use(pipeline: Pipeline): Promise<void> {
    this.history = pipeline.history;
    if (![...pipeline.assets.values()].some(({ gathers }) => gathers.length > 0)) return;
    const { mappingOf } = await import('../definitions/mapped-keys.ts');
    this.mapping = mappingOf(pipeline);
    this.#onMapping(this.mapping);
  }
}
