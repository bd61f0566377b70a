/** The commands that are hammered with: for each kind its arguments, what it must answer, and what it means when it was killed. */
import fs from 'node:fs';
import path from 'node:path';
import { CARRIED_KINDS } from './carried.mjs';
import {
  checking,
  checkTicks,
  expect,
  FINAL,
  grow,
  listFile,
  rawState,
  reading,
  ticking,
} from './commands.mjs';
import { valueOf } from './last-checks.mjs';
import { same } from './ledger.mjs';
import { MANY_KINDS } from './many.mjs';
import { OLD_KINDS } from './old.mjs';
import { OTHER_KINDS } from './other.mjs';
import { SENSORS } from './pipeline.mjs';
import { newestGeneration } from './victim.mjs';

/**
 * @import { Answer, Command, Lane } from './commands.mjs'
 * @typedef {(answer: Answer, before: ReadonlyMap<string, boolean | null>, problems: string[]) => () => boolean} Check
 */

/** @typedef {keyof typeof WEIGHTS} Kind */

/** How often each kind is chosen. */
export const WEIGHTS = {
  add: 5,
  remove: 3,
  'add-materialize': 1,
  sync: 2,
  'keep-out': 2,
  tick: 2,
  'tick-feed': 6,
  'tick-pairs': 2,
  'tick-other': 6,
  'tick-no-run': 2,
  'remove-pairs': 1.5,
  'materialize-key': 2,
  'materialize-missing': 2,
  program: 2.5,
  'tick-carried': 6,
  'version-by-hand': 2,
  mark: 1.5,
  stale: 1,
  'parts-add': 3,
  'parts-remove': 1,
  'tick-many': 4,
  'make-many': 1,
  'old-add': 3,
  'other-tick': 2.5,
  'other-no-run': 1,
  'other-worker': 1,
  'worker-once': 2,
  worker: 0.7,
  watch: 0.7,
  cancel: 2,
  retry: 2.5,
  'cursor-set': 4,
  'stop-start': 1,
  export: 1,
  'list-items': 1.5,
  'list-sets': 1.5,
  'runs-list': 1.5,
  status: 1.5,
  'sensor-list': 1.5,
  check: 1.5,
  value: 2,
  'list-carried': 1.5,
  'other-list': 0.7,
  foreign: 1,
};

/** Kinds of which one runs at a time, since its ledger has one writer. */
/** @type {ReadonlySet<string>} */
export const ALONE = new Set(['sync', 'keep-out', 'cursor-set', 'stop-start']);

/** Kinds that go on until they are told to stop. */
export const LASTING = new Set(['worker', 'watch']);

/** Which events a kind can be struck at, and about how many calls of which sort it makes. */
export const COMMITS = new Set(
  Object.keys(WEIGHTS).filter(
    (kind) =>
      ![
        'export',
        'list-items',
        'list-sets',
        'runs-list',
        'status',
        'sensor-list',
        'check',
        'value',
        'list-carried',
        'other-list',
        'foreign',
      ].includes(kind),
  ),
);
export const EXECUTES = new Set([
  'add-materialize',
  'tick',
  'tick-feed',
  'tick-pairs',
  'tick-other',
  'materialize-key',
  'materialize-missing',
  'program',
  'tick-carried',
  'stale',
  'tick-many',
  'make-many',
  'other-tick',
  'other-worker',
  'worker-once',
  'worker',
  'watch',
  'retry',
]);
export const EVALUATES = new Set([
  'tick',
  'tick-feed',
  'tick-pairs',
  'tick-other',
  'tick-no-run',
  'tick-carried',
  'tick-many',
  'other-tick',
  'other-no-run',
  'watch',
]);

/**
 * How often each kind is chosen is in `WEIGHTS`.
 * @type {Readonly<Record<Kind, (lane: Lane) => Command>>}
 */
