/** Runs that wait in a line: who came first is taken first. */
import type { OwnedRun } from '../plan/executors/owned-run.ts';

export class Line {
  #runs: OwnedRun[];
  /** Where those begin that still wait: taking the first of a long list away one by one would move all others each time. */
  #first = 0;

  constructor(runs: OwnedRun[] = []) {
    this.#runs = runs;
  }

  get size(): number {
    return this.#runs.length - this.#first;
  }

  /** The one that is next. */
  get first(): OwnedRun | undefined {
    return this.#runs[this.#first];
  }

  push(run: OwnedRun): void {
    this.#runs.push(run);
  }

  /** Puts these before all others. */
  putFirst(runs: readonly OwnedRun[]): void {
    if (runs.length <= this.#first) for (const run of runs.toReversed()) this.#runs[--this.#first] = run;
    else {
      this.#runs = [...runs, ...this];
      this.#first = 0;
    }
  }

  shift(): OwnedRun | undefined {
    const run = this.#runs[this.#first];
    if (run !== undefined && ++this.#first === this.#runs.length) this.#dropTaken();
    return run;
  }

  /** Takes one out, wherever it stands. */
  take(id: string): OwnedRun | undefined {
    this.#dropTaken();
    const at = this.#runs.findIndex((run) => run.id === id);
    return at === -1 ? undefined : this.#runs.splice(at, 1)[0];
  }

  takeAll(): OwnedRun[] {
    this.#dropTaken();
    return this.#runs.splice(0);
  }

  some(passes: (run: OwnedRun) => boolean): boolean {
    for (const run of this) if (passes(run)) return true;
    return false;
  }

  *[Symbol.iterator](): Generator<OwnedRun> {
    for (let at = this.#first; at < this.#runs.length; at++) yield this.#runs[at]!;
  }

  #dropTaken(): void {
    this.#runs = this.#runs.slice(this.#first);
    this.#first = 0;
  }
}
