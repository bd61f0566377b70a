/** Who was told what in a history: nothing that is not on record, nothing twice that was said to be told, and everything in the end. */
import type { Incident, NotifyMessage, NotifyOn } from '../../src/definitions/notify.ts';
import type { IncidentRecord } from '../../src/model/incident.ts';
import { demand } from './history-model.ts';

/** How the hook takes what it is told; `'dies'`: the process is killed behind it, and nobody knows any more that it was told. */
export type Hearing = 'works' | 'throws' | 'dies';

export const HOOK = 'person';
export const TOLD_OF: readonly NotifyOn[] = ['run-failed', 'sensor-failed', 'stuck', 'overdue', 'recovered'];

/** Nobody is told twice of the same within so long. */
const LEAST_MS = 60_000;

interface Telling {
  readonly what: string;
  readonly occasion: Incident['occasion'];
  readonly since: string;
  readonly at: number;
  /** Whether it is in the state that it was told. */
  isKnown: boolean;
}

export class HistoryTold {
  /** On record now, and all that ever was. */
  #list: readonly IncidentRecord[] = [];
  readonly #ever = new Map<string, string>();
  /** Sensors that were stopped at some time: nobody has to be told any more that nothing is wrong with them. */
  readonly #stopped = new Set<string>();
  readonly #tellings: Telling[] = [];

  readonly #count: (what: string) => void;

  constructor(count: (what: string) => void) {
    this.#count = count;
  }

  /** What is on record after a commit. */
  learn(list: readonly IncidentRecord[], stopped: readonly string[]): void {
    this.#list = list;
    for (const sensor of stopped) this.#stopped.add(sensor);
    for (const one of list) if (!this.#ever.has(nameOf(one))) this.#ever.set(nameOf(one), one.since);
  }

  /** The hook is called. @returns what is to be called when it is in the state that it took this */
  hears({ incidents }: NotifyMessage, now: number): () => void {
    const fresh = incidents.map(({ occasion, since, ...one }): Telling => {
      const what = nameOf(one);
      const onRecord = this.#list.find((other) => nameOf(other) === what);
      demand(onRecord !== undefined, `what is told of ${what} is on record`, this.#list);
      const known = this.#tellings.filter((telling) => telling.what === what && telling.isKnown);
      const isAgain = known.some((telling) => telling.occasion === occasion && telling.since === since);
      demand(!isAgain, `${what} is told once as ${occasion}`, known);
      const last = known.at(-1);
      demand(last === undefined || now - last.at >= LEAST_MS, `${what} is not told within a minute`, known);
      const before = this.#tellings.filter((telling) => telling.what === what).at(-1);
      if (before?.isKnown === false) this.#count('told again, since nobody knew of it');
      return { what, occasion, since, at: now, isKnown: false };
    });
    this.#tellings.push(...fresh);
    return () => {
      for (const telling of fresh) {
        telling.isKnown = true;
        this.#count(`told as ${telling.occasion}`);
      }
    };
  }

  /** A while after the hook works, and nothing more is due. */
  verifyEnd(): void {
    for (const [what, since] of this.#ever) {
      const known = this.#tellings.filter((telling) => telling.what === what && telling.isKnown);
      const isTold = known.some(({ at }) => at >= Date.parse(since));
      demand(isTold, `${what} was told at least once`, { since, tellings: this.#tellings });
      const found = this.#list.find((one) => nameOf(one) === what);
      const isOpen = found !== undefined && found.over === undefined;
      const isExempt = [...this.#stopped].some((sensor) => what.startsWith(`sensor ${sensor} `));
      if (!isExempt)
        demand(known.at(-1)!.occasion === 'recovered' || isOpen, `the end of ${what} was told`, known);
    }
  }
}

function nameOf({ asset, sensor, code }: Pick<IncidentRecord, 'asset' | 'sensor' | 'code'>): string {
  return `${asset === null ? `sensor ${sensor}` : `asset ${asset}`} ${code}`;
}
