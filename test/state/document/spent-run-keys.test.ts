/** The run keys that sensors have spent, kept in letters or one by one: what is spent is the same, and the state stays small. */
import * as fc from '../../support/random.ts';
import { expect, it } from 'vitest';
import { applyChanges } from '../../../src/state/document/apply-changes.ts';
import { checkState } from '../../../src/state/document/check-state.ts';
import { viewOf } from '../../../src/state/document/document-view.ts';
import type { StateChange } from '../../../src/state/changes.ts';
import type { StateDocument } from '../../../src/state/document/state-document.ts';
import { keysAdded, queuedRuns } from '../../support/builders.ts';
import { fullDocument } from '../../support/documents.ts';

const empty = fullDocument({ sensors: {}, assets: {}, runs: [], sets: {} });

const after = (document: StateDocument, ...changes: readonly StateChange[]): StateDocument =>
  applyChanges(document, changes, () => undefined);

let groups = 0;

const spending = (sensor: string, keys: readonly string[]): StateChange => ({
  type: 'runs-queued',
  owner: null,
  runs: queuedRuns({ group: `group${++groups}`, sensor, set: 'letters', keys, runKeys: keys }),
});

const removing = (keys: readonly string[]): StateChange => ({
  type: 'keys-removed',
  set: 'letters',
  keys,
  keepOut: false,
});

const keysFrom = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, at) => `key-${from + at}`);

const spentIn = (document: StateDocument, sensor: string, keys: readonly string[]): string[] => {
  const view = viewOf(document, { judge: () => ({}) as never, lastTick: () => null });
  return Array.from(view.spentRunKeys(sensor, keys)).sort();
};

it('A thousand sensors that have spent a key each do not make the state a thousand times as long', () => {
  const many = 1000;
  const keys = keysFrom(0, many);
  const document = after(
    empty,
    keysAdded('letters', keys),
    ...keys.map((key) => spending(`sensor of ${key}`, [key])),
  );
  expect(spentIn(document, 'sensor of key-7', keys)).toEqual(['key-7']);
  const text = JSON.stringify(Object.values(document.sensors).map(({ runKeys }) => runKeys));
  expect(text.length).toBeLessThan(many * 100);
});

it('Keys that are spent are spent, however many there are of them, and removing one lets go of it', () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'spend', 'remove'),
    from: fc.nat(300),
    count: fc.oneof(fc.nat(3), fc.nat(150)),
  });
  const kept = { letters: 0, oneByOne: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 3, maxLength: 12 }), (steps) => {
      const there = new Set(keysFrom(0, 150));
      const spent = new Set<string>();
      let document = after(empty, keysAdded('letters', [...there]));
      for (const { kind, from, count } of steps) {
        const asked = keysFrom(from, from + count);
        const keys = asked.filter((key) =>
          kind === 'add' ? !there.has(key) : there.has(key) && !(kind === 'spend' && spent.has(key)),
        );
        if (keys.length === 0) continue;
        if (kind === 'add') document = after(document, keysAdded('letters', keys));
        else if (kind === 'spend') document = after(document, spending('feed', keys));
        else document = after({ ...document, runs: [] }, removing(keys));
        for (const key of keys)
          if (kind === 'add') there.add(key);
          else if (kind === 'spend') spent.add(key);
          else for (const those of [there, spent]) those.delete(key);
        document = { ...document, runs: [] };
        expect(checkState(document)).toEqual([]);
        expect(spentIn(document, 'feed', keysFrom(0, 500))).toEqual([...spent].sort());
        const { ofKeys = {}, other = [] } = document.sensors['feed']?.runKeys ?? {};
        if (other.length > 0) kept.oneByOne++;
        else if (Object.keys(ofKeys).length > 0) kept.letters++;
      }
    }),
    { numRuns: 200 },
  );
  expect(Math.min(kept.letters, kept.oneByOne)).toBeGreaterThan(0);
});
