/** What commands of several kinds share: their shape, and what each of a kind must answer. */
import fs from 'node:fs';
import path from 'node:path';
import { FAILS, KILLS } from './pipeline.mjs';
import { newestGeneration } from './victim.mjs';

/**
 * One lane of the hammer, which gives one command after the other.
 * @typedef {object} Lane
 * @property {string} name
 * @property {Chance} chance
 * @property {Field} field
 * @property {number} count of the keys that it has made
 * @property {readonly string[]} keys its own, which it adds and removes again and again
 * @property {(args: readonly string[], exits?: readonly number[]) => Promise<Answer | null>} quiet what nobody disturbs
 *
 * What commands print: a command fills in what is its own.
 * @typedef {object} Answer
 * @property {readonly string[]} added
 * @property {readonly string[]} updated
 * @property {readonly string[]} marked
 * @property {readonly string[]} removed
 * @property {readonly string[]} skipped
 * @property {number} unchanged
 * @property {readonly RunRecord[]} runs
 * @property {readonly RunRecord[]} resumed
 * @property {readonly TickRecord[]} ticks
 * @property {readonly CarriedKey[]} keys
 * @property {{ readonly code: string }} [error]
 * @property {number} total
 * @property {string | null} next
 * @property {readonly CountedAsset[]} assets
 * @property {readonly { readonly sensor: string, readonly status: string, readonly cursor: string | null }[]} sensors
 * @property {string} status
 * @property {string | null} cursor
 * @property {boolean} ok
 * @property {number} serial
 * @property {readonly object[]} problems
 * @property {TickRecord} [tick] of a line of a watch
 * @property {RunRecord} [run] of a line of a watch or worker
 *
 * @typedef {object} Command
 * @property {readonly string[]} args
 * @property {readonly number[]} [exits]
 * @property {RegExp} [mayWarn] what it may say
 * @property {Field} [field] the other pipeline's
 * @property {boolean} [lines] whether it prints a document a line
 * @property {number} [term] milliseconds after which it is told to stop
 * @property {(answer: Answer, problems: string[], lines: readonly Answer[]) => void} ended
 * @property {() => void | Promise<void>} killed
 *
 * @import { RunRecord } from '../../../src/model/run.ts'
 * @import { TickRecord } from '../../../src/model/tick.ts'
 * @import { StateDocument } from '../../../src/state/document/state-document.ts'
 * @import { CarriedKey } from './carried.mjs'
 * @import { Chance } from './chance.mjs'
 * @import { CountedAsset } from './last-checks.mjs'
 * @import { Field } from './ledger.mjs'
 */

export const FINAL = ['SUCCESS', 'FAILURE', 'CANCELED'];

/**
 * @param {string[]} problems
 * @param {boolean} holds
 * @param {string} what
 */
export function expect(problems, holds, what) {
  if (!holds) problems.push(what);
}

/**
 * The state file as it is now, without a process. It may be older than its newest generation.
 * @param {Field} field
 * @returns {StateDocument}
 */
export function rawState(field) {
  return JSON.parse(fs.readFileSync(path.join(field.place.folder, field.place.file), 'utf8'));
}

/**
 * @param {Field} field
 * @param {readonly TickRecord[]} ticks
 * @param {string[]} problems
 * @param {{ executes: boolean, told?: boolean }} options
 */
export function checkTicks(field, ticks, problems, { executes, told = false }) {
  for (const tick of ticks) {
    if (told && tick.error?.code === 'sensor-interrupted') continue;
    expect(problems, ['SUCCESS', 'SKIPPED', 'BUSY'].includes(tick.status), `a tick is ${tick.status}`);
    if (tick.sensor === 'count' && tick.status === 'SKIPPED') {
      problems.push(...field.cursor.stepped(tick.cursor.before, tick.cursor.after));
      field.cursor.acknowledged(tick.cursor.after);
    }
    if (executes)
      for (const run of tick.runs)
        expect(problems, FINAL.includes(String(run.status)), `run ${run.id} was left ${run.status}`);
    field.runs.note(tick.runs, 'tick');
  }
}

/**
 * @param {Field} field
 * @param {string} name
 * @param {readonly string[]} lines
 */
export function listFile(field, name, lines) {
  const fresh = path.join(field.project, `${name}.${++field.files}.new`);
  fs.writeFileSync(fresh, lines.map((line) => `${line}\n`).join(''));
  fs.renameSync(fresh, path.join(field.project, `${field.prefix}${name}`));
}

/**
 * A new item in the outside world. Now and then one that fails, or one that takes its process down.
 * @param {Field} field
 * @param {'feed' | 'pairs'} name
 */
export function grow(field, name) {
  const list = field.lists[name];
  const sort = list.length % 16 === 7 ? FAILS : list.length % 60 === 4 ? KILLS : '';
  list.push(`${name === 'feed' ? 'f' : 'q'}${list.length}${sort}`);
  listFile(field, `${name}.txt`, list);
}

/**
 * @param {Field} field
 * @param {readonly string[]} args
 * @param {(answer: Answer, problems: string[]) => void} look
 * @returns {Command}
 */
export function reading(field, args, look) {
  return {
    args,
    ended(document, problems) {
      look(document, problems);
      field.count('reads');
    },
    killed: () => undefined,
  };
}

/**
 * @param {Lane} lane
 * @returns {Command}
 */
export function checking({ field }) {
  const floor = newestGeneration(field.place);
  return reading(field, ['state', 'check'], ({ ok, serial, problems: found }, problems) => {
    expect(problems, ok && found.length === 0, `the state has problems: ${JSON.stringify(found)}`);
    expect(problems, serial >= floor, `it sees serial ${serial}, and ${floor} was there before`);
  });
}

/**
 * @param {Lane} lane
 * @param {readonly string[]} names
 * @param {boolean} executes
 * @returns {Command}
 */
export function ticking({ field, chance }, names, executes) {
  const wait = chance.is(0.2) ? ['--if-busy', 'wait', '--wait-timeout', '20'] : [];
  return {
    args: ['sensor', 'tick', ...names, ...wait],
    exits: wait.length > 0 ? [0, 1, 4] : [0, 1],
    ended(document, problems) {
      checkTicks(field, document.ticks, problems, { executes });
      field.runs.note(document.resumed, 'resumed');
      field.count('acknowledged commits', document.ticks.filter(({ status }) => status === 'SUCCESS').length);
      field.count('busy ticks', document.ticks.filter(({ status }) => status === 'BUSY').length);
    },
    killed: () => undefined,
  };
}
