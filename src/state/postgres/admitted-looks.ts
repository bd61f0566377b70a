/** Looks at the state in its tables, where they are dynpart's, of this version, and the pipeline's own. */
import type { StateIdentity } from '../../model/known-pipeline.ts';
import type { Millis } from '../../model/time.ts';
import { viewOf } from '../document/document-view.ts';
import type { Needs } from '../needs.ts';
import type { StateView } from '../state-view.ts';
import type { Address } from './address.ts';
import { foreign, otherVersion } from './database-errors.ts';
import { executorView } from './executors.ts';
import type { OwnClock } from './own-clock.ts';
import type { Port } from './port.ts';
import type { Moment } from './read/moment.ts';
import type { SeenExecutors } from './read/runs.ts';
import { readWhole } from './read/whole.ts';
import { SCHEMA_VERSION } from './schema.ts';
import { readPast, readView } from './view-of-state.ts';

export interface AdmittedLooksOptions extends OwnClock {
  readonly address: Address;
  /** Asked whenever another pipeline is remembered than before: throws where the state must not be used. Default: it may. */
  readonly admit?: (state: StateIdentity) => void | Promise<void>;
}

export class AdmittedLooks {
  readonly #options: AdmittedLooksOptions;
  /** What was admitted last. */
  #admitted: string | undefined;
  readonly #seen: SeenExecutors = {};

  constructor(options: AdmittedLooksOptions) {
    this.#options = options;
  }

  async view(port: Port, needs: Needs): Promise<StateView> {
    const tools = {
      admit: (moment: Moment | null) => this.#admit(moment),
      viewOf: (row: Moment['executors'][number]) => executorView(row, this.#options.clock.now()),
      seen: this.#seen,
      aheadIn: (moment: Moment) => this.#aheadIn(moment),
    };
    if (!needs.everything) return readView(port, needs, tools);
    const { document, moment } = await this.whole(port);
    const clockAhead = tools.aheadIn(moment);
    const executors = new Map(moment.executors.map((row) => [row.id, row]));
    const ticks = new Map(moment.sensors.map(({ name, lastTick }) => [name, lastTick]));
    const view = viewOf(document, {
      judge: ({ id }) => tools.viewOf(executors.get(id)!),
      lastTick: (sensor) => ticks.get(sensor) ?? null,
      past: await readPast(port, needs),
    });
    return { ...view, clockAhead: () => clockAhead };
  }

  /** The whole state as one document. */
  whole(port: Port): ReturnType<typeof readWhole> {
    return readWhole(port, (moment) => this.#admit(moment));
  }

  /** Time that the answer was on its way makes it less: what began then counts as younger, and limits no less. */
  #aheadIn({ clock: theirs }: Moment): Millis {
    const { clock, hasOwnTime = false } = this.#options;
    return theirs === null || hasOwnTime ? 0 : theirs - clock.now();
  }

  async #admit(moment: Moment | null): Promise<Moment> {
    const { address, admit } = this.#options;
    if (moment === null) throw foreign(address);
    if (moment.version !== SCHEMA_VERSION) throw otherVersion(address, moment.version, SCHEMA_VERSION);
    const { pipeline, move } = moment;
    const seen = JSON.stringify([pipeline, move]);
    if (seen !== this.#admitted) await admit?.({ pipeline, move, sets: [], assets: [], mayBeShared: false });
    this.#admitted = seen;
    return moment;
  }
}
