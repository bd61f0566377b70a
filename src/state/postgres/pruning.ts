/** What goes of the past: runs and ticks that are more or older than is to be kept. */
import type { HistoryRetention } from '../../model/history-retention.ts';
import { type Clock, isoTime } from '../../model/time.ts';
import { pruneRuns, pruneTicks } from './history.ts';
import type { Port } from './port.ts';

/** Every so many runs that ended, the oldest ones go. */
const PRUNE_EVERY = 500;

export class Pruning {
  readonly #retention: () => HistoryRetention;
  readonly #clock: Clock;
  #ended = 0;

  constructor(clock: Clock, retention: () => HistoryRetention = () => ({})) {
    this.#clock = clock;
    this.#retention = retention;
  }

  /** So many more runs have ended, in this transaction. */
  runsEnded(port: Port, count: number): void {
    this.#ended += count;
    if (this.#ended < PRUNE_EVERY) return;
    this.#ended = 0;
    const retention = this.#retention();
    pruneRuns(port, retention, this.#before(retention));
  }

  async ticked(port: Port, sensor: string): Promise<void> {
    const retention = this.#retention();
    await pruneTicks(port, sensor, { ticks: retention.ticks, before: this.#before(retention) });
  }

  #before({ days }: HistoryRetention): string | null {
    return days === undefined ? null : isoTime(this.#clock.now() - days * 86_400_000);
  }
}
