/** What the processes of a test share: the pipeline, the state, the values, the time. */
import { mappingOf } from '../definitions/mapped-keys.ts';
import type { IoManager } from '../definitions/io-manager.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import type { RunValues } from '../definitions/staged-values.ts';
import { madeBy } from '../engine/runs/made-by.ts';
import { knownOf } from '../loader/known-pipeline.ts';
import type { KnownPipeline } from '../model/known-pipeline.ts';
import { MemoryStore } from '../state/memory/memory-store.ts';
import type { OfState } from '../values/s3.ts';
import type { MadeByRun } from '../values/s3-values.ts';
import { MemoryValues, MemoryValuesPlace } from '../values/memory-values.ts';
import { answering, type Reply } from './fetch-replies.ts';
import { HeldClock } from './held-clock.ts';
import { Life } from './life.ts';

export class World {
  #pipeline!: Pipeline;
  #known!: KnownPipeline;
  readonly fetch: Reply | undefined;
  readonly clock: HeldClock;
  readonly store: MemoryStore;
  readonly values: MemoryValuesPlace;
  /** How long what is done now goes on. */
  life = new Life();
  /** When something was done last. */
  #actedAt: number | null = null;

  constructor(pipeline: Pipeline, fetch: Reply | undefined, start: number | World) {
    this.deploy(pipeline);
    this.fetch = fetch;
    if (typeof start === 'number') {
      this.clock = new HeldClock(start);
      this.store = new MemoryStore(this.clock);
      this.values = new MemoryValuesPlace();
      this.#useMapping();
      return;
    }
    this.clock = start.clock.copy();
    this.store = start.store.copy(this.clock);
    this.#useMapping();
    this.values = new MemoryValuesPlace(start.values);
    this.#actedAt = start.#actedAt;
  }

  get pipeline(): Pipeline {
    return this.#pipeline;
  }

  get known(): KnownPipeline {
    return this.#known;
  }

  /** What begins from now on is of this pipeline. */
  deploy(pipeline: Pipeline): void {
    this.#pipeline = pipeline;
    this.#known = knownOf(pipeline, '', '');
    this.#useMapping();
  }

  /** The first pipeline is there before the store. */
  #useMapping(): void {
    const store = this.store as MemoryStore | undefined;
    store?.useMapping(mappingOf(this.#pipeline));
  }

  /** Another one that begins with all that this one has, and goes its own way. */
  copy(): World {
    return new World(this.pipeline, this.fetch, this);
  }

  /** Something is done, unless what is done is over. */
  act<T>(work: () => Promise<T>): Promise<T> {
    return this.life.goOn(() => {
      this.#begin();
      return this.look(work);
    });
  }

  /** As `act`, for what leaves the state as it is. */
  look<T>(work: () => Promise<T>): Promise<T> {
    return this.life.goOn(() => answering(this.fetch, work));
  }

  /** No two processes begin at the same instant: the history tells ticks apart by their time. */
  #begin(): void {
    if (this.#actedAt === this.clock.now()) this.clock.advance(1);
    this.#actedAt = this.clock.now();
  }

  /** Nothing goes on that was going on; what is done from now on is done by others. */
  killAll(): void {
    this.store.killAll();
    this.clock.forget();
    this.life = new Life();
  }

  /** The values as a process of their own sees them. */
  openValues(): RunValues {
    const { ioManager } = this.pipeline;
    if (ioManager === null) return new MemoryValues(this.values, madeBy(this.store));
    return 'ofState' in ioManager ? (ioManager as IoManager & OfState).ofState(this.#madeByRuns) : ioManager;
  }

  /** For an I/O manager of dynpart's own, which asks the state which of its objects counts. */
  readonly #madeByRuns: MadeByRun = async (ids) => {
    const { runs } = await this.store.runs({ ids });
    return new Map(
      runs.map(({ id, assets }) => [
        id,
        assets.filter(({ status }) => status === 'SUCCESS').map(({ asset }) => asset),
      ]),
    );
  };

  get hasLeftValues(): boolean {
    return this.values.staged.length > 0;
  }
}
