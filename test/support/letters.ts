/** What became of an asset for all keys of a set, as a string with a letter each: short enough to compare in one line. */
import type { PartitionStatus } from '../../src/model/partition-status.ts';
import type { StateView } from '../../src/state/state-view.ts';

const LETTERS: Readonly<Record<PartitionStatus, string>> = {
  missing: '.',
  materialized: 'm',
  failed: 'f',
  'failed-again': 'F',
  backlog: 'b',
  skipped: 's',
  'stale-version': 'v',
  'stale-code': 'c',
  'stale-upstream': 'u',
  'failed-changed': 'g',
  'failed-again-version': 'V',
  'failed-again-code': 'C',
  'failed-again-upstream': 'U',
  'failed-changed-version': 'W',
  'failed-changed-code': 'D',
  'failed-changed-upstream': 'X',
};

export function letterFor(status: PartitionStatus): string {
  return LETTERS[status];
}

export function letters(view: StateView, asset: string, set: string | null): string {
  const keys = set === null ? [null] : view.keys(set);
  return view.statusOf(asset, set, keys).map(letterFor).join('');
}
