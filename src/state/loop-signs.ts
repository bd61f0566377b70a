/** What the event loop of this process tells a thread of it, in memory that both have: how often it has turned, and for how long code of runs may keep it. */
import { LEAST_SILENCE_MS, mayBlockMs } from '../model/may-block.ts';
import type { Millis } from '../model/time.ts';

const TURNS = 0;
const MAY_BLOCK = 1;
/** What else is shared begins here. */
export const OTHERS = 2;

/** What fits. */
const LONGEST_MS = 2 ** 31 - 1;

export class LoopSigns {
  readonly shared: Int32Array<SharedArrayBuffer>;
  /** How many runs may keep the event loop for so long. */
  readonly #mayBlock = new Map<Millis, number>();

  /** @param others so many numbers are shared besides */
  constructor(others = 0) {
    this.shared = new Int32Array(new SharedArrayBuffer((OTHERS + others) * Int32Array.BYTES_PER_ELEMENT));
    this.#note();
  }

  /** To be called each second at least. */
  turned(): void {
    Atomics.add(this.shared, TURNS, 1);
  }

  /** Code of a run begins that may keep the event loop for so long. */
  begins(ms: Millis): void {
    this.#count(ms, 1);
  }

  /** It has ended. */
  ends(ms: Millis): void {
    this.#count(ms, -1);
  }

  #count(ms: Millis, by: 1 | -1): void {
    const count = (this.#mayBlock.get(ms) ?? 0) + by;
    if (count > 0) this.#mayBlock.set(ms, count);
    else this.#mayBlock.delete(ms);
    this.#note();
  }

  #note(): void {
    const least = Math.max(LEAST_SILENCE_MS, mayBlockMs([...this.#mayBlock.keys()]));
    Atomics.store(this.shared, MAY_BLOCK, Math.min(least, LONGEST_MS));
  }
}

/** How often a thread calls `look`. */
export const LOOK_EVERY_MS = 500;

/** For the text of a thread that has `shared`: after `look()`, `still` is for how long the event loop has not turned, and `mayBeStill()` for how long it may. */
export const LOOKING_SCRIPT = `
const seenBy = new Int32Array(shared);
let turns = Atomics.load(seenBy, ${TURNS});
let still = 0;
let lookedAt = performance.now();
function look() {
  const now = Atomics.load(seenBy, ${TURNS});
  const at = performance.now();
  // A process that was paused, or whose machine slept, is not blocked: this thread was not awake either.
  still = now === turns ? still + Math.min(at - lookedAt, ${2 * LOOK_EVERY_MS}) : 0;
  turns = now;
  lookedAt = at;
}
const mayBeStill = () => Atomics.load(seenBy, ${MAY_BLOCK});
`;
