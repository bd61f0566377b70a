/**
 * Values as objects: `PREFIX/ASSET/KEY/RUN.ORDER.json`. No object is written twice, so a process that is late overwrites nothing. `ORDER` is greater
 * for who has the run, or the key, later, and is of the state: no clock is asked. Which run counts is asked of the state as well. See
 * docs/decisions/0044.
 */
import { randomUUID } from 'node:crypto';
import type { SaveContext, ValueContext } from '../definitions/io-manager.ts';
import type { SettledRun } from '../definitions/staged-values.ts';
import { fileNameOf } from '../files/file-name.ts';
import { fail } from '../model/failure.ts';
import { loadSdk, type Sdk, saidOf } from './s3-client.ts';
import type { S3Options } from './s3-options.ts';
import { decode, encode, type Encoded } from './value-format.ts';

/** Which assets these runs have made, as is on record. One that is in no history any more is not in the answer. */
export type MadeByRun = (runs: readonly string[]) => Promise<ReadonlyMap<string, readonly string[]>>;

/** With which serial of the state a run of this process goes on; 0 where nobody has said. */
export type SerialOf = (run: string) => number;

interface Found {
  readonly name: string;
  readonly run: string;
  readonly order: string;
  readonly ending: Encoded['ending'];
  readonly at: number;
}

interface Own {
  readonly run: string;
  readonly asset: string;
  readonly folder: string;
  readonly order: string;
  /** `null`: there is no value any more, when that is on record. */
  readonly name: string | null;
}

/** Serial, the count of what this process has saved, and chance, so that no two are alike: hexadecimal. */
const NAME = /^([^./]+)\.([0-9a-f]{18})[0-9a-f]{8}(\.(?:json|bin|none))$/;

/** An object that was listed may be gone when it is asked for, and an answer may be cut off. */
const TRIES = 3;

/** A process that ends waits so long for deletions. */
const SETTLED_MS = 10_000;

export class S3Values {
  readonly #options: S3Options;
  readonly #file: string | undefined;
  readonly #made: MadeByRun;
  readonly #serialOf: SerialOf;
  #saved = 0;
  /** What this process has saved and is not on record yet: the newest of each folder comes first for it. */
  readonly #own = new Map<string, Own>();
  /** Deletions that are under way. */
  readonly #ending = new Set<Promise<unknown>>();
  #sdk: Sdk | undefined;

  /** @param file beside which the package is looked for */
  constructor(options: S3Options, file: string | undefined, made: MadeByRun, serialOf: SerialOf) {
    this.#options = options;
    this.#file = file;
    this.#made = made;
    this.#serialOf = serialOf;
  }

  async save({ asset, partitionKey, run }: SaveContext, value: unknown): Promise<void> {
    const { bytes, ending } = encode(value);
    const folder = this.#folderOf({ asset, partitionKey });
    const order = this.#orderFor(run.id);
    const name = `${folder}${run.id}.${order}${randomUUID().slice(0, 8)}${ending}`;
    await this.#do((sdk) => sdk.put(name, typeof bytes === 'string' ? Buffer.from(bytes) : bytes));
    const before = this.#own.get(folder);
    this.#own.set(folder, { run: run.id, asset, folder, order, name });
    // The same run, made again by this process.
    if (before?.run === run.id && before.name !== null) this.#drop([before.name]);
  }

  skip(run: string, context: ValueContext): void {
    const folder = this.#folderOf(context);
    this.#own.set(folder, { run, asset: context.asset, folder, order: this.#orderFor(run), name: null });
  }

  /** Two of one serial are of one process. Where nobody tells serials, the server tells times. */
  #orderFor(run: string): string {
    const serial = this.#serialOf(run);
    return `${hex(serial, 10)}${hex(serial === 0 ? 0 : ++this.#saved, 8)}`;
  }

  async load(context: ValueContext): Promise<unknown> {
    const folder = this.#folderOf(context);
    for (let tried = 1; ; tried++) {
      const found = await this.#counting(folder, context);
      if (found === undefined) return this.#damaged(folder, context, 'the object is gone');
      try {
        const bytes = await this.#do((sdk) => sdk.get(found.name));
        if (bytes !== null) return decode(bytes, found.ending);
      } catch (error) {
        if (error instanceof SyntaxError) return this.#damaged(found.name, context, error.message);
        throw error;
      }
      if (tried === TRIES) return this.#damaged(found.name, context, 'the object is gone');
    }
  }

  /** As with files: no failure of who needs it. */
  #damaged(name: string, { asset, partitionKey: key }: ValueContext, cause: string): never {
    return fail({ reason: 'value-damaged', file: this.#place(name), asset, key, cause });
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
      const counts = (own.name === null ? run.skipped : run.assets)?.includes(own.asset) === true;
      if (!counts && !run.isOver) continue;
      this.#own.delete(own.folder);
      if (counts) this.#begin(this.#dropBefore(own));
      else if (own.name !== null) this.#drop([own.name]);
    }
  }

  /**
   * Not what comes after it: another run may be at work already, or be on record by now. But what is older, and of no run that the state
   * knows: of a state that was here before this one was begun.
   */
  async #dropBefore({ folder, order, name }: Own): Promise<void> {
    const all = await this.#list(folder);
    const at = all.find((one) => one.name === name)?.at ?? 0;
    const odd = all.filter((one) => one.order > order && one.at < at);
    const known = odd.length === 0 ? new Map() : await this.#made(odd.map(({ run }) => run));
    const dropped = all.filter((one) => one.order < order || (odd.includes(one) && !known.has(one.run)));
    this.#drop(dropped.map((one) => one.name));
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

  /** The last whose run has made the asset, as the state says; where the history has none of them any more, the last of these. */
  async #counting(folder: string, { asset }: ValueContext): Promise<Found | undefined> {
    const all = await this.#list(folder);
    const own = this.#own.get(folder);
    const saved = own && all.find(({ name }) => name === own.name);
    if (saved !== undefined || all.length < 2) return saved ?? all[0];
    const lastFirst = all.toSorted(
      (a, b) => order(b.order, a.order) || b.at - a.at || order(b.run, a.run) || order(b.name, a.name),
    );
    const made = await this.#made([...new Set(all.map(({ run }) => run))]);
    return (
      lastFirst.find(({ run }) => made.get(run)?.includes(asset) === true) ??
      lastFirst.find(({ run }) => !made.has(run))
    );
  }

  async #list(folder: string): Promise<readonly Found[]> {
    const objects = await this.#do((sdk) => sdk.list(folder));
    return objects.flatMap(({ name, at }) => {
      const [, run, order, ending] = NAME.exec(name.slice(folder.length)) ?? [];
      if (run === undefined || order === undefined) return [];
      return [{ name, run, order, ending: ending as Found['ending'], at }];
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

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

function order(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
