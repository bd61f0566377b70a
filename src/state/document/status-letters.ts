/** Statuses as the document keeps them, a letter a key: to words and back. */
import type { PartitionStatus } from '../../model/partition-status.ts';

const LETTERS = { materialized: 'm', failed: 'f', 'failed-since': 'F', missing: '.' } as const;

/** By the code of the letter: a million keys are counted at once. */
const WORDS: PartitionStatus[] = [];
for (const [word, letter] of Object.entries(LETTERS)) WORDS[letter.charCodeAt(0)] = word as PartitionStatus;

export function letterOf(status: PartitionStatus): string {
  return LETTERS[status];
}

/** A position beyond the end of a column is that of a missing one. */
export function statusAt(column: string, position: number): PartitionStatus {
  return WORDS[column.charCodeAt(position)] ?? 'missing';
}

/** The statuses of so many keys. */
export function statusesIn(column: string, count: number): PartitionStatus[] {
  const statuses = new Array<PartitionStatus>(count);
  for (let position = 0; position < count; position++) statuses[position] = statusAt(column, position);
  return statuses;
}
