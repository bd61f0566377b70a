/** A partition of an asset: the asset for one key of its set, or the whole asset where the asset has no set; and what is on record of the partition. */
import type { StaleReason } from './stale-reason.ts';

export interface PartitionRef {
  readonly asset: string;
  /** Both are `null` for an asset without a set. */
  readonly set: string | null;
  readonly key: string | null;
}

/**
 * What was made stands until it is replaced or skipped; what became of the last run is another fact.
 *
 * ```
 *                      nothing is there                     something is there
 *   as it should be                                         materialized
 *   not made           missing · backlog                    stale-REASON
 *   last run failed    failed                               failed-again · failed-again-REASON
 *   … and since then
 *   something changed  failed-changed                       failed-changed-REASON
 *   nothing to make    skipped
 * ```
 *
 * `backlog`: missing since before the asset was automated. REASON: the first one that made it stale.
 */
export type PartitionStatus = keyof typeof FACTS;

interface Facts {
  readonly counted: CountedStatus;
  /** Whether what depends on it can be made. */
  readonly isThere: boolean;
  readonly stale: StaleReason | null;
  /** What it is when something that it is made from has changed. */
  readonly changed: (reason: StaleReason) => PartitionStatus;
}

/** What a status counts as. A stale one is materialized as well, and one of the backlog is missing. */
export type CountedStatus = 'missing' | 'failed' | 'skipped' | 'materialized';

const FACTS = {
  missing: facts('missing', null, () => 'missing'),
  // Of its backlog an asset makes what has got another version.
  backlog: facts('missing', null, (reason) => (reason === 'version' ? 'missing' : 'backlog')),
  skipped: facts('skipped', null, () => 'missing'),
  failed: facts('failed', null, () => 'failed-changed'),
  'failed-changed': facts('failed', null, () => 'failed-changed'),
  materialized: there('materialized', null, (reason) => `stale-${reason}`),
  'stale-version': there('materialized', 'version', () => 'stale-version'),
  'stale-code': there('materialized', 'code', () => 'stale-code'),
  'stale-upstream': there('materialized', 'upstream', () => 'stale-upstream'),
  'failed-again': there('failed', null, (reason) => `failed-changed-${reason}`),
  'failed-again-version': there('failed', 'version', () => 'failed-changed-version'),
  'failed-again-code': there('failed', 'code', () => 'failed-changed-code'),
  'failed-again-upstream': there('failed', 'upstream', () => 'failed-changed-upstream'),
  'failed-changed-version': there('failed', 'version', () => 'failed-changed-version'),
  'failed-changed-code': there('failed', 'code', () => 'failed-changed-code'),
  'failed-changed-upstream': there('failed', 'upstream', () => 'failed-changed-upstream'),
} as const;

function facts<const Counted extends CountedStatus>(
  counted: Counted,
  stale: StaleReason | null,
  changed: (reason: StaleReason) => string,
) {
  return { counted, stale, isThere: false, changed };
}

function there<const Counted extends CountedStatus>(
  counted: Counted,
  stale: StaleReason | null,
  changed: (reason: StaleReason) => string,
) {
  return { counted, stale, isThere: true, changed };
}

function of(status: PartitionStatus): Facts {
  return FACTS[status] as Facts;
}

/** Every status, in the order of the table. */
export const STATUSES = Object.keys(FACTS) as readonly PartitionStatus[];

export function countedAs(status: PartitionStatus): CountedStatus {
  return of(status).counted;
}

export function isThere(status: PartitionStatus): boolean {
  return of(status).isThere;
}

/** Why what counts as materialized is to be made again; `null`: it is not. */
export function whyStale(status: PartitionStatus): StaleReason | null {
  const { counted, stale } = of(status);
  return counted === 'materialized' ? stale : null;
}

/** A failed one that there is a new reason to try again. */
export function hasChangedSince(status: PartitionStatus): boolean {
  return status.startsWith('failed-changed');
}

/** After something that it is made from has changed. The first reason stays. */
export function afterChange(status: PartitionStatus, reason: StaleReason): PartitionStatus {
  return of(status).changed(reason);
}

/** Whether a change of it is one for what is downstream: what was never made, nothing was made from. */
export function isUpstreamOfMore(status: PartitionStatus): boolean {
  return status === 'skipped' || isThere(status);
}

/** After a run has ended for it. What is there stands when the run failed. */
export function afterRun(status: PartitionStatus, outcome: 'made' | 'failed' | 'skipped'): PartitionStatus {
  if (outcome === 'made') return 'materialized';
  if (outcome === 'skipped') return 'skipped';
  if (!isThere(status)) return 'failed';
  const { stale } = of(status);
  return stale === null ? 'failed-again' : `failed-again-${stale}`;
}

/** Where an asset stands with a key, in all the words of the public API. */
export type ShownState = CountedStatus | 'stale' | 'backlog' | 'in progress';

export function shownState(state: PartitionStatus | 'in progress'): ShownState {
  return state === 'in progress' || state === 'backlog' ? state : shownAs(state);
}

/** What is on record, in the words that a sensor is told. */
export function shownAs(status: PartitionStatus): CountedStatus | 'stale' {
  return whyStale(status) === null ? countedAs(status) : 'stale';
}
