/** How the states of a key are painted, and how a sentence says that a key is in one. */
import type { ShownState } from '../../model/partition-status.ts';

export const STYLES = {
  materialized: 'good',
  failed: 'bad',
  missing: 'warn',
  stale: 'warn',
  backlog: 'dim',
  skipped: 'dim',
  'in progress': 'strong',
} as const;

/** States that a key came into at a moment, and the verb before them; the others last. */
const HAPPENED: Readonly<Partial<Record<ShownState, string>>> = {
  materialized: 'was ',
  failed: '',
  skipped: 'was ',
};

const AGO = ' ago';

/** `has been missing for 12 s`, `failed on 2026-11-26 13:05`. @param when as `shortTime` tells it; `null`: it is not known */
export function sentence(state: ShownState, painted: string, when: string | null): string {
  const verb = when === null ? 'is ' : (HAPPENED[state] ?? 'has been ');
  return `${verb}${state === 'backlog' ? 'in the ' : ''}${painted}${sinceWhen(state, when)}`;
}

/** What follows the state: ` for 12 s` or ` since 2026-11-26 13:05` of one that lasts, else ` 12 s ago` or ` on 2026-11-26 13:05`. */
export function sinceWhen(state: ShownState, when: string | null): string {
  if (when === null) return '';
  const isAge = when.endsWith(AGO);
  if (HAPPENED[state] !== undefined) return isAge ? ` ${when}` : ` on ${when}`;
  return isAge ? ` for ${when.slice(0, -AGO.length)}` : ` since ${when}`;
}
