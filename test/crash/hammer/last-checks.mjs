/** What must hold when all is over: by the pipeline's log, by the history, by the state and by what lies in its folder. */
import fs from 'node:fs';
import path from 'node:path';
import { APART_AT_ONCE } from './many-pipeline.mjs';
import { CONCURRENCY, FAILS, KILLS, MAX_INTERRUPTED, SECOND_CONCURRENCY } from './pipeline.mjs';
import { same } from './ledger.mjs';

/**
 * @import { RunRecord } from '../../../src/model/run.ts'
 * @import { SetEntry, StateDocument } from '../../../src/state/document/state-document.ts'
 * @import { Field } from './ledger.mjs'
 *
 * What `status` says of an asset.
 * @typedef {Record<'total' | 'materialized' | 'failed' | 'inProgress' | 'skipped' | 'missing', number> & { asset: string }} CountedAsset
 */

/**
 * So many of a thousand evaluations of a sensor may fall together. A claim that was taken for a dead one's and is put
 * back is missed for a moment: sensor-claims.ts says why that does no harm.
 */
const OVERLAPS = 5;

/**
 * Replays the log: who executed what between which other things. `putBacks`: how often somebody was struck there.
 * @param {string} text
 * @param {number} putBacks
 */
export function replay(text, putBacks) {
  /** @type {string[]} */
  const problems = [];
  const figures = {
    evaluations: 0,
    overlapping: 0,
    executions: 0,
    again: 0,
    most: 0,
    programs: 0,
    together: 0,
    apart: 0,
  };
  /** @type {Set<string>} */
  const gone = new Set();
  /** @type {Set<string>} */
  const told = new Set();
  /** @type {Map<string, { who: string, run: string, name: string }[]>} by asset and key */
  const working = new Map();
  /** @type {Map<string, { who: string }[]>} by sensor */
  const looking = new Map();
  /** @type {Map<string, string[]>} who has begun it, by run and asset */
  const executions = new Map();
  /** @type {Map<string, Set<string>>} who has begun it in a call for several keys, by asset and key */
  const begunTogether = new Map();
  /** @type {Map<string, Set<string>>} the runs that a killed process had begun */
  const killing = new Map();
  /**
   * @template {{ readonly who: string }} T
   * @param {readonly T[]} intervals
   */
  const live = (intervals) => intervals.filter(({ who }) => !gone.has(who));
  for (const line of text.split('\n').slice(0, -1)) {
    // Said by a program, which is no process of ours.
    if (line.startsWith('two ')) problems.push(`two programs of one key at once: ${line}`);
    if (line.startsWith('program ')) figures.programs++;
    const [word, pid, start, name = '', key, run = '', how] = line.split(' ');
    const who = `${pid} ${start}`;
    // A process of its own may go on for a moment: until whoever takes the run up ends it, or sooner.
    if (gone.has(who) && name === 'apart') continue;
    // A thread of it that looks, and who tells it to stop, may not know yet that it has killed itself.
    if (gone.has(who) && (word === 'begin' || word === 'end')) problems.push(`after it was killed: ${line}`);
    switch (word) {
      case 'begin': {
        figures.executions++;
        const work = `${name} ${key}`;
        const others = live(working.get(work) ?? []);
        for (const other of others)
          problems.push(
            `two at once: run ${run} of ${who} begins ${work}, run ${other.run} of ${other.who} has it`,
          );
        working.set(work, [...others, { who, run, name }]);
        const all = live([...working.values()].flat());
        figures.most = Math.max(figures.most, all.length);
        if (all.length > CONCURRENCY)
          problems.push(
            `${all.length} at once, ${CONCURRENCY} are allowed: run ${run} of ${who} is one too many`,
          );
        if (name === 'second' && all.filter((one) => one.name === name).length > SECOND_CONCURRENCY)
          problems.push(`more of 'second' at once than are allowed: run ${run} of ${who}`);
        if (name === 'apart') figures.apart++;
        if (name === 'apart' && all.filter((one) => one.name === name).length > APART_AT_ONCE)
          problems.push(`more of 'apart' at once than their pool has places: run ${run} of ${who}`);
        // Of a call for several keys the log knows one run alone.
        if (name === 'piece') {
          figures.together++;
          begunTogether.set(work, (begunTogether.get(work) ?? new Set()).add(who));
          break;
        }
        const before = executions.get(`${run} ${name}`) ?? [];
        const last = before.at(-1);
        if (last !== undefined) {
          figures.again++;
          if (!gone.has(last) && !told.has(last))
            problems.push(`run ${run} (${work}) of ${last}, which lives, is executed again by ${who}`);
        }
        executions.set(`${run} ${name}`, [...before, who]);
        break;
      }
      case 'end':
        working.set(
          `${name} ${key}`,
          (working.get(`${name} ${key}`) ?? []).filter((one) => one.who !== who || one.run !== run),
        );
        if (how === 'done') killing.get(who)?.delete(run);
        break;
      case 'look': {
        figures.evaluations++;
        const others = live(looking.get(name) ?? []).filter((one) => !told.has(one.who));
        if (others.length > 0) figures.overlapping++;
        looking.set(name, [...others, { who }]);
        break;
      }
      case 'looked':
        looking.set(
          name,
          (looking.get(name) ?? []).filter((one) => one.who !== who),
        );
        break;
      case 'killing':
        gone.add(who);
        // The last word counts: a process may have been struck while it was about to kill itself.
        killing.set(who, new Set(name === '-' ? [] : name.split(',')));
        break;
      case 'telling':
        told.add(who);
        break;
      default:
    }
  }
  for (const [work, intervals] of working)
    for (const { who, run } of live(intervals))
      problems.push(`run ${run} (${work}) of ${who} never came to an end`);
  if (figures.overlapping > putBacks + Math.floor((figures.evaluations / 1000) * OVERLAPS))
    problems.push(`${figures.overlapping} of ${figures.evaluations} evaluations overlapped`);
  /** @type {Map<string, number>} */
  const interrupted = new Map();
  for (const runs of killing.values())
    for (const run of runs) interrupted.set(run, (interrupted.get(run) ?? 0) + 1);
  /**
   * How many processes were killed that had begun an asset of the run, or its key in a call for several.
   * @param {RunRecord} run
   */
  const killedIn = ({ id, partitionKey, assets }) =>
    new Set(
      [
        ...[...executions].flatMap(([name, all]) => (name.startsWith(`${id} `) ? all : [])),
        ...assets.flatMap(({ asset }) => [...(begunTogether.get(`${asset} ${partitionKey}`) ?? [])]),
      ].filter((who) => gone.has(who)),
    ).size;
  return { problems, figures, interrupted, killedIn };
}

