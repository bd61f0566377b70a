/** What goes on of what `notify` tells, as a status shows it. Pure. */
import type { IncidentKind, IncidentRecord } from '../model/incident.ts';
import { counted } from '../model/text.ts';

export interface OpenIncident {
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
  /** The run that failed first; `null` where none did. */
  readonly run: string | null;
}

/**
 * What is open, the oldest first.
 * @param assets those that are looked at; sensors always are
 */
export function openIncidents(
  incidents: readonly IncidentRecord[],
  assets: readonly { readonly name: string }[],
): OpenIncident[] {
  const names = new Set(assets.map(({ name }) => name));
  return incidents
    .filter(({ over, asset }) => over === undefined && (asset === null || names.has(asset)))
    .map((one) => ({
      kind: one.kind,
      asset: one.asset,
      sensor: one.sensor,
      code: one.code,
      message: one.message,
      since: one.since,
      names: one.names,
      more: one.more,
      run: one.run ?? null,
    }))
    .toSorted((one, other) => (one.since < other.since ? -1 : Number(one.since > other.since)));
}

/** @param began when the oldest did, in words; @returns `null` where nothing is open */
export function incidentLine(
  incidents: readonly OpenIncident[],
  began: (since: string) => string,
): string | null {
  const [oldest] = incidents;
  if (oldest === undefined) return null;
  const of = oldest.asset ?? oldest.sensor ?? oldest.kind;
  const which = incidents.length === 1 ? 'it' : 'the oldest';
  return `${counted(incidents.length, 'incident')} open, ${which} began ${began(oldest.since)}: ${of} (${oldest.code})`;
}
