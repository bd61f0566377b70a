/** When assets were made last and when sensors brought a key last, from the changes that were committed; held against the state. */
import type { StateChange } from '../../src/state/changes.ts';
import type { StateDocument } from '../../src/state/document/state-document.ts';
import type { StateView } from '../../src/state/state-view.ts';
import { ASSETS, SENSORS } from './history-model.ts';

/** New keys are expected of this one of the sensors. */
export const EXPECTED_OF: string = SENSORS[0];

type Same = (is: unknown, should: unknown, what: string) => void;

export class HistoryTimes {
  readonly #made = new Map<string, string>();
  readonly #quiet = new Map<string, string>();

  /** Of a commit that was made. */
  learn(changes: readonly StateChange[]): void {
    for (const change of changes) {
      if (change.type === 'runs-finished')
        for (const { record } of change.runs)
          for (const { asset, status } of record.assets)
            if (status === 'SUCCESS') this.#wasMade(asset, record.finishedAt!);
      if (change.type === 'keys-marked' && change.as === 'materialized')
        this.#wasMade(change.asset, change.at);
      if (change.type === 'pipeline-known' && !this.#quiet.has(EXPECTED_OF))
        this.#quiet.set(EXPECTED_OF, change.at);
      if (change.type === 'sensor-changed' && change.tick?.partitions.some(({ added }) => added.length > 0))
        this.#quiet.set(change.sensor, change.tick.finishedAt);
    }
  }

  /** After each commit: of an asset of which nothing is on record, since its key was removed meanwhile, nothing is kept. */
  verify(view: StateView, document: StateDocument, same: Same): void {
    for (const { name, set } of ASSETS) {
      if (!Object.hasOwn(document.assets, name)) this.#made.delete(name);
      same(
        view.counts({ asset: name, set }).madeAt,
        this.#made.get(name) ?? null,
        `when ${name} was made last`,
      );
    }
    for (const sensor of SENSORS)
      same(view.sensor(sensor).quietSince, this.#quiet.get(sensor) ?? null, `since when ${sensor} is quiet`);
  }

  #wasMade(asset: string, at: string): void {
    if (at > (this.#made.get(asset) ?? '')) this.#made.set(asset, at);
  }
}
