/** Keys that carry a version and an item: what the outside world has, what was said by hand, and what must have been made of it. */
import { checking, listFile, reading, ticking } from './commands.mjs';
import { valueOf } from './last-checks.mjs';
import { FAILS, LATER, SKIPS } from './pipeline.mjs';

/**
 * @import { RunRecord } from '../../../src/model/run.ts'
 * @import { StateDocument } from '../../../src/state/document/state-document.ts'
 * @import { Chance } from './chance.mjs'
 * @import { Command, Lane } from './commands.mjs'
 * @import { Field } from './ledger.mjs'
 * @typedef {{ readonly key: string, readonly version: string | null, readonly item: unknown }} CarriedKey
 */

/** Versions never come back: a number that counts up, behind a word that says who gave it. */
export class CarriedLedger {
  /** @type {Map<string, string>} the version that each key has outside */
  #outside = new Map();
  /** @type {Map<string, Set<string>>} all that a key may ever have had */
  #given = new Map();
  #count = 0;

  get outside() {
    return this.#outside;
  }

  /** @param {(key: string) => boolean} which */
  keys(which) {
    return [...this.#outside.keys()].filter(which);
  }

  /**
   * @param {string} key
   * @param {string} word
   * @param {string} [end]
   */
  give(key, word, end = '') {
    const version = `${word}${++this.#count}${end}`;
    this.#given.set(key, (this.#given.get(key) ?? new Set()).add(version));
    return version;
  }

  /**
   * @param {string} key
   * @param {string} version
   */
  change(key, version) {
    this.#outside.set(key, version);
  }

  /** @param {CarriedKey} entry */
  wrong({ key, version, item }) {
    if (version === null || !this.#given.get(key)?.has(version))
      return [`${key} has version ${version}, which nobody gave it`];
    const { of, version: its } = /** @type {{ of?: string, version?: string }} */ (item ?? {});
    return of === key && its === version
      ? []
      : [`${key} has version ${version}, and the item ${JSON.stringify(item)}`];
  }
}

/** Keys that only the outside world changes, so that each of their versions is made once. */
export const isUntouched = (/** @type {string} */ key) => key.startsWith('u');
const isByHand = (/** @type {string} */ key) => key.startsWith('h') && !key.endsWith(FAILS);

/**
 * Other versions in the outside world, and now and then a new key.
 * @param {Field} field
 * @param {Chance} chance
 */
export function changeOutside(field, chance) {
  const { carried } = field;
  const known = carried.keys(() => true);
  const fresh = `${chance.of(['u', 'h'])}${known.length}${known.length % 8 === 3 ? FAILS : ''}`;
  const chosen = known.length === 0 ? [] : chance.some(known, 3);
  for (const key of known.length < 16 && chance.is(0.5) ? [...chosen, fresh] : chosen)
    carried.change(key, carried.give(key, 'v', chance.is(0.15) ? SKIPS : ''));
  write(field);
}

/**
 * All of them have another version, of which something is to be made.
 * @param {Field} field
 */
export function changeAll(field) {
  for (const key of field.carried.keys(() => true))
    field.carried.change(key, field.carried.give(key, 'last'));
  write(field);
}

/** @param {Field} field */
function write(field) {
  listFile(
    field,
    'carried.txt',
    [...field.carried.outside].map(([key, version]) => `${key} ${version}`),
  );
}

/** @type {Readonly<Record<'tick-carried' | 'version-by-hand' | 'mark' | 'stale' | 'list-carried', (lane: Lane) => Command>>} */
export const CARRIED_KINDS = {
  'tick-carried'(lane) {
    changeOutside(lane.field, lane.chance);
    return ticking(
      lane,
      lane.chance.of([['carried', 'automation'], ['carried', 'automation'], ['automation'], ['carried']]),
      true,
    );
  },

  'version-by-hand'(lane) {
    const { field, chance } = lane;
    const keys = field.carried.keys(isByHand);
    if (keys.length === 0) return checking(lane);
    const key = chance.of(keys);
    const version = field.carried.give(key, 'hand', chance.is(0.2) ? SKIPS : '');
    return {
      args: ['partitions', 'add', 'carried', key, '--version', version].concat([
        '--item',
        JSON.stringify({ of: key, version }),
      ]),
      ended({ added, updated }, problems) {
        if (![...added, ...updated].includes(key)) problems.push(`${key} was neither added nor updated`);
        field.count('acknowledged commits');
      },
      killed: () => undefined,
    };
  },

  mark(lane) {
    const { field, chance } = lane;
    const keys = field.carried.keys(isByHand);
    if (keys.length === 0) return checking(lane);
    const key = chance.of(keys);
    const asset = chance.of(['base', 'derived']);
    // What is marked as made without a value would fail what is made from it.
    const as = chance.of(asset === 'base' ? ['missing', 'skipped'] : ['missing', 'skipped', 'materialized']);
    return {
      args: ['assets', 'mark', asset, '--as', as, '--key', key],
      // The key is on its way to the set, or on its way to its end.
      exits: [0, 2],
      mayWarn: /^warning: .* value/,
      ended({ marked, skipped, error }, problems) {
        if (error === undefined && [...marked, ...skipped].join() !== key)
          problems.push('it marked something else');
      },
      killed: () => undefined,
    };
  },

  stale: ({ field, chance }) => ({
    args: ['materialize', 'base', 'derived', chance.of(['--stale', '--missing', '--failed'])],
    exits: [0, 1],
    ended: (document) => field.runs.note(document.runs, 'materialize'),
    killed: () => undefined,
  }),

  'list-carried': ({ field }) =>
    reading(field, ['partitions', 'list', 'carried'], ({ keys }, problems) => {
      for (const entry of keys) problems.push(...field.carried.wrong(entry));
    }),
};

/**
 * When all is over and the outside world has changed once more, all of it is made, of what there is now; and what
 * automation asked for, it asked for as often as it may.
 * @param {Field} field
 * @param {StateDocument} document
 * @param {readonly RunRecord[]} runs
 */
export function checkCarried(field, document, runs) {
  /** @type {string[]} */
  const problems = [];
  const { keys = [], versions: lines = '', items = [] } = document.sets['carried'] ?? {};
  const versions = lines.split('\n');
  keys.forEach((key, at) => {
    const version = versions[at] || null;
    problems.push(...field.carried.wrong({ key, version, item: items[at] ?? null }));
    if (version !== field.carried.outside.get(key))
      problems.push(`${key} has version ${version}, outside it is ${field.carried.outside.get(key)}`);
    const letters = ['base', 'derived'].map((asset) => document.assets[asset]?.status[at] ?? '.');
    if (key.endsWith(FAILS)) {
      if (letters.join('').includes('m')) problems.push(`${key} is ${letters.join()}, and always fails`);
      return;
    }
    if (letters.join('') !== 'mm') problems.push(`${key} is ${letters.join()}, and can be made`);
    const [base, derived] = ['base', 'derived'].map((asset) => valueOf(field, asset, key));
    if (base?.version !== version || base?.item?.version !== version)
      problems.push(`base of ${key} was made of ${base?.version} and ${JSON.stringify(base?.item)}`);
    if (derived?.version !== version || derived?.from !== version)
      problems.push(`derived of ${key} was made of ${derived?.version}, from a base of ${derived?.from}`);
  });
  if (keys.length !== field.carried.outside.size) problems.push('not all keys are there');
  /** @type {Map<string, number>} */
  const asked = new Map();
  for (const { cause, partitionKey, status, assets, error } of runs)
    for (const { asset, version, status: of } of assets) {
      if (cause !== 'automation' || asset !== 'base' || version === null) continue;
      const name = `${partitionKey} ${version}`;
      if (
        partitionKey?.endsWith(FAILS)
          ? of === 'FAILURE' && error?.code !== 'interrupted'
          : status === 'SUCCESS'
      )
        asked.set(name, (asked.get(name) ?? 0) + 1);
    }
  for (const [name, times] of asked) {
    const most = name.split(' ')[0]?.endsWith(FAILS) ? LATER.length + 1 : 1;
    if (times > most && (most > 1 || isUntouched(name)))
      problems.push(`automation had ${name} made ${times} times, ${most} are enough`);
  }
  return problems;
}
