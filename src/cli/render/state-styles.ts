/** How the states of a key are painted. */
export const STYLES = {
  materialized: 'good',
  failed: 'bad',
  missing: 'warn',
  stale: 'warn',
  backlog: 'dim',
  skipped: 'dim',
  'in progress': 'strong',
} as const;