export const KINDS = {
  add(lane) {
    const { chance } = lane;
    const fresh = () => `${lane.name}/n${lane.count++}`;
    const keys = chance.is(0.5)
      ? Array.from({ length: 1 + chance.below(3) }, fresh)
      : chance.some(lane.keys, 3);
    return changing(lane, ['partitions', 'add', 'items', ...keys], keys, (document, before, problems) => {
      for (const key of keys) {
        const was = before.get(key);
        expect(
          problems,
          document[was ? 'skipped' : 'added'].includes(key),
          `${key} ${was ? 'was there' : 'was not there'}, but was not ${was ? 'skipped' : 'added'}`,
        );
      }
      expect(
        problems,
        same([...document.added, ...document.skipped], keys),
        'other keys than those asked for',
      );
      return () => true;
    });
  },

  remove(lane) {
    const { chance, field } = lane;
    const mine = field.items.there.filter((key) => key.startsWith(`${lane.name}/`));
    const keys = [...new Set([...(mine.length > 0 ? chance.some(mine, 2) : []), chance.of(lane.keys)])];
    const removed = field.runs.removing('items', keys);
    return changing(lane, ['partitions', 'remove', 'items', ...keys], keys, (document, before, problems) => {
      removed(document.removed);
      for (const key of keys)
        expect(
          problems,
          document[before.get(key) ? 'removed' : 'skipped'].includes(key),
          `${key} was not ${before.get(key) ? 'removed' : 'skipped'}`,
        );
      return () => false;
    });
  },

  'add-materialize'(lane) {
    const { field } = lane;
    const keys = [`${lane.name}/m${lane.count++}`];
    return changing(
      lane,
      ['partitions', 'add', 'items', ...keys, '--materialize'],
      keys,
      (document, _, problems) => {
        expect(problems, same(document.added, keys), 'it was not added');
        field.runs.note(document.runs, 'add --materialize');
        return () => true;
      },
    );
  },

  sync(lane) {
    const { chance, field } = lane;
    const list = chance.some(
      Array.from({ length: 12 }, (_, at) => `m${at}`),
      12,
    );
    listFile(field, 'mirror.txt', list);
    const before = field.mirror.may;
    field.mirror.begin(list);
    return {
      args: ['partitions', 'sync', 'mirror', '--from', 'mirror.txt'],
      ended(document, problems) {
        const fits = before.some(
          (old) =>
            same(
              document.added,
              list.filter((key) => !old.includes(key)),
            ) &&
            same(
              document.removed,
              old.filter((key) => !list.includes(key)),
            ) &&
            document.unchanged === list.filter((key) => old.includes(key)).length,
        );
        expect(
          problems,
          fits,
          `what was added and removed does not lead from ${JSON.stringify(before)} to the list`,
        );
        field.mirror.end(true);
        field.count('acknowledged commits', document.added.length + document.removed.length > 0 ? 1 : 0);
      },
      killed: () => field.mirror.end(false),
    };
  },

  'keep-out'(lane) {
    const { chance, field } = lane;
    const key = `g${chance.below(8)}`;
    const out = chance.is(0.6);
    field.keptOut.set(key, null);
    field.keptOutChanges++;
    return {
      args: out
        ? ['partitions', 'remove', 'guarded', key, '--keep-out']
        : ['partitions', 'add', 'guarded', key],
      ended(document, problems) {
        const [yes, no] = out ? [document.removed, document.skipped] : [document.added, document.skipped];
        expect(problems, same([...yes, ...no], [key]), 'it did something else');
        field.keptOut.set(key, out);
        field.keptOutChanges++;
        field.count('acknowledged commits', yes.length);
      },
      killed: () => undefined,
    };
  },

  tick: (lane) => ticking(lane, [], true),
  'tick-feed': (lane) => {
    grow(lane.field, 'feed');
    return ticking(lane, ['feed'], true);
  },
  'tick-pairs': (lane) => {
    if (lane.chance.is(0.5)) grow(lane.field, 'pairs');
    return ticking(lane, ['pairs'], true);
  },
  'tick-other': (lane) =>
    ticking(lane, [lane.chance.of(['count', 'count', 'count', 'pulse', 'pulse', 'guard'])], true),
  'tick-no-run': (lane) => {
    grow(lane.field, 'feed');
    return ticking(lane, ['feed', 'pairs', '--no-run'], false);
  },

  'remove-pairs'(lane) {
    const { chance, field } = lane;
    const keys = chance.some(field.lists.pairs.slice(-6), 2);
    const removed = field.runs.removing('pairs', keys);
    return {
      args: ['partitions', 'remove', 'pairs', ...keys],
      ended(document, problems) {
        removed(document.removed);
        expect(problems, same([...document.removed, ...document.skipped], keys), 'it did something else');
        field.count('acknowledged commits', document.removed.length > 0 ? 1 : 0);
      },
      killed: () => undefined,
    };
  },

  'materialize-key'(lane) {
    const { chance, field } = lane;
    const { sets } = rawState(field);
    const found = sets['found']?.keys.slice(-6) ?? [];
    const pairs = sets['pairs']?.keys.slice(-4) ?? [];
    const ofFound = chance.is(0.6) || pairs.length === 0;
    const [asset, keys] = ofFound ? ['copy', found] : ['second', pairs];
    const chosen = chance.some(keys, 2);
    return {
      args: ['materialize', asset, ...chosen.flatMap((key) => ['--key', key])],
      // The key of a pair may have been removed meanwhile.
      exits: asset === 'second' ? [0, 1, 2] : [0, 1],
      ended(document, problems) {
        for (const run of document.runs ?? [])
          expect(problems, FINAL.includes(run.status), `run ${run.id} was left ${run.status}`);
        field.runs.note(document.runs ?? [], 'materialize');
      },
      killed: () => undefined,
    };
  },

  'materialize-missing'(lane) {
    const { chance, field } = lane;
    return {
      args: ['materialize', ...chance.of([['mark'], ['first', 'second'], ['copy']]), '--missing'],
      exits: [0, 1],
      ended: (document) => field.runs.note(document.runs, 'materialize'),
      killed: () => undefined,
    };
  },

  // A few keys, so that what a killed process left of a program meets the next one for the same key.
  program({ field, chance, quiet }) {
    const args = ['materialize', 'work', '--key', `j${chance.below(4)}`, '--add'];
    return {
      args,
      exits: [0, 1],
      ended: (document) => field.runs.note(document.runs, 'materialize'),
      async killed() {
        const document = await quiet(args, [0, 1]);
        field.runs.note(document?.runs ?? [], 'materialize');
      },
    };
  },

  'worker-once'({ field }) {
    return {
      args: ['worker', '--once'],
      exits: [0, 1],
      ended: (document) => field.runs.note(document.runs, 'worker'),
      killed: () => undefined,
    };
  },

  worker: (lane) => lasting(lane, ['worker']),
  watch: (lane) => lasting(lane, ['sensor', 'watch']),

  cancel(lane) {
    const { chance, field } = lane;
    const pending = rawState(field).runs.flatMap(({ id, numbers }) =>
      numbers.map((number) => `${id}-${number}`),
    );
    const ids = pending.length > 0 ? chance.some(pending, 2) : field.runs.recent(1);
    if (ids.length === 0) return checking(lane);
    for (const id of ids) field.runs.cancelAsked.add(id);
    return {
      args: ['runs', 'cancel', ...ids],
      ended(document, problems) {
        expect(
          problems,
          same(
            document.runs.map(({ id }) => id),
            ids,
          ),
          'other runs than those asked for',
        );
        field.runs.note(document.runs, 'cancel');
      },
      killed: () => undefined,
    };
  },

  retry(lane) {
    const { chance, field } = lane;
    const recent = field.runs.recent(4);
    if (recent.length === 0) return checking(lane);
    return {
      args: ['runs', 'retry', ...chance.some(recent, 2)],
      // Its key may have been removed.
      exits: [0, 1, 2],
      ended: (document) => field.runs.note(document.runs ?? [], 'retry'),
      killed: () => undefined,
    };
  },

  'cursor-set'(lane) {
    const { field } = lane;
    const value = `op${++field.cursor.operation}:0`;
    return {
      args: ['sensor', 'cursor', 'count', '--set', value],
      ended(document, problems) {
        expect(
          problems,
          new RegExp(`^op${field.cursor.operation}:\\d+$`).test(document.cursor ?? ''),
          `the cursor is ${document.cursor}`,
        );
        field.cursor.acknowledged(document.cursor);
        field.count('acknowledged commits');
      },
      killed: () => undefined,
    };
  },

  'stop-start'(lane) {
    const { chance, field } = lane;
    const word = chance.is(0.4) ? 'stop' : 'start';
    field.stopped = { status: null, changes: field.stopped.changes + 1 };
    return {
      args: ['sensor', word, 'pulse'],
      ended(document, problems) {
        const status = word === 'stop' ? 'STOPPED' : 'RUNNING';
        expect(problems, document.status === status, `it is ${document.status}`);
        field.stopped = { status, changes: field.stopped.changes + 1 };
      },
      killed: () => undefined,
    };
  },

  export({ field }) {
    const name = `export.${++field.files}.json`;
    const floor = newestGeneration(field.place);
    const expected = field.items.expected();
    return {
      args: ['state', 'export', name],
      ended(_, problems) {
        const copy = JSON.parse(fs.readFileSync(path.join(field.project, name), 'utf8'));
        fs.unlinkSync(path.join(field.project, name));
        expect(
          problems,
          copy.serial >= floor,
          `the copy has serial ${copy.serial}, and ${floor} was there before`,
        );
        problems.push(...field.items.wrong(expected, copy.sets.items?.keys ?? []));
        field.count('reads');
      },
      killed: () => undefined,
    };
  },

  'list-items'({ field }) {
    const expected = field.items.expected();
    return reading(field, ['partitions', 'list', 'items'], ({ keys, total, next }, problems) => {
      expect(problems, total === keys.length && next === null, 'the list is not whole');
      problems.push(
        ...field.items.wrong(
          expected,
          keys.map(({ key }) => key),
        ),
      );
    });
  },

  'list-sets'({ field, chance }) {
    const set = chance.of(['mirror', 'guarded', 'found']);
    const changes = field.mirror.changes;
    const out = [...field.keptOut].filter(([, is]) => is === true).map(([key]) => key);
    const outChanges = field.keptOutChanges;
    const seen = field.seenFound;
    return reading(field, ['partitions', 'list', set], (document, problems) => {
      const keys = document.keys.map(({ key }) => key);
      expect(problems, new Set(keys).size === keys.length, 'a key is there twice');
      if (set === 'mirror' && field.mirror.changes === changes) {
        expect(problems, field.mirror.allows(keys), `mirror is ${keys.join()}, and nobody wanted that`);
        field.mirror.isSeen(keys);
      }
      if (set === 'guarded' && field.keptOutChanges === outChanges)
        for (const key of out) expect(problems, !keys.includes(key), `${key} is kept out, and there`);
      if (set === 'found') {
        // Nothing is ever removed from it: what somebody saw stays, and in its place.
        expect(
          problems,
          keys.slice(0, seen.length).join() === seen.join(),
          'keys that were seen before are gone',
        );
        if (keys.length > field.seenFound.length) field.seenFound = keys;
      }
    });
  },

  'runs-list'({ field, chance }) {
    const recent = field.runs.recent(5);
    return reading(
      field,
      ['runs', 'list', '--limit', chance.of(['5', '50', '5000'])],
      ({ runs, next }, problems) => {
        const ids = runs.map(({ id }) => id);
        expect(problems, new Set(ids).size === ids.length, 'a run is there twice');
        if (next === null)
          for (const id of recent) expect(problems, ids.includes(id), `run ${id} is not there`);
        for (const run of runs)
          expect(
            problems,
            FINAL.includes(run.status) === (run.finishedAt !== null),
            `run ${run.id} has half an end`,
          );
        field.runs.note(runs, 'runs list');
      },
    );
  },

  status({ field }) {
    return reading(field, ['status'], ({ assets, sensors }, problems) => {
      for (const { asset, total, materialized, failed, inProgress, skipped, missing } of assets)
        expect(
          problems,
          total === materialized + failed + inProgress + skipped + missing,
          `${asset} does not add up`,
        );
      expect(
        problems,
        same(
          sensors.map(({ sensor }) => sensor),
          SENSORS,
        ),
        'a sensor is missing',
      );
    });
  },

  'sensor-list'({ field }) {
    const floor = field.cursor.last;
    const { status, changes } = field.stopped;
    return reading(field, ['sensor', 'list'], ({ sensors }, problems) => {
      const { cursor = null } = sensors.find(({ sensor }) => sensor === 'count') ?? {};
      expect(
        problems,
        !field.cursor.isOlder(cursor, floor),
        `the cursor is ${cursor}, and op${floor[0]}:${floor[1]} was acknowledged before`,
      );
      const pulse = sensors.find(({ sensor }) => sensor === 'pulse')?.status;
      if (status !== null && field.stopped.changes === changes)
        expect(problems, pulse === status, `pulse is ${pulse}, and was set to ${status}`);
    });
  },

  check: checking,

  // Whoever sees a value sees one whose materialization is on record, even a moment later.
  value(lane) {
    const { field, chance } = lane;
    const asset = chance.of(['copy', 'copy', 'pulse', 'work', 'base']);
    const { sets } = rawState(field);
    const keys =
      sets[{ copy: 'found', pulse: 'pulses', work: 'jobs', base: 'carried' }[asset] ?? '']?.keys ?? [];
    const key = keys.length === 0 ? '' : chance.of(keys.slice(-12));
    const value = valueOf(field, asset, key);
    if (value === null) return checking(lane);
    return reading(field, ['runs', 'show', value.run], ({ run }, problems) =>
      expect(
        problems,
        run?.assets.some((one) => one.asset === asset && one.status === 'SUCCESS') === true,
        `the value of ${asset} for ${key} was there, and run ${value.run} has not made it on record`,
      ),
    );
  },

  ...CARRIED_KINDS,
  ...MANY_KINDS,
  ...OLD_KINDS,
  ...OTHER_KINDS,
};

