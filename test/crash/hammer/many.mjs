/** What is made of many keys, of several in one call and in processes of their own: the commands, and what must have come of them. */
import { FINAL, rawState, ticking } from './commands.mjs';
import { valueOf } from './last-checks.mjs';
import { LAST, nearOf } from './many-pipeline.mjs';
import { FAILS } from './pipeline.mjs';

/**
 * @import { StateDocument } from '../../../src/state/document/state-document.ts'
 * @import { Command, Lane } from './commands.mjs'
 * @import { Field } from './ledger.mjs'
 * @typedef {{ readonly id: number, readonly version: string | null, readonly from: number, readonly pieces: Readonly<Record<string, number>> }} Made
 */

const ASSETS = ['piece', 'apart', 'index', 'lasting', 'near'];
const KEYS = [...Array.from({ length: 7 }, (_, at) => `p${at}`), `p7${FAILS}`];

let versions = 0;

/** @type {Readonly<Record<'parts-add' | 'parts-remove' | 'tick-many' | 'make-many', (lane: Lane) => Command>>} */
export const MANY_KINDS = {
  // Another version, or a new key: both make stale what is made of all of them.
  'parts-add'({ field, chance }) {
    const key = chance.of(KEYS);
    return {
      args: ['partitions', 'add', 'parts', key, '--version', `v${++versions}`],
      ended({ added, updated }, problems) {
        if (![...added, ...updated].includes(key)) problems.push(`${key} was neither added nor updated`);
        field.count('acknowledged commits');
      },
      killed: () => undefined,
    };
  },

  'parts-remove'({ field, chance }) {
    const there = rawState(field).sets['parts']?.keys ?? [];
    const keys = there.length === 0 ? ['p0'] : chance.some(there, 2);
    const removed = field.runs.removing('parts', keys);
    return {
      args: ['partitions', 'remove', 'parts', ...keys],
      ended: (document) => removed(document.removed),
      killed: () => undefined,
    };
  },

  'tick-many': (lane) => ticking(lane, ['automation'], true),

  'make-many': ({ field, chance }) => ({
    args: ['materialize', ...ASSETS, chance.of(['--stale', '--missing'])],
    exits: [0, 1],
    ended(document, problems) {
      for (const run of document.runs)
        if (!FINAL.includes(run.status)) problems.push(`run ${run.id} was left ${run.status}`);
      field.runs.note(document.runs, 'materialize');
    },
    killed: () => undefined,
  }),
};

/**
 * When all is over, what is made of many keys was made of those that are there now, and of what they are now.
 * @param {Field} field
 * @param {StateDocument} document
 */
export function checkMany(field, document) {
  /** @type {string[]} */
  const problems = [];
  const { keys = [] } = document.sets['parts'] ?? {};
  const lettersOf = (/** @type {string} */ asset) => document.assets[asset]?.status ?? '';
  /** @param {string} asset @param {string | null} key @returns {Made | null} */
  const made = (asset, key) => valueOf(field, asset, key);
  /** @param {readonly string[]} of which keys it takes */
  const pieces = (of) =>
    Object.fromEntries(
      of
        .filter((key) => lettersOf('piece')[keys.indexOf(key)] === 'm')
        .map((key) => [key, made('piece', key)?.id]),
    );
  /** @param {string} asset @param {string | null} key @param {readonly string[]} of */
  const gathered = (asset, key, of) => {
    const [is, due] = [made(asset, key)?.pieces ?? null, pieces(of)].map((found) => JSON.stringify(found));
    if (is !== due) problems.push(`${asset} of ${key} was made of ${is}, and there is ${due}`);
  };
  for (const [at, key] of keys.entries()) {
    const letters = ['piece', 'apart', 'near'].map((asset) => lettersOf(asset)[at] ?? '.').join('');
    if (key.endsWith(FAILS)) {
      if (letters[0] === 'm') problems.push(`${key} is ${letters}, and always fails`);
    } else {
      if (letters !== 'mmm') problems.push(`${key} is ${letters}, and can be made`);
      if (made('apart', key)?.from !== made('piece', key)?.id)
        problems.push(`apart of ${key} was made of another piece than there is`);
    }
    const near = nearOf(key);
    gathered(
      'near',
      key,
      keys.filter((other) => near.includes(other)),
    );
  }
  for (const asset of ['index', 'lasting'])
    if (lettersOf(asset) !== 'm') problems.push(`${asset} is ${lettersOf(asset)}, and can be made`);
  gathered('index', null, keys);
  gathered('lasting', null, keys.slice(-LAST));
  return problems;
}