/**
 * A run's end may stand in the history more than once only where its process was killed between the record and the
 * commit, and it was executed again. What a commit recorded that another one was quicker than is taken back.
 * @param {Field} field
 * @param {(run: RunRecord) => number} killedIn
 */
export function checkHistory(field, killedIn) {
  const folder = path.join(field.place.beside, 'history');
  /** @type {Map<string, RunRecord[]>} */
  const records = new Map();
  for (const name of fs.readdirSync(folder).sort()) {
    if (!name.startsWith('runs.')) continue;
    for (const line of fs.readFileSync(path.join(folder, name), 'utf8').split('\n')) {
      if (line === '') continue;
      let record;
      try {
        record = JSON.parse(line);
      } catch {
        // Torn by a kill.
        continue;
      }
      const id = record.retracted ?? record.id;
      const of = records.get(id) ?? [];
      records.set(id, record.retracted === undefined ? [...of, record] : of.slice(0, -1));
    }
  }
  return [...records].flatMap(([id, of]) => {
    // Without a try nobody's code was called, and the log does not know who recorded it.
    const executed = of.slice(0, -1).filter(({ status, attempts }) => status !== 'CANCELED' && attempts > 0);
    const [first] = executed;
    const died = first === undefined ? 0 : killedIn(first);
    return executed.length > died
      ? [`run ${id} has ended as ${of.map(({ status }) => status).join(', ')}, ${died} processes died of it`]
      : [];
  });
}

