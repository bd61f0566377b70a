/** Past ticks from the two places that have them: the history, and the state for the last tick that changed a sensor. */
import type { TickRecord } from '../../model/tick.ts';
import type { StateChange } from '../changes.ts';
import { entryOf, type StateDocument } from '../document/state-document.ts';
import { isRecorded, isRecordedByOthers, lastTick, pastTicks } from '../past-ticks.ts';
import type { HistoryFiles } from './history-files.ts';

export interface HistoryPlace {
  /** For reading. */
  readonly there: () => HistoryFiles;
  /** For writing. */
  readonly own: () => HistoryFiles;
}

export class TickHistory {
  readonly #place: HistoryPlace;
  /** By sensor, when a tick began that is in the history: it is not looked for again. */
  readonly #recorded = new Map<string, string>();

  constructor(place: HistoryPlace) {
    this.#place = place;
  }

  record(document: StateDocument, tick: TickRecord): void {
    const { sensor } = tick;
    const history = this.#place.own();
    this.#recordReplaced(document, sensor, tick);
    if (!isRecordedByOthers(tick, tickIn(document, sensor), () => history.ticks(sensor)))
      history.recordTick(tick);
  }

  /** The ticks of processes that were killed between their commit and the history: before others take their place. */
  recordReplacedBy(document: StateDocument, changes: readonly StateChange[]): void {
    for (const change of changes)
      if (change.type === 'sensor-changed' && change.tick !== undefined)
        this.#recordReplaced(document, change.sensor, change.tick);
  }

  /** Newest first. */
  ticks(document: StateDocument, sensor: string, limit: number): TickRecord[] {
    const ticks: TickRecord[] = [];
    for (const tick of pastTicks(tickIn(document, sensor), () => this.#place.there().ticks(sensor))) {
      if (ticks.length >= limit) break;
      ticks.push(tick);
    }
    return ticks;
  }

  /** The last one that evaluated the sensor. */
  last(sensor: string, inState: TickRecord | null): TickRecord | null {
    const last = lastTick(inState, () => this.#place.there().ticks(sensor));
    if (inState !== null && last !== inState) this.#recorded.set(sensor, inState.startedAt);
    return last;
  }

  #recordReplaced(document: StateDocument, sensor: string, next: TickRecord): void {
    const last = tickIn(document, sensor);
    if (last === null || last.startedAt === next.startedAt) return;
    if (last.startedAt === this.#recorded.get(sensor)) return;
    const history = this.#place.own();
    if (!isRecorded(last, () => history.ticks(sensor))) history.recordTick(last);
    this.#recorded.set(sensor, last.startedAt);
  }
}

function tickIn({ sensors }: StateDocument, sensor: string): TickRecord | null {
  return entryOf(sensors, sensor)?.lastTick ?? null;
}
