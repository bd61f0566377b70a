/**
 * Brings runs together whose asset makes many keys in one call. A run that has come to such an asset waits for others, and takes no
 * room meanwhile; a call takes the room of one run, however many keys it has.
 */
import type { RunTask } from '../plan/executors/owned-run.ts';
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import { type Clock, steadyTime } from '../../model/time.ts';
import type { Interrupt } from '../user-code/interruption.ts';
import type { Programs } from '../user-code/programs.ts';
import { CallTable } from './call-table.ts';
import { callTogether } from './call-together.ts';
import type { Isolated, Room } from './isolated.ts';
import type { Attempt } from './try-asset.ts';

/** Others that are on their way are waited for so long at most. */
const WAITS_MS = 60_000;

/** One that is tried again within so long is on its way. */
const SOON_MS = 5000;

export interface BatchesOptions {
  readonly clock: Clock;
  readonly programsOf: (runId: string) => Programs;
  readonly isolated: Isolated | undefined;
  /** How many calls or single runs more there is room for. */
  readonly room: () => number;
  /** Something has changed that another run may wait for. */
  readonly onChange: () => void;
}

/** A run that waits for a call. */
interface Waiting {
  readonly id: string;
  readonly since: number;
  /** The call of this asset that it was part of last: those that fail together are made together again. */
  readonly after: Call | undefined;
  readonly interrupt: Interrupt;
  readonly admit: (room: Room | null | Promise<never>) => void;
}

interface Call {
  isOver: boolean;
}

/** Of an asset. */
interface Gathering {
  readonly asset: AssetDefinition;
  readonly waiting: Map<string, Waiting>;
  /** Runs under way that come to it. */
  readonly coming: Set<string>;
  /** By run under way: the call of it that the run is part of, or was last. */
  readonly callOf: Map<string, Call>;
  calls: number;
}

export class Batches {
  readonly #options: BatchesOptions;
  readonly #gatherings = new Map<string, Gathering>();
  /** Runs that take no room: they wait for a call, are part of one, or wait to go on after it. */
  readonly #outside = new Set<string>();
  readonly #goingOn = new Map<string, () => void>();
  #calls = 0;
  #isStopped = false;

