/** One call of an asset's code for many keys: what it yields is each key's own, and what it does not yield has failed. */
import type { RunTask } from '../plan/executors/owned-run.ts';
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import type { MetadataValue } from '../../model/json-value.ts';
import { nameOfType } from '../../model/partition-key.ts';
import { quoted } from '../../model/text.ts';
import { makeExec } from '../user-code/exec.ts';
import { LineWriter, writingTo } from '../user-code/output.ts';
import { Pauses } from '../user-code/pauses.ts';
import type { Programs } from '../user-code/programs.ts';
import { withTimeLimit } from '../user-code/time-limit.ts';
import { inputsOf } from './inputs-of.ts';
import { checkedMetadata } from './metadata.ts';
import {
  type Attempt,
  type EndingTogether,
  GRACE_MS,
  type Tried,
  type TryContext,
  tryOnce,
} from './try-asset.ts';

/** A key of the call: its run, and its try. */
export interface Member {
  readonly task: Pick<RunTask, 'id' | 'partitionKey' | 'tags'>;
  readonly attempt: Attempt;
}

export interface CallTogether {
  /** What became of each, in their order. A value that was yielded is kept before the code goes on. */
  readonly tried: readonly Promise<Tried>[];
  /** The code has ended, or is not waited for any more. */
  readonly over: Promise<void>;
}

/** @param programs of the call: they end with it */
export function callTogether(
  asset: AssetDefinition,
  members: readonly Member[],
  programs: Programs,
): CallTogether {
  const pauses = new Pauses(members[0]!.attempt.context.clock);
  const places = members.map((member) => new Place(member));
  const tried = places.map((place) => {
    const { task, attempt } = place.member;
    return (place.tried = tryOnce(asset, task, {
      ...attempt,
      context: pausing(attempt.context, pauses),
      together: place.together,
    }));
  });
  return { tried, over: new Call(asset, places, { programs, pauses }).run() };
}

/** The code waits at its yield for a look at the state, which takes long where a database is away. */
function pausing(context: TryContext, pauses: Pauses): TryContext {
  const catchUp = (run: string): void | Promise<void> => {
    const catchingUp = context.catchUp?.(run);
    return catchingUp && pauses.during(catchingUp);
  };
  return { ...context, catchUp };
}

/** A key of the call, and what is known of it. */
class Place {
  readonly member: Member;
  /** Resolves when what it came to is kept. */
  tried: Promise<Tried> | undefined;
  #metadata: Record<string, MetadataValue> = {};
  readonly #ended: Promise<EndingTogether>;
  #end!: (ending: EndingTogether) => void;

  constructor(member: Member) {
    this.member = member;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
  }

  readonly together = (metadata: Record<string, MetadataValue>): Promise<EndingTogether> => {
    this.#metadata = metadata;
    return this.#ended;
  };

  get key(): string {
    return this.member.task.partitionKey!;
  }

  get isInterrupted(): boolean {
    return this.member.attempt.interrupt.aborted;
  }

  describe(metadata: Readonly<Record<string, MetadataValue>>): void {
    Object.assign(this.#metadata, metadata);
  }

  /** Resolves when its value is kept, or has failed to be. */
  async ends(ending: EndingTogether): Promise<void> {
    this.#end(ending);
    // What went wrong with it is its run's to tell.
    await this.tried?.catch(() => undefined);
  }
}

/** What the code yielded is no answer for a key that it was given. */
class WrongYield extends Error {}

class Call {
  readonly #asset: AssetDefinition;
  readonly #programs: Programs;
  readonly #pauses: Pauses;
  readonly #first: Member;
  /** Not yielded yet, in their order. */
  readonly #left: Map<string, Place>;
  readonly #given: ReadonlySet<string>;
  /** The last one ends with the code, so that what goes wrong at its end has somebody to be told of. */
  #last: { readonly place: Place; readonly value: unknown } | undefined;
  #metadata: Record<string, MetadataValue> = {};
  /** Aborted where nothing is wanted of what is left. */
  readonly #unwanted = new AbortController();
  #isOver = false;

  constructor(
    asset: AssetDefinition,
    places: readonly Place[],
    { programs, pauses }: { readonly programs: Programs; readonly pauses: Pauses },
  ) {
    this.#asset = asset;
    this.#programs = programs;
    this.#pauses = pauses;
    this.#first = places[0]!.member;
    this.#left = new Map(places.map((place) => [place.key, place]));
    this.#given = new Set(this.#left.keys());
  }