/**
 * @template T
 * @param {readonly T[]} list
 * @param {(item: T) => string} nameOf
 * @returns {Map<string, T[]>}
 */
function group(list, nameOf) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const item of list) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return groups;
}

/** @type {Readonly<Record<string, string>>} by asset */
const SETS = {
  mark: 'items',
  copy: 'found',
  first: 'pairs',
  second: 'pairs',
  pulse: 'pulses',
  work: 'jobs',
  base: 'carried',
  derived: 'carried',
  piece: 'parts',
  apart: 'parts',
  near: 'parts',
  aged: 'old',
};

/** @param {RunRecord} run */
function setOf(run) {
  return SETS[run.assets[0]?.asset ?? ''];
}

/**
 * Every run has come to the end that it must have come to, once.
 * @param {Field} field
 * @param {readonly RunRecord[]} runs
 * @param {ReadonlyMap<string, number>} interrupted
 * @param {readonly ('feed' | 'pairs')[]} [listed] sensors whose run keys stand in lists
 */
export function checkRuns(field, runs, interrupted, listed = ['feed', 'pairs']) {
  /** @type {string[]} */
  const problems = [];
  const { cancelAsked, removals, ends } = field.runs;
  const byId = new Map(runs.map((run) => [run.id, run]));
  if (byId.size !== runs.length) problems.push('a run is in the history twice');
  /** @param {RunRecord} run */
  const mayBeCanceled = (run) => cancelAsked.has(run.id) || removals.has(`${setOf(run)} ${run.partitionKey}`);
  for (const run of runs) {
    const { id, status } = run;
    const key = run.partitionKey ?? '';
    const times = interrupted.get(id) ?? 0;
    const what = `run ${id} (${run.assets.map(({ asset }) => asset).join()} of ${key}, interrupted ${times} times)`;
    const code = run.error?.code;
    if (times > MAX_INTERRUPTED) problems.push(`${what} was executed again`);
    if (status === 'CANCELED') {
      if (!mayBeCanceled(run)) problems.push(`${what} is CANCELED, and nobody wanted that`);
    } else if (code === 'interrupted') {
      if (times !== MAX_INTERRUPTED) problems.push(`${what} is FAILURE as if it had been interrupted often`);
    } else if (times >= MAX_INTERRUPTED) problems.push(`${what} is ${status}`);
    else if (key.endsWith(FAILS) && run.assets[0]?.asset !== 'near') {
      if (status !== 'FAILURE') problems.push(`${what} is ${status}, but it always fails`);
    } else if (key.endsWith(KILLS)) {
      // Without its upstream it is not begun.
      if (code !== 'upstream-missing') problems.push(`${what} is ${status}, but it takes its process down`);
    } else if (
      status !== 'SUCCESS' &&
      !(code === 'upstream-missing' && ['second', 'derived', 'apart'].includes(run.assets[0]?.asset ?? ''))
    )
      problems.push(`${what} is ${status}: ${run.error?.message}`);
  }
  for (const [id, said] of ends) {
    const run = byId.get(id);
    for (const { status, by } of said) {
      if (run === undefined)
        problems.push(`run ${id}, ${status} by the word of ${by}, is not in the history`);
      else if (run.status === 'CANCELED' && status !== 'CANCELED')
        field.count('ends that a cancellation overtook');
      else if (run.status !== status)
        problems.push(`run ${id} is ${run.status} in the history, ${status} by the word of ${by}`);
    }
  }
  for (const { set, key, began, ended } of field.runs.removed)
    for (const run of runs)
      if (
        run.partitionKey === key &&
        setOf(run) === set &&
        run.status !== 'CANCELED' &&
        (run.startedAt ?? run.createdAt) < began &&
        (run.finishedAt ?? '') > ended
      )
        problems.push(`run ${run.id} is ${run.status}, but its key ${key} was removed while it was executed`);
  for (const name of listed) {
    const launched = group(
      // A retry keeps the run key, and launches nothing.
      runs.filter((run) => run.sensor === name && run.retryOf === null),
      ({ runKey }) => runKey ?? '',
    );
    if (!same(launched.keys(), field.lists[name]))
      problems.push(`${name}: not each run key has launched a run`);
    for (const [runKey, ofKey] of launched) {
      const lives = 1 + (removals.get(`${name} ${runKey}`) ?? 0);
      if (ofKey.length > lives)
        problems.push(
          `run key ${runKey} launched ${ofKey.map(({ id }) => id).join()}, it had at most ${lives} lives`,
        );
    }
  }
  return problems;
}

