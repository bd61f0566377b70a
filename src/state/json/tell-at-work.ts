/** Says in a file which runs' code blocks this process, from a thread of it, for as long as it does. */
import { ASKING_SCRIPT, MOST_ASKS } from '../at-work.ts';
import { beside } from '../../files/heartbeat.ts';
import { LOOK_EVERY_MS, LOOKING_SCRIPT, LoopSigns } from '../loop-signs.ts';

const SOONER_MS = 2000;

const SCRIPT = `
const fs = require('node:fs');
const { file, shared } = require('node:worker_threads').workerData;
${LOOKING_SCRIPT}
${ASKING_SCRIPT}
let isBlocked = false;
let isAsking = false;
let isTold = false;
let asks = ${MOST_ASKS};
function quietly(work) {
  try {
    work();
  } catch {
    // The disk is in trouble, or the folder is gone: then all runs that have begun are named.
  }
}
function tell() {
  // A little before others may say that it is blocked.
  isBlocked = still > mayBeStill() - ${SOONER_MS};
  if (!isBlocked) {
    asks = ${MOST_ASKS};
    if (isTold) quietly(() => fs.rmSync(file, { force: true }));
    isTold = false;
  }
  if (!isBlocked || isTold || isAsking || asks-- <= 0) return;
  isAsking = true;
  atWork((runs) => {
    isAsking = false;
    if (!isBlocked || runs === null) return;
    isTold = true;
    quietly(() => fs.writeFileSync(file, runs.join(' ') + '\\n'));
  });
}
setInterval(() => { look(); tell(); }, ${LOOK_EVERY_MS});
`;

export class TellingAtWork {
  readonly #loop = new LoopSigns();
  readonly #end: () => Promise<void>;

  /** @param begun for how long code of each run that has begun may keep the event loop */
  constructor(file: string, begun: Iterable<number>) {
    for (const mayBlockMs of begun) this.#loop.begins(mayBlockMs);
    this.#end = beside(SCRIPT, { file, shared: this.#loop.shared.buffer });
  }

  begins(mayBlockMs: number): void {
    this.#loop.begins(mayBlockMs);
  }

  ends(mayBlockMs: number): void {
    this.#loop.ends(mayBlockMs);
  }

  /** The event loop has turned. */
  turned(): void {
    this.#loop.turned();
  }

  end(): Promise<void> {
    return this.#end();
  }
}
