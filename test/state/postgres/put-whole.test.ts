/** A document of more rows than go to the server at a time comes back as it is. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkState } from '../../../src/state/document/check-state.ts';
import { fingerprintOf } from '../../../src/state/document/fingerprint.ts';
import { emptyDocument, NEW_SENSOR, type StateDocument } from '../../../src/state/document/state-document.ts';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

it('is put in portions, each row in its place', async () => {
  const size = 50_003;
  const keys = Array.from({ length: size }, (_, at) => `key ${size - at}`);
  // Gaps, and what carries something, on both sides of each edge.
  const letters = keys.map((_, at) => (at % 3 === 0 ? '.' : 'm'));
  const items = keys.map((_, at) => (at % 24_999 < 4 ? { at } : null));
  const document: StateDocument = {
    ...emptyDocument(),
    lineage: 'a lineage of the tests',
    serial: 7,
    sets: {
      many: {
        keys,
        added: [
          [25_000, '2026-01-01T00:00:00.000Z'],
          [size - 25_000, '2026-01-02T00:00:00.000Z'],
        ],
        keptOut: ['out'],
        items,
      },
    },
    assets: { record: { set: 'many', status: letters.join('') } },
    sensors: {
      find: {
        ...NEW_SENSOR,
        cursor: '1',
        version: 1,
        runKeys: {
          ofKeys: { many: letters.map((letter) => (letter === 'm' ? '1' : '.')).join('') },
          other: Array.from({ length: 30_000 }, (_, at) => [`other ${at}`, null, null] as const),
        },
      },
    },
  };
  expect(checkState(document)).toEqual([]);
  const rig = await PostgresRig.make(cluster);
  await rig.store.restore(document, null);
  const there = await rig.store.document();
  expect(fingerprintOf(there)).toEqual(fingerprintOf(document));
  expect(checkState(there)).toEqual([]);
  await rig.dispose();
});
