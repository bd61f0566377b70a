/** Incidents: what somebody is to be told of, and what of it was told to whom. Plain data, as the state keeps it. */

/** What kinds there are; a hook says which of them it wants. */
export type IncidentKind = 'run-failed' | 'sensor-failed' | 'stuck' | 'overdue';

/**
 * One asset or sensor and one code, from when it began until every hook knows that it is over.
 *
 * ```
 *  (none) ─► OPEN ─► OVER ─► (none)   when every hook was told, and a minute later
 *             ▲        │
 *             └────────┘              again, before everybody was told
 * ```
 */
export interface IncidentRecord {
  readonly kind: IncidentKind;
  /** One of the two is `null`. */
  readonly asset: string | null;
  readonly sensor: string | null;
  readonly code: string;
  /** What was said first. */
  readonly message: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** The first keys, or parts of a source, that it is about. */
  readonly names: readonly string[];
  /** How many more there are. */
  readonly more: number;
  /** The run that failed first. */
  readonly run?: string;
  /** Not there while it goes on. */
  readonly over?: IncidentEnd;
  /** By hook. One that is not there was not told. */
  readonly told: Readonly<Record<string, Told>>;
}

export interface IncidentEnd {
  readonly at: string;
  /** `gone`: the asset or sensor is not there any more, or was stopped: nobody has to be told of that. */
  readonly why: 'well' | 'gone';
}

/** What a hook was told last, and when (ISO 8601, UTC). */
export interface Told {
  readonly at: string;
  readonly as: 'open' | 'over';
}

/** A hook that somebody calls, or that did not take what it was given last. */
export interface Calling {
  /** When it was called last (ISO 8601, UTC). */
  readonly at: string;
  /** How often in a row without success. */
  readonly tries: number;
  /** What came of it was said. */
  readonly isSaid?: true;
}

/** All that is open, and all that is not told yet. */
export interface Incidents {
  readonly list: readonly IncidentRecord[];
  /** By hook. */
  readonly calling: Readonly<Record<string, Calling>>;
}

export const NO_INCIDENTS: Incidents = { list: [], calling: {} };

/** So many names are kept of an incident: more than are told, so that it is known for longer which of them are well again. */
export const MOST_NAMES = 100;

/** Whether there is nothing to keep. */
export function isNothing({ list, calling }: Incidents): boolean {
  return list.length === 0 && Object.keys(calling).length === 0;
}

/** One incident is one asset or sensor, and one code. */
export function isSame(
  one: Pick<IncidentRecord, 'asset' | 'sensor' | 'code'>,
  other: Pick<IncidentRecord, 'asset' | 'sensor' | 'code'>,
): boolean {
  return one.asset === other.asset && one.sensor === other.sensor && one.code === other.code;
}
