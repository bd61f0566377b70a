/** Where the state of a project is, and whether the project's pipeline may use it. */
import { fail, FailureError } from '../model/failure.ts';
import type { StateIdentity } from '../model/known-pipeline.ts';
import type { DatabaseState } from './database-state.ts';
import type { ProjectParts } from './project-parts.ts';
import { isDatabase, namedState, usualStateFile } from './state-place.ts';
import { isInReach, type PipelineInUse } from './pipeline-in-use.ts';
import { admit, stateFileOf } from './whose-state.ts';

export class FoundState {
  readonly #around: ProjectParts;
  readonly #pipeline: PipelineInUse | null;
  #admitsMoved = false;
  /** `undefined` until it was looked for. */
  #place: string | FailureError | undefined;
  /** Where it would be, while it is not there. */
  #wouldBe: string | null = null;
  #database: DatabaseState | null = null;
  #admitsAll = false;
  /** Of a state that was named: see `toCome`. */
  sayIfNowhere = (): void => undefined;

  /** @param pipeline `null`: there is no pipeline file */
  constructor(around: ProjectParts, pipeline: PipelineInUse | null) {
    this.#around = around;
    this.#pipeline = pipeline;
  }

  /** Its file, or the address of a database. @throws FailureError where none can be told */
  get file(): string {
    if (this.#place instanceof FailureError) throw this.#place;
    if (this.#place === undefined) throw new Error('the state is asked for before it was looked for');
    return this.#place;
  }

  /** @throws FailureError where it cannot be used */
  get database(): DatabaseState | null {
    return isDatabase(this.file) ? this.#database : null;
  }

  /** What keeps from it is thrown by whoever asks. */
  async find(): Promise<void> {
    try {
      const place = await this.#find();
      this.#place = place;
      if (isDatabase(place)) await this.#findDatabase(place);
      else if (!isInReach(place)) {
        this.#wouldBe = place;
        const { toCome } = await import('./state-to-come.ts');
        this.sayIfNowhere = toCome(place, this.#pipeline?.file, this.#around.output);
      }
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      this.#place = error;
    }
  }

  /** Takes the state as it is, whoever it belongs to. */
  useForeign(): void {
    this.#admitsAll = true;
    const found = this.#place;
    if (found instanceof FailureError && found.failure.reason === 'foreign-state')
      this.#place = found.failure.state;
  }

  /** Takes a place where no state is yet: for commands that put one there. */
  useNew(): void {
    if (this.#wouldBe !== null) this.#place = this.#wouldBe;
  }

  /** Takes a state that is being moved: for the one command that does. */
  useMoved(): void {
    this.#admitsMoved = true;
  }

  /** @throws FailureError for a state of another pipeline, or one that is not here any more */
  admit(state: StateIdentity): void | Promise<void> {
    const place = this.database?.place ?? this.file;
    const { move } = state;
    if (move !== null && !this.#admitsMoved) fail({ reason: 'state-moved', place, move });
    const pipeline = this.#pipeline;
    if (pipeline === null || this.#admitsAll) return;
    if (state.pipeline?.file === pipeline.file && !state.mayBeShared) return;
    return admit(place, state, pipeline);
  }

  async #find(): Promise<string> {
    const { terminal, options } = this.#around;
    const given = options.state ?? nonEmpty(terminal.env['DYNPART_STATE']);
    if (given !== undefined) return namedState(given, terminal.cwd);
    if (this.#pipeline !== null) return stateFileOf(this.#pipeline);
    // The pipeline file may be gone or elsewhere: what it left here can still be looked at.
    const here = usualStateFile(terminal.cwd);
    return isInReach(here) ? here : noPipeline(terminal.cwd);
  }

  async #findDatabase(state: string): Promise<void> {
    const { terminal, output, options } = this.#around;
    const { databaseState } = await import('./database-state.ts');
    this.#database = databaseState(state, {
      beside: this.#pipeline?.file ?? `${terminal.cwd}/any.ts`,
      env: terminal.env,
    });
    const { warning } = this.#database;
    if (warning !== null && options.state !== undefined) output.warn(warning);
  }
}

/** @throws FailureError */
export function noPipeline(folder: string): never {
  return fail({ reason: 'pipeline-not-found', file: folder, given: false });
}

/** A variable that is set to nothing counts as not set. */
export function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
