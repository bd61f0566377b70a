/**
 * Values in memory, by the promises of the files: encoded as these are, staged under the id of their run, and in place with the
 * record of their materialization. What a process that was killed has left is settled by the next one.
 */
import { fail } from '../model/failure.ts';
import type { SaveContext, ValueContext } from '../definitions/io-manager.ts';
import type { SettledRun, StagedValue, StagingIoManager } from '../definitions/staged-values.ts';
import type { MadeBy } from './file-values.ts';
import { decode, encode, type Encoded } from './value-format.ts';

interface Staged extends Encoded {
  readonly run: string;
  readonly asset: string;
  readonly key: string | null;
  /** The process that has saved it. */
  readonly by: MemoryValues;
  /** The run has skipped the asset: what was made before goes. */
  readonly isRemoval?: true;
}

/** Where the values of all processes are. */
export class MemoryValuesPlace {
  readonly inPlace: Map<string, Encoded>;
  /** The newest last. */
  staged: readonly Staged[];

  constructor({ inPlace, staged }: Partial<MemoryValuesPlace> = {}) {
    this.inPlace = new Map(inPlace);
    this.staged = staged ?? [];
  }

  put({ asset, partitionKey }: ValueContext, value: unknown): void {
    this.inPlace.set(nameOf(asset, partitionKey), encoded(value));
  }
}

/** What one process sees of them. */
export class MemoryValues implements StagingIoManager {
  readonly #place: MemoryValuesPlace;
  readonly #madeBy: MadeBy;

  constructor(place: MemoryValuesPlace, madeBy: MadeBy) {
    this.#place = place;
    this.#madeBy = madeBy;
  }

  save({ run, asset, partitionKey: key }: SaveContext, value: unknown): void {
    this.#stage({ run: run.id, asset, key, by: this, ...encoded(value) });
  }

  skip(run: string, { asset, partitionKey: key }: ValueContext): void {
    this.#stage({ run, asset, key, by: this, ...encoded(undefined), isRemoval: true });
  }

  #stage(staged: Staged): void {
    const { run, asset, key } = staged;
    const isEarlier = (one: Staged): boolean => one.run === run && isOf(one, asset, key);
    this.#place.staged = [...this.#place.staged.filter((one) => !isEarlier(one)), staged];
  }

  async load({ asset, partitionKey: key }: ValueContext): Promise<unknown> {
    for (const staged of this.#place.staged.toReversed())
      if (
        isOf(staged, asset, key) &&
        staged.isRemoval !== true &&
        (staged.by === this || (await this.#counts(staged)))
      )
        return decoded(staged);
    const found = this.#place.inPlace.get(nameOf(asset, key));
    if (found !== undefined) return decoded(found);
    return fail({ reason: 'value-damaged', file: 'the memory of the test', asset, key, cause: 'it is gone' });
  }

  remove({ asset, partitionKey: key }: ValueContext): void {
    this.#place.inPlace.delete(nameOf(asset, key));
    this.#place.staged = this.#place.staged.filter((one) => !isOf(one, asset, key));
  }

  staged(run: string): readonly StagedValue[] {
    return this.#place.staged
      .filter((one) => one.run === run && one.by === this)
      .map(({ asset, key, ending }) => ({ run, asset, key, file: `${nameOf(asset, key)}${ending}` }));
  }

  adopt(): void {
    // Runs are executed by the process that commits them: it has saved all that it could adopt.
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  settle(runs: readonly SettledRun[]): void {
    const settled = new Map(runs.map((one) => [one.run, one]));
    for (const staged of this.#place.staged) {
      const run = settled.get(staged.run);
      if (run !== undefined && staged.by === this) this.#settleOne(staged, run);
    }
  }

  async recover(): Promise<void> {
    for (const staged of this.#place.staged)
      if (staged.by !== this) this.#settleOne(staged, await this.#madeBy(staged.run));
  }

  #settleOne(staged: Staged, { assets, skipped = [], isOver }: Omit<SettledRun, 'run'>): void {
    const isRemoval = staged.isRemoval === true;
    const counts = (isRemoval ? skipped : assets).includes(staged.asset);
    // Whoever executes the run again makes again what does not count yet.
    if (!counts && !isOver) return;
    const name = nameOf(staged.asset, staged.key);
    if (counts && isRemoval) this.#place.inPlace.delete(name);
    else if (counts) this.#place.inPlace.set(name, staged);
    this.#place.staged = this.#place.staged.filter((one) => one !== staged);
  }

  async #counts({ run, asset }: Staged): Promise<boolean> {
    return (await this.#madeBy(run)).assets.includes(asset);
  }
}

function isOf(staged: Staged, asset: string, key: string | null): boolean {
  return staged.asset === asset && staged.key === key;
}

function nameOf(asset: string, key: string | null): string {
  return JSON.stringify([asset, key]);
}

/** Bytes are copied: what user code does with its own afterwards changes no value. */
function encoded(value: unknown): Encoded {
  const { bytes, ending } = encode(value);
  return { bytes: Buffer.from(bytes), ending };
}

/** A value that nobody else has. */
function decoded({ bytes, ending }: Encoded): unknown {
  return decode(Buffer.from(bytes), ending);
}

/** A value as an asset downstream is given it. */
export function asKept(value: unknown): unknown {
  return decoded(encoded(value));
}