  constructor(options: BatchesOptions, assets: Iterable<AssetDefinition>) {
    this.#options = options;
    for (const asset of assets)
      if (asset.batch !== null)
        this.#gatherings.set(asset.name, {
          asset,
          waiting: new Map(),
          coming: new Set(),
          callOf: new Map(),
          calls: 0,
        });
  }

  /** How much room so many runs under way take. */
  roomOf(underWay: number): number {
    return underWay - this.#outside.size + this.#calls;
  }

  begins({ id, assets, done }: Pick<RunTask, 'id' | 'assets' | 'done'>): void {
    if (this.#gatherings.size === 0) return;
    for (const asset of assets)
      if (done.every((outcome) => outcome.asset !== asset)) this.#gatherings.get(asset)?.coming.add(id);
  }

  ended(id: string): void {
    this.#outside.delete(id);
    for (const { coming, callOf } of this.#gatherings.values()) {
      coming.delete(id);
      callOf.delete(id);
    }
  }

  /** Nobody is to wait for it. @param asset Default: all that it was to come to */
  comesNoMore(id: string, asset?: string): void {
    const was = [...this.#gatherings].filter(
      ([name, { coming }]) => (asset ?? name) === name && coming.delete(id),
    );
    if (was.length > 0) this.#options.onChange();
  }

  /** Waits for others that are to be made in the same call. `null`: interrupted, or nothing begins any more. */
  async enter(
    { name }: AssetDefinition,
    { id }: Pick<RunTask, 'id'>,
    interrupt: Interrupt,
  ): Promise<Room | null> {
    const gathering = this.#gatherings.get(name)!;
    if (this.#isStopped || interrupt.aborted) return null;
    gathering.coming.delete(id);
    this.#outside.add(id);
    const since = steadyTime(this.#options.clock);
    return new Promise<Room | null>((resolve) => {
      const admit = (room: Room | null | Promise<never>): void => {
        gathering.waiting.delete(id);
        interrupt.removeEventListener('abort', leave);
        resolve(room);
      };
      const leave = (): void => admit(null);
      const after = gathering.callOf.get(id);
      gathering.waiting.set(id, { id, since, interrupt, after, admit });
      interrupt.addEventListener('abort', leave);
      this.#options.onChange();
    });
  }

  /** It is tried again so soon: the others are made together with it. */
  comesBack({ name }: AssetDefinition, { id }: Pick<RunTask, 'id'>, inMs: number): void {
    if (inMs <= SOON_MS) this.#gatherings.get(name)!.coming.add(id);
  }

  /** Another asset of the run comes, which takes room. `undefined`: the run has some. Resolves when it has. */
  goesOn({ id }: Pick<RunTask, 'id'>, interrupt: Interrupt): Promise<void> | undefined {
    if (!this.#outside.has(id)) return undefined;
    return new Promise<void>((resolve) => {
      const goOn = (): void => {
        this.#goingOn.delete(id);
        this.#outside.delete(id);
        interrupt.removeEventListener('abort', goOn);
        resolve();
      };
      this.#goingOn.set(id, goOn);
      interrupt.addEventListener('abort', goOn);
      if (interrupt.aborted) goOn();
      this.#options.onChange();
    });
  }

  /** Those that are further on have the room first. */
  goOn(): void {
    for (const goOn of this.#goingOn.values()) {
      if (this.#options.room() <= 0) return;
      goOn();
    }
  }

  /** Begins calls. To be called when no other run may begin now. */
  call(): void {
    for (const gathering of this.#gatherings.values()) {
      const { asset, waiting } = gathering;
      while (waiting.size > 0 && this.#mayCall(gathering)) {
        const ready = [...waiting.values()].filter((run) => run.after?.isOver !== false || this.#isDue(run));
        if (ready.length === 0 || (ready.length < asset.batch! && !this.#waitsForNobody(gathering))) break;
        this.#call(gathering, ready.slice(0, asset.batch!));
      }
    }
  }

  /** When one has waited for long enough; `Infinity`: none waits, or only the end of a call makes room for it. */
  get due(): number {
    const first = Array.from(this.#gatherings.values(), (gathering) => {
      const [oldest] = gathering.waiting.values();
      return oldest === undefined || !this.#mayCall(gathering) ? Infinity : oldest.since + WAITS_MS;
    });
    return Math.min(Infinity, ...first);
  }

  /** No call begins any more: what waits for one is given back. */
  stop(): void {
    this.#isStopped = true;
    for (const { waiting } of this.#gatherings.values())
      for (const { admit } of waiting.values()) admit(null);
  }

  #mayCall({ asset, calls }: Gathering): boolean {
    return calls < (asset.concurrency ?? Infinity) && this.#options.room() > 0;
  }

  #waitsForNobody({ waiting, coming }: Gathering): boolean {
    if (coming.size === 0) return true;
    const [oldest] = waiting.values();
    return this.#isDue(oldest!);
  }

  #isDue({ since }: Waiting): boolean {
    return steadyTime(this.#options.clock) - since >= WAITS_MS;
  }

  #call(gathering: Gathering, runs: readonly Waiting[]): void {
    this.#calls++;
    gathering.calls++;
    const call: Call = { isOver: false };
    for (const { id } of runs) {
      gathering.waiting.delete(id);
      gathering.callOf.set(id, call);
    }
    const over = (): void => {
      call.isOver = true;
      this.#calls--;
      gathering.calls--;
      this.#options.onChange();
    };
    this.#admit(gathering.asset, runs, over).catch((error: unknown) => {
      for (const { admit } of runs) admit(Promise.reject(error));
      over();
    });
  }

  /** To a process of its own, where the asset has one: nobody has begun before there is one. */
  async #admit(asset: AssetDefinition, runs: readonly Waiting[], over: () => void): Promise<void> {
    const { programsOf, isolated } = this.#options;
    const process =
      asset.isIsolated && isolated !== undefined ? await entered(isolated, asset, runs) : undefined;
    const left = runs.filter(({ interrupt }) => !interrupt.aborted);
    if (this.#isStopped || process === null || left.length === 0) {
      for (const { admit } of runs) admit(null);
      process?.leave();
      return over();
    }
    const table = new CallTable(left.length, asset, { programsOf, process, over });
    for (const { admit } of left) admit(table.room());
  }
}

async function entered(isolated: Isolated, asset: AssetDefinition, runs: readonly Waiting[]) {
  const all = new AbortController();
  const look = (): void => {
    if (runs.every(({ interrupt }) => interrupt.aborted)) all.abort();
  };
  for (const { interrupt } of runs) interrupt.addEventListener('abort', look);
  try {
    return await isolated.enter(asset, all.signal);
  } finally {
    for (const { interrupt } of runs) interrupt.removeEventListener('abort', look);
  }
}

/** A call for one key, where nobody brings runs together. */
export function byItself(programsOf: (runId: string) => Programs): Room {
  return {
    tryOnce: async (asset, task, attempt: Attempt) => {
      const { tried, over } = callTogether(asset, [{ task, attempt }], programsOf(task.id));
      await over;
      return tried[0]!;
    },
  };
}
