/** Status letters stay short and cheap, however many keys an asset has. */
import { expect, it } from 'vitest';
import { emptyDocument, type StateDocument } from '../../../src/state/document/state-document.ts';
import { StatusChanges } from '../../../src/state/document/status-changes.ts';

const keysOf = (count: number) => Array.from({ length: count }, (_, at) => `k${at}`);

/** A state of which only the last of so many keys is materialized. */
function lastOf(count: number): StateDocument {
  const keys = keysOf(count);
  return {
    ...emptyDocument(),
    sets: { s: { keys, added: [], keptOut: [] } },
    assets: { a: { set: 's', status: `${'.'.repeat(count - 1)}m` } },
  };
}

function marked(document: StateDocument, key: string, as: 'materialized' | 'missing') {
  const changes = new StatusChanges(document);
  changes.mark('a', 's', [key], as);
  return changes.entries()['a']?.status;
}

/** Microseconds of the processor to mark the second of so many keys, the best of three: what else the machine does counts for nothing. */
function timeOf(count: number): number {
  const document = lastOf(count);
  const taken = Array.from({ length: 3 }, () => {
    const from = process.cpuUsage();
    marked(document, 'k1', 'materialized');
    const { user, system } = process.cpuUsage(from);
    return user + system;
  });
  return Math.min(...taken);
}

it('name no missing keys at the end', () => {
  expect(marked(lastOf(6), 'k1', 'materialized')).toBe('.m...m');
  expect(marked(lastOf(6), 'k5', 'missing')).toBe('');
});

it('cost time in proportion to the keys, also where nearly all are missing', () => {
  timeOf(1000);
  expect(timeOf(80_000) / timeOf(8000)).toBeLessThan(45);
});