/**
 * The statuses are what the runs came to, and each value on record is there.
 * @param {Field} field
 * @param {StateDocument} document
 * @param {readonly RunRecord[]} runs
 * @param {{ readonly assets: readonly CountedAsset[] }} status
 */
export function checkStatuses(field, document, runs, status) {
  /** @type {string[]} */
  const problems = [];
  if (document.runs.length > 0) problems.push('runs are left in the state');
  if (document.executors.length > 0) problems.push('executors are left in the state');
  for (const [name, { set, status: letters }] of Object.entries(document.assets)) {
    // What became of these is in `carried.mjs` and `many.mjs`.
    if (set === null || set === 'carried' || set === 'parts') continue;
    const entry = document.sets[set];
    if (entry === undefined) throw new Error(`${name} has no set`);
    const { keys } = entry;
    const made = keys.filter((_, at) => letters[at] === 'm');
    const failed = keys.filter((_, at) => 'fF'.includes(letters[at] ?? '.'));
    const there = keys.filter((_, at) => 'mF'.includes(letters[at] ?? '.'));
    const counted = status.assets.find(({ asset }) => asset === name);
    /** @type {Omit<CountedAsset, 'asset' | 'skipped'>} */
    const expected = {
      total: keys.length,
      materialized: made.length,
      failed: failed.length,
      inProgress: 0,
      missing: keys.length - made.length - failed.length,
    };
    for (const what of /** @type {(keyof typeof expected)[]} */ (Object.keys(expected)))
      if (counted?.[what] !== expected[what])
        problems.push(`status of ${name}: ${what} ${counted?.[what]}, not ${expected[what]}`);
    for (const key of there) {
      const value = valueOf(field, name, key);
      if (value?.key !== key || value.asset !== name)
        problems.push(`${name} of ${key} is on record without its value`);
    }
    const added = addedAt(entry);
    for (const key of there) {
      const since = added[keys.indexOf(key)] ?? '';
      if (
        !runs.some(
          (run) => run.partitionKey === key && (run.startedAt ?? '') >= since && succeeded(run, name),
        )
      )
        problems.push(`${name} of ${key} counts as materialized, and no run of it began since it was added`);
    }
    if (name !== 'copy' && name !== 'pulse' && name !== 'work') continue;
    // One run at a time makes it alone: its value is that of the last one that counts.
    for (const key of there) {
      const [newest] = runs
        .filter((run) => run.partitionKey === key && succeeded(run, name))
        .sort((one, other) => ((one.finishedAt ?? '') < (other.finishedAt ?? '') ? 1 : -1));
      const value = valueOf(field, name, key);
      if (newest !== undefined && value?.run !== newest.id)
        problems.push(
          `${name} of ${key} is what run ${value?.run} made, on record it is of run ${newest.id}`,
        );
    }
    // Nothing is removed from these sets: the newest end that counts is the status.
    /** @type {Map<string, string>} */
    const last = new Map();
    /** @type {Set<string>} */
    const everMade = new Set();
    for (const run of [...runs].reverse())
      for (const outcome of run.assets)
        if (outcome.asset === name && run.status !== 'CANCELED' && outcome.status !== 'SKIPPED') {
          last.set(run.partitionKey ?? '', outcome.status);
          if (outcome.status === 'SUCCESS') everMade.add(run.partitionKey ?? '');
        }
    for (const key of keys) {
      const ended = last.get(key);
      const letter = ended === 'SUCCESS' ? 'm' : ended !== 'FAILURE' ? '.' : everMade.has(key) ? 'F' : 'f';
      const is = letters[keys.indexOf(key)] ?? '.';
      if (is !== letter) problems.push(`${name} of ${key} is '${is}', its runs say '${letter}'`);
    }
  }
  return problems;
}

