/** What goes on of what `notify` tells, as a status shows it. Pure. */
import type { IncidentRecord } from '../model/incident.ts';
import { counted } from '../model/text.ts';

export interface OpenIncident extends Omit<IncidentRecord, 'run' | 'over' | 'told'> {
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
    .map((one) => {
      const { over: _over, told: _told, run = null, ...open } = one;
      return { ...open, run };
    })
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
