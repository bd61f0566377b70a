/**
 * Values as objects: `PREFIX/ASSET/KEY/RUN.WRITER.json`. No object is written twice, so a process that is late overwrites nothing; which of
 * them counts is asked of the state. See docs/decisions/0037.
 */
import { randomUUID } from 'node:crypto';
import type { SaveContext, ValueContext } from '../definitions/io-manager.ts';
import type { SettledRun } from '../definitions/staged-values.ts';
import { fileNameOf } from '../files/file-name.ts';
import { loadSdk, type Sdk, saidOf } from './s3-client.ts';
import type { S3Options } from './s3-options.ts';
import { decode, encode, type Encoded } from './value-format.ts';

/** Which assets these runs have made, as is on record. One that is in no history any more is not in the answer. */
export type MadeByRun = (runs: readonly string[]) => Promise<ReadonlyMap<string, readonly string[]>>;

interface Found {
  readonly name: string;
  readonly run: string;
  readonly ending: Encoded['ending'];
  readonly at: number;
}

interface Own {
  readonly run: string;
  readonly asset: string;
  readonly folder: string;
  readonly name: string;
}

/** An object that was listed may be gone when it is asked for, and an answer may be cut off. */
const TRIES = 3;

/** A process that ends waits so long for deletions. */
const SETTLED_MS = 10_000;

export class S3Values {
  readonly #options: S3Options;
  readonly #file: string | undefined;
  readonly #made: MadeByRun;
  /** Of this process: of two, the one that was started later has the greater one. */
  readonly #writer = `${Math.floor(performance.timeOrigin).toString(16)}${randomUUID().slice(0, 4)}`;
  /** What this process has saved and is not on record yet: the newest of each folder comes first for it. */
  readonly #own = new Map<string, Own>();
  /** Deletions that are under way. */
  readonly #ending = new Set<Promise<unknown>>();
  #sdk: Sdk | undefined;

  /** @param file beside which the package is looked for */
  constructor(options: S3Options, file: string | undefined, made: MadeByRun) {
    this.#options = options;
    this.#file = file;
    this.#made = made;
  }

  async save({ asset, partitionKey, run }: SaveContext, value: unknown): Promise<void> {
    const { bytes, ending } = encode(value);
    const folder = this.#folderOf({ asset, partitionKey });
    const name = `${folder}${run.id}.${this.#writer}${ending}`;
    await this.#do((sdk) => sdk.put(name, typeof bytes === 'string' ? Buffer.from(bytes) : bytes));
    const before = this.#own.get(folder);
    this.#own.set(folder, { run: run.id, asset, folder, name });
    // The same run, made again by this process: with another ending it has another name.
    if (before?.run === run.id && before.name !== name) this.#drop([before.name]);
  }

