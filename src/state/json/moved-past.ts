/** The past of a state that is a file, when it is moved. */
import fs from 'node:fs';
import path from 'node:path';
import { io } from '../../files/durable-files.ts';
import type { RunRecord } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import { GROUP } from '../moving/belongings.ts';
import type { RunLogLine } from '../store.ts';
import { HistoryFiles } from './history-files.ts';

export class MovedPast {
  readonly #beside: string;
  readonly #history: HistoryFiles;
  /** Until all of them are known: they are written oldest first. */
  #runs: RunRecord[] = [];

  constructor(beside: string) {
    this.#beside = beside;
    this.#history = new HistoryFiles(beside);
  }

  *runs(): Generator<readonly RunRecord[]> {
    let group: RunRecord[] = [];
    for (const run of this.#history.finishedRuns()) {
      group.push(run);
      if (group.length < GROUP) continue;
      yield group;
      group = [];
    }
    yield group;
  }

  clear(): void {
    for (const name of ['history', 'logs']) {
      const folder = path.join(this.#beside, name);
      io('remove', folder, () => fs.rmSync(folder, { recursive: true, force: true }));
    }
  }

  putTicks(ticks: readonly TickRecord[]): void {
    this.#history.recordTicks(ticks.toReversed());
  }

  putRuns(runs: readonly RunRecord[]): void {
    if (runs.length > 0) {
      this.#runs.push(...runs);
      return;
    }
    this.#history.recordRuns(this.#runs.reverse(), []);
    this.#runs = [];
  }

  putLogs(logs: readonly (readonly [run: string, lines: readonly RunLogLine[]])[]): void {
    for (const [run, lines] of logs) {
      this.#history.logs.append(run, lines);
      this.#history.logs.close(run);
    }
  }
}
