/**
 * Small values of runs that are under way here: they wait in memory for the commit that records their run, and are written with it.
 * A process that dies before that has nothing on record of the run either.
 */

/** What a table keeps of a value. */
export interface EncodedValue {
  readonly codec: 'json' | 'bin' | 'none';
  readonly bytes: Buffer;
}

interface ValueInHand extends EncodedValue {
  readonly key: string;
}

/** A run, by one of the executors that this process is: after an edit two may have the same one at work. */
export interface Execution {
  readonly executor: string;
  readonly run: string;
}

/** What is larger goes to the database at once, and so does everything where so much waits already. */
const SMALL = 256 * 1024;
const ROOM = 16 * 1024 * 1024;

export class ValuesInHand {
  /** By executor and run, and by asset. */
  readonly #runs = new Map<string, Map<string, ValueInHand>>();
  /** The run that made it last, by executor, asset and key. */
  readonly #newest = new Map<string, string>();
  #size = 0;

  hasRoomFor({ bytes }: EncodedValue): boolean {
    return bytes.length <= SMALL && this.#size + bytes.length <= ROOM;
  }

  put({ executor, run }: Execution, asset: string, key: string, { codec, bytes }: EncodedValue): void {
    this.drop({ executor, run }, asset);
    const name = nameOf(executor, run);
    const ofRun = this.#runs.get(name) ?? new Map<string, ValueInHand>();
    this.#runs.set(name, ofRun);
    // A copy: whoever made it may go on writing into the memory that it is in.
    ofRun.set(asset, { key, codec, bytes: Buffer.from(bytes) });
    this.#newest.set(nameOf(executor, asset, key), run);
    this.#size += bytes.length;
  }

  of({ executor, run }: Execution, asset: string): EncodedValue | undefined {
    return this.#runs.get(nameOf(executor, run))?.get(asset);
  }

  /** What an executor has made last for an asset and key, and is not on record yet. */
  newest(executor: string, asset: string, key: string): EncodedValue | undefined {
    const run = this.#newest.get(nameOf(executor, asset, key));
    return run === undefined ? undefined : this.of({ executor, run }, asset);
  }

  drop({ executor, run }: Execution, asset: string): void {
    const ofRun = this.#runs.get(nameOf(executor, run));
    const value = ofRun?.get(asset);
    if (value === undefined) return;
    ofRun!.delete(asset);
    if (ofRun!.size === 0) this.#runs.delete(nameOf(executor, run));
    this.#size -= value.bytes.length;
    const place = nameOf(executor, asset, value.key);
    if (this.#newest.get(place) === run) this.#newest.delete(place);
  }

  dropRun(execution: Execution): void {
    const { executor, run } = execution;
    for (const asset of this.#runs.get(nameOf(executor, run))?.keys() ?? []) this.drop(execution, asset);
  }

  /** Of whichever run and executor. */
  dropPlace(asset: string, key: string): void {
    for (const [name, ofRun] of this.#runs) {
      const [executor = '', run = ''] = name.split('\0');
      if (ofRun.get(asset)?.key === key) this.drop({ executor, run }, asset);
    }
  }
}

function nameOf(...parts: readonly string[]): string {
  return parts.join('\0');
}