/**
 * @param {RunRecord} run
 * @param {string} name
 */
export function succeeded(run, name) {
  return run.assets.some(({ asset, status }) => asset === name && status === 'SUCCESS');
}

/**
 * When each key of a set was added, in their order.
 * @param {SetEntry} set
 */
function addedAt({ added }) {
  return added.flatMap(([count, at]) => Array.from({ length: count }, () => at));
}

/**
 * @param {Field} field
 * @param {string} asset
 * @param {string | null} key
 */
export function valueOf(field, asset, key) {
  // The names that are used here stand for themselves but for these characters; an asset without keys has one value.
  const file =
    key === null ? '=' : key.replace(/[/!~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  try {
    return JSON.parse(
      fs.readFileSync(path.join(field.place.beside, 'values', asset, `${file}.json`), 'utf8'),
    );
  } catch {
    return null;
  }
}

/**
 * Nothing lies about that grows.
 * @param {Field} field
 * @param {readonly RunRecord[]} runs
 */
export function checkFolder(field, runs) {
  /** @type {string[]} */
  const problems = [];
  const all = fs
    .readdirSync(field.place.beside, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/^\.?other\./.test(name));
  const generations = all.filter((name) => /^\.state\.json\.\d{12}$/.test(name));
  if (generations.length > 16) problems.push(`${generations.length} generations`);
  const left = all.filter(
    (name) =>
      /\.tmp\b|^claims\/|^executors\//.test(name) &&
      name !== 'values/.tmp' &&
      !name.startsWith('values/.tmp/boot-') &&
      !/^values\/[^.]/.test(name),
  );
  // The sign that somebody has looked for leftovers since this machine was started stays; there is one.
  const signs = left.filter((name) => name.startsWith('values/.tmp/boot-')).slice(0, 1);
  for (const sign of signs) left.splice(left.indexOf(sign), 1);
  if (left.length > 0) problems.push(`left behind: ${left.join(' ')}`);
  const ids = new Set(runs.map(({ id }) => id));
  const logs = all.filter((name) => /^logs\/./.test(name) && !ids.has(path.basename(name, '.jsonl')));
  if (logs.length > 0) problems.push(`logs of unknown runs: ${logs.join(' ')}`);
  return problems;
}

/**
 * The sets are what was acknowledged.
 * @param {Field} field
 * @param {StateDocument} document
 */
export function checkSets(field, document) {
  /** @type {string[]} */
  const problems = [];
  /** @param {string} set */
  const keysOf = (set) => document.sets[set]?.keys ?? [];
  problems.push(
    ...field.items.wrong(field.items.expected(), keysOf('items')).map((text) => `items: ${text}`),
  );
  const late = field.items.outOfOrder(keysOf('items'));
  if (late.length > 0) problems.push(`items: ${late.join()} stand behind keys that were added after them`);
  if (!field.mirror.allows(keysOf('mirror'))) problems.push(`mirror is ${keysOf('mirror').join()}`);
  if (!same(keysOf('found'), field.lists.feed)) problems.push('found is not what was listed');
  const guarded = keysOf('guarded');
  for (const [key, out] of field.keptOut)
    if (out !== null && out === guarded.includes(key))
      problems.push(`guarded: ${key} is ${out ? '' : 'not '}there`);
  const { cursor = null } = document.sensors['count'] ?? {};
  if (field.cursor.isOlder(cursor, field.cursor.last))
    problems.push(`the cursor is ${cursor}, op${field.cursor.last.join(':')} was acknowledged`);
  return problems;
}