  async load(context: ValueContext): Promise<unknown> {
    const folder = this.#folderOf(context);
    for (let tried = 1; ; tried++) {
      const found = await this.#counting(folder, context);
      if (found === undefined) throw new Error(goneText(this.#place(folder), context));
      try {
        const bytes = await this.#do((sdk) => sdk.get(found.name));
        if (bytes !== null) return decode(bytes, found.ending);
      } catch (error) {
        if (error instanceof SyntaxError)
          throw new Error(`the object ${this.#place(found.name)} is damaged: ${error.message}`, {
            cause: error,
          });
        throw error;
      }
      if (tried === TRIES) throw new Error(goneText(this.#place(found.name), context));
    }
  }

  async remove(context: ValueContext): Promise<void> {
    const folder = this.#folderOf(context);
    this.#own.delete(folder);
    const names = (await this.#list(folder)).map(({ name }) => name);
    for (let at = 0; at < names.length; at += 20)
      await Promise.all(names.slice(at, at + 20).map((name) => this.#do((sdk) => sdk.remove(name))));
  }

  /** What is on record stays alone, as far as the server is there: an object that is left over does not count. */
  settle(runs: readonly SettledRun[]): void {
    const settled = new Map(runs.map((one) => [one.run, one]));
    for (const own of this.#own.values()) {
      const run = settled.get(own.run);
      if (run === undefined) continue;
      const counts = run.assets.includes(own.asset);
      if (!counts && !run.isOver) continue;
      this.#own.delete(own.folder);
      if (counts) this.#begin(this.#dropBefore(own));
      else this.#drop([own.name]);
    }
  }

  /** Not what came later: another run may be at work already. */
  async #dropBefore({ folder, name, run }: Own): Promise<void> {
    const all = await this.#list(folder);
    const at = all.find((one) => one.name === name)?.at;
    if (at === undefined) return;
    this.#drop(
      all.filter((one) => one.name !== name && (one.run === run || one.at < at)).map((one) => one.name),
    );
  }

  #drop(names: readonly string[]): void {
    for (const name of names) this.#begin(this.#do((sdk) => sdk.remove(name)));
  }

  /** One that fails costs space and no answer. */
  #begin(deletion: Promise<unknown>): void {
    const ended = deletion.catch(() => undefined).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  async settled(): Promise<void> {
    let isLate = false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, SETTLED_MS))).then(
      () => (isLate = true),
    );
    // One look at what is there begins others.
    while (this.#ending.size > 0 && !isLate) await Promise.race([late, Promise.all(this.#ending)]);
    clearTimeout(timer);
  }

  /** The newest whose run has made the asset, as the state says; where the history has none of them any more, the newest of these. */
  async #counting(folder: string, { asset }: ValueContext): Promise<Found | undefined> {
    const all = await this.#list(folder);
    const own = this.#own.get(folder);
    const saved = own && all.find(({ name }) => name === own.name);
    if (saved !== undefined || all.length < 2) return saved ?? all[0];
    const newestFirst = all.toSorted((a, b) => b.at - a.at || order(b.run, a.run) || order(a.name, b.name));
    const made = await this.#made([...new Set(all.map(({ run }) => run))]);
    const found =
      newestFirst.find(({ run }) => made.get(run)?.includes(asset) === true) ??
      newestFirst.find(({ run }) => !made.has(run));
    // Of one run the first: a process that had lost it may have saved it once more, later. A server may tell seconds only: of the
    // same one, that of the process that was started last, which has the run from the other.
    return found && newestFirst.findLast(({ run }) => run === found.run);
  }

  async #list(folder: string): Promise<readonly Found[]> {
    const objects = await this.#do((sdk) => sdk.list(folder));
    return objects.flatMap(({ name, at }) => {
      const [, run, ending] =
        /^([^./]+)\.[0-9a-f]+(\.(?:json|bin|none))$/.exec(name.slice(folder.length)) ?? [];
      return run === undefined ? [] : [{ name, run, ending: ending as Found['ending'], at }];
    });
  }

  async #do<T>(ask: (sdk: Sdk) => Promise<T>): Promise<T> {
    this.#sdk ??= loadSdk(this.#options, this.#file);
    try {
      return await ask(this.#sdk);
    } catch (error) {
      throw new Error(saidOf(error, this.#options), { cause: error });
    }
  }

  #folderOf({ asset, partitionKey }: ValueContext): string {
    const prefix = (this.#options.prefix ?? '').replace(/^\/+|\/+$/g, '');
    const key = partitionKey === null ? '=' : fileNameOf(partitionKey);
    return `${prefix === '' ? '' : `${prefix}/`}${fileNameOf(asset)}/${key}/`;
  }

  #place(name: string): string {
    return `s3://${this.#options.bucket}/${name}`;
  }
}

function order(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

function goneText(place: string, { asset, partitionKey }: ValueContext): string {
  const chosen = partitionKey === null ? asset : `${asset}@${partitionKey}`;
  return `the value of ${chosen} is on record, and its object is gone from ${place}: make it again with dynpart materialize`;
}