  async run(): Promise<void> {
    const asset = this.#asset;
    const { clock } = this.#first.attempt.context;
    const writer = new LineWriter((line) => this.#log(line), clock);
    const runs = Array.from(this.#left.values(), ({ member }) => member.task.id);
    const interrupts = [...this.#left.values()].map(({ member }) => member.attempt.interrupt);
    for (const interrupt of interrupts) interrupt.addEventListener('abort', this.#look);
    this.#look();
    let ending = await withTimeLimit(
      {
        ms: asset.timeoutMs,
        interrupt: this.#unwanted.signal,
        graceMs: GRACE_MS,
        clock,
        pauses: this.#pauses,
      },
      ({ signal }) => writingTo({ writer, runs }, () => this.#iterate(signal, writer)),
    );
    this.#isOver = true;
    for (const interrupt of interrupts) interrupt.removeEventListener('abort', this.#look);
    try {
      writer.end();
    } catch (error) {
      // A full disk is no doing of the code, and each key's run has to hear of it.
      ending = { type: 'threw', error };
    }
    await this.#programs.end();
    if (ending.type === 'returned') await this.#endLeft(null);
    else if (ending.type === 'threw' && ending.error instanceof WrongYield)
      await this.#endLeft({ wrong: ending.error.message });
    else await this.#endLeft(ending);
  }

  /** Each with its inputs. One whose inputs cannot be loaded fails by itself. */
  async #keys(signal: AbortSignal): Promise<unknown[]> {
    const keys: unknown[] = [];
    for (const [partitionKey, place] of this.#left) {
      if (signal.aborted) break;
      const { task, attempt } = place.member;
      const { version, item } = attempt.carried;
      try {
        const inputs = await inputsOf(this.#asset, task, attempt, signal);
        keys.push({ partitionKey, item, version, inputs });
      } catch (error) {
        this.#left.delete(partitionKey);
        await place.ends({ type: 'threw', error });
      }
    }
    return keys;
  }

  /**
   * The call ends where nothing of what is left is wanted. A key among others that are wanted is let go of
   * with its yield, or with the end: code has one signal.
   */
  readonly #look = (): void => {
    const left = this.#last === undefined ? [...this.#left.values()] : [this.#last.place];
    if (left.every(({ isInterrupted }) => isInterrupted)) this.#unwanted.abort();
  };

  async #iterate(signal: AbortSignal, writer: LineWriter): Promise<void> {
    const keys = await this.#keys(signal);
    // Its time may have been over while the inputs were loaded: others may be at work with these keys by now.
    signal.throwIfAborted();
    if (keys.length === 0) return;
    const { task, attempt } = this.#first;
    const programs = this.#programs;
    const made: unknown = await this.#asset.materialize({
      keys,
      run: { id: task.id, tags: task.tags, attempt: attempt.attempt },
      log: writer.log(),
      exec: makeExec({ writer, programs, cut: { signal } }),
      signal,
      addMetadata: (more: unknown) => Object.assign(this.#metadata, checkedMetadata(more, this.#metadata)),
    } as never);
    if (!isIterable(made)) throw new WrongYield(`returned ${nameOfType(made)} and yielded nothing`);
    for await (const yielded of made) {
      // Its time is over: what it goes on to yield is nobody's.
      if (this.#isOver) return;
      await this.#take(yielded);
      this.#look();
    }
  }

  async #take(yielded: unknown): Promise<void> {
    if (!Array.isArray(yielded) || yielded.length !== 2)
      throw new WrongYield(`yielded ${nameOfType(yielded)} where a pair [key, value] is due`);
    const [key, value] = yielded as [unknown, unknown];
    if (typeof key !== 'string')
      throw new WrongYield(`yielded a pair whose key is ${nameOfType(key)}, not text`);
    const place = this.#left.get(key);
    if (place === undefined)
      throw new WrongYield(
        this.#given.has(key)
          ? `yielded key ${quoted(key)} a second time`
          : `yielded key ${quoted(key)}, which it was not given`,
      );
    this.#left.delete(key);
    place.describe(this.#metadata);
    this.#metadata = {};
    if (this.#left.size === 0) this.#last = { place, value };
    else await place.ends({ type: 'returned', value });
  }

  /** @param ending `null`: the code has ended */
  async #endLeft(ending: EndingTogether | { readonly wrong: string } | null): Promise<void> {
    const asset = this.#asset.name;
    const endOf = (key: string): EndingTogether => {
      if (ending === null) return { type: 'failed', failure: { reason: 'not-yielded', asset, key } };
      if (!('wrong' in ending)) return ending;
      return { type: 'failed', failure: { reason: 'wrong-yield', asset, key, wrong: ending.wrong } };
    };
    const left = [...this.#left];
    this.#left.clear();
    // Code that is told to end owes nobody a yield: whose run was interrupted is made again.
    for (const [key, place] of left)
      await place.ends(place.isInterrupted ? { type: 'interrupted' } : endOf(key));
    if (this.#last === undefined) return;
    const { place, value } = this.#last;
    await place.ends(ending === null ? { type: 'returned', value } : endOf(place.key));
  }

  /** What the code prints belongs to the key that it is at: the first one that it has not yielded. */
  #log(line: Parameters<ConstructorParameters<typeof LineWriter>[0]>[0]): void {
    const [next = this.#last?.place] = this.#left.values();
    const { task, attempt } = next?.member ?? this.#first;
    const { name } = this.#asset;
    attempt.context.appendLog(task.id, [{ ...line, asset: name, attempt: attempt.attempt }]);
    attempt.context.emit({ type: 'output', source: `${name}@${task.partitionKey}`, line });
  }
}

export function isIterable(made: unknown): made is AsyncIterable<unknown> | Iterable<unknown> {
  return (
    typeof made === 'object' && made !== null && (Symbol.asyncIterator in made || Symbol.iterator in made)
  );
}
