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

/** What is larger goes to the database at once, and so does everything where so much waits already. */
const SMALL = 256 * 1024;
const ROOM = 16 * 1024 * 1024;

export class ValuesInHand {
  /** By run and asset. */
  readonly #runs = new Map<string, Map<string, ValueInHand>>();
  /** The run that made it last, by asset and key. */
  readonly #newest = new Map<string, string>();
  #size = 0;

  hasRoomFor({ bytes }: EncodedValue): boolean {
    return bytes.length <= SMALL && this.#size + bytes.length <= ROOM;
  }

  put(run: string, asset: string, key: string, { codec, bytes }: EncodedValue): void {
    this.drop(run, asset);
    const ofRun = this.#runs.get(run) ?? new Map<string, ValueInHand>();
    this.#runs.set(run, ofRun);
    // A copy: whoever made it may go on writing into the memory that it is in.
    ofRun.set(asset, { key, codec, bytes: Buffer.from(bytes) });
    this.#newest.set(placeName(asset, key), run);
    this.#size += bytes.length;
  }

  of(run: string, asset: string): EncodedValue | undefined {
    return this.#runs.get(run)?.get(asset);
  }

  /** What was made here last for an asset and key, and is not on record yet. */
  newest(asset: string, key: string): EncodedValue | undefined {
    const run = this.#newest.get(placeName(asset, key));
    return run === undefined ? undefined : this.of(run, asset);
  }

  drop(run: string, asset: string): void {
    const ofRun = this.#runs.get(run);
    const value = ofRun?.get(asset);
    if (value === undefined) return;
    ofRun!.delete(asset);
    if (ofRun!.size === 0) this.#runs.delete(run);
    this.#size -= value.bytes.length;
    const place = placeName(asset, value.key);
    if (this.#newest.get(place) === run) this.#newest.delete(place);
  }

  dropRun(run: string): void {
    for (const asset of this.#runs.get(run)?.keys() ?? []) this.drop(run, asset);
  }

  /** Of whichever run. */
  dropPlace(asset: string, key: string): void {
    for (const [run, ofRun] of this.#runs) if (ofRun.get(asset)?.key === key) this.drop(run, asset);
  }
}

function placeName(asset: string, key: string): string {
  return `${asset}\0${key}`;
}
