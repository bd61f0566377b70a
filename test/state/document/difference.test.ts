/** What a copy has otherwise than what was sent is named, by whichever way it is compared; other words for the same are none. */
import { expect, it } from 'vitest';
import { difference, fingerprintOf } from '../../../src/state/document/fingerprint.ts';
import {
  emptyDocument,
  NEW_SENSOR,
  SCHEMA,
  type StateDocument,
} from '../../../src/state/document/state-document.ts';

const AT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-02T00:00:00.000Z';

const DOCUMENT: StateDocument = {
  ...emptyDocument(),
  schema: SCHEMA,
  lineage: 'a lineage of the tests',
  serial: 7,
  sets: {
    letters: {
      keys: ['a', 'b', 'c', 'd'],
      added: [
        [3, AT],
        [1, LATER],
      ],
      keptOut: ['x', 'y'],
      versions: '1\n\n2',
      items: [null, { of: 'b' }],
    },
    numbers: { keys: ['1', '2'], added: [[2, AT]], keptOut: [] },
  },
  assets: {
    upper: {
      set: 'letters',
      status: 'mf.m',
      retries: [['b', 1, AT]],
      before: [{ set: 'numbers', status: 'm' }],
      codeVersion: '1',
    },
    total: { set: null, status: 'm' },
  },
  sensors: {
    feed: {
      ...NEW_SENSOR,
      version: 3,
      cursor: '"2"',
      runKeys: {
        ofKeys: { letters: '11' },
        other: [
          ['once', 'letters', 'c'],
          ['all', null, null],
        ],
      },
    },
  },
};

type Change = (document: StateDocument) => StateDocument;

const letters =
  (change: Partial<StateDocument['sets'][string]>): Change =>
  (document) => ({
    ...document,
    sets: { ...document.sets, letters: { ...document.sets['letters']!, ...change } },
  });

const upper =
  (change: Partial<StateDocument['assets'][string]>): Change =>
  (document) => ({
    ...document,
    assets: { ...document.assets, upper: { ...document.assets['upper']!, ...change } },
  });

const feed =
  (change: Partial<StateDocument['sensors'][string]>): Change =>
  (document) => ({ ...document, sensors: { feed: { ...document.sensors['feed']!, ...change } } });

it.each<[string, Change]>([
  ['all of it', (document) => structuredClone(document)],
  [
    'times told one by one',
    letters({
      added: [
        [1, AT],
        [2, AT],
        [1, LATER],
      ],
    }),
  ],
  ['keys kept out in another order', letters({ keptOut: ['y', 'x'] })],
  ['no item at the end', letters({ items: [null, { of: 'b' }, null, null] })],
  ['what is missing at the end', upper({ before: [{ set: 'numbers', status: 'm.' }] })],
  [
    'columns in another order',
    upper({
      set: 'numbers',
      status: 'm',
      retries: [],
      before: [{ set: 'letters', status: 'mf.m', retries: [['b', 1, AT]] }],
    }),
  ],
  [
    'run keys in another order',
    feed({
      runKeys: {
        ofKeys: { letters: '11' },
        other: [
          ['all', null, null],
          ['once', 'letters', 'c'],
        ],
      },
    }),
  ],
  [
    'run keys one by one',
    feed({
      runKeys: {
        ofKeys: {},
        other: [
          ['a', 'letters', 'a'],
          ['b', 'letters', 'b'],
          ['once', 'letters', 'c'],
          ['all', null, null],
        ],
      },
    }),
  ],
  ['the version of a sensor', feed({ version: 9 })],
])('is none where %s is the same', (_, change) => {
  const copy = change(DOCUMENT);
  expect(difference(DOCUMENT, copy)).toBeNull();
  expect(fingerprintOf(copy)).toEqual(fingerprintOf(DOCUMENT));
});

it.each<[string, { what: string; sent?: number; found?: number }, Change]>([
  ['a key', { what: 'keys', sent: 6, found: 5 }, letters({ keys: ['a', 'b', 'c'], added: [[3, AT]] })],
  ['a letter of a key', { what: 'keys' }, letters({ keys: ['a', 'b', 'C', 'd'] })],
  ['the order of keys', { what: 'keys' }, letters({ keys: ['b', 'a', 'c', 'd'] })],
  ['when a key came', { what: 'keys' }, letters({ added: [[4, AT]] })],
  ['a version', { what: 'keys' }, letters({ versions: '1\n\n3' })],
  ['whose a version is', { what: 'keys' }, letters({ versions: '1\n2' })],
  ['an item', { what: 'keys' }, letters({ items: [null, { of: 'B' }] })],
  [
    'a set',
    { what: 'sets', sent: 2, found: 3 },
    (document) => ({ ...document, sets: { ...document.sets, none: { keys: [], added: [], keptOut: [] } } }),
  ],
  ['what is kept out', { what: 'kept out', sent: 2, found: 1 }, letters({ keptOut: ['x'] })],
  ['a status', { what: 'statuses', sent: 6, found: 6 }, upper({ status: 'mm.m' })],
  ['a status at the end', { what: 'statuses', sent: 6, found: 5 }, upper({ status: 'mf' })],
  ['when a key is tried again', { what: 'statuses' }, upper({ retries: [['b', 1, LATER]] })],
  [
    'what was made of another set',
    { what: 'statuses' },
    upper({ before: [{ set: 'numbers', status: '.m' }] }),
  ],
  ['the set of a column', { what: 'statuses' }, upper({ before: [{ set: null, status: 'm' }] })],
  [
    'an asset',
    { what: 'statuses' },
    (document) => ({ ...document, assets: { upper: document.assets['upper']! } }),
  ],
  ['the version of code', { what: 'assets' }, upper({ codeVersion: '2' })],
  [
    'a spent run key',
    { what: 'run keys', sent: 4, found: 3 },
    feed({ runKeys: { ofKeys: { letters: '1' }, other: DOCUMENT.sensors['feed']!.runKeys.other } }),
  ],
  [
    'whose a spent run key is',
    { what: 'run keys' },
    feed({
      runKeys: {
        ofKeys: { letters: '11' },
        other: [
          ['once', 'letters', 'd'],
          ['all', null, null],
        ],
      },
    }),
  ],
  ['a cursor', { what: 'sensors' }, feed({ cursor: '"3"' })],
])('names %s', (_, named, change) => {
  const copy = change(DOCUMENT);
  expect(difference(DOCUMENT, copy)).toMatchObject(named);
  expect(difference(copy, DOCUMENT)).toMatchObject({ what: named.what });
});