/**
 * Prints a document a line.
 * @param {Lane} lane
 * @param {readonly string[]} args
 * @returns {Command}
 */
function lasting({ field, chance }, args) {
  return {
    args,
    lines: true,
    term: chance.time(800, 4000),
    ended(_, problems, documents) {
      checkTicks(
        field,
        documents.flatMap(({ tick }) => tick ?? []),
        problems,
        { executes: false, told: true },
      );
      field.runs.note(
        documents.flatMap(({ run }) => run ?? []),
        String(args[0]),
      );
    },
    killed: () => undefined,
  };
}

/**
 * Changes keys of the lane's own in `items`. After a kill the lane looks what became of them: all of it, or nothing.
 * @param {Lane} lane
 * @param {readonly string[]} args
 * @param {readonly string[]} keys
 * @param {Check} check
 * @returns {Command}
 */
function changing(lane, args, keys, check) {
  const { field } = lane;
  const before = new Map(keys.map((key) => [key, field.items.isThere(key)]));
  const settle = field.items.change(keys);
  return {
    args,
    exits: args.includes('--materialize') ? [0, 1] : [0],
    ended(document, problems) {
      settle(check(document, before, problems));
      field.count('acknowledged commits', (document.added ?? document.removed).length > 0 ? 1 : 0);
    },
    async killed() {
      const document = await lane.quiet(['partitions', 'list', 'items', '--prefix', `${lane.name}/`]);
      const there = new Set((document?.keys ?? []).map(({ key }) => key));
      settle((key) => (document === null ? null : there.has(key)));
      if (document === null) return;
      const wanted = args[1] === 'add';
      const done = keys.filter((key) => before.get(key) !== wanted).map((key) => there.has(key) === wanted);
      if (new Set(done).size > 1) field.problem({ what: ['half of it was done'], args });
      const lost = keys.filter((key) => before.get(key) === wanted && there.has(key) !== wanted);
      if (lost.length > 0) field.problem({ what: [`it undid ${lost.join()}`], args });
    },
  };
}
