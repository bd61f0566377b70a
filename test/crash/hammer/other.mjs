/** The second pipeline in the folder, which shares all names with the first: nothing of one may reach the other. */
import fs from 'node:fs';
import path from 'node:path';
import { grow, reading, ticking } from './commands.mjs';
import { checkHistory, checkRuns, replay, valueOf } from './last-checks.mjs';
import { same } from './ledger.mjs';

/**
 * @import { RunRecord } from '../../../src/model/run.ts'
 * @import { StateDocument } from '../../../src/state/document/state-document.ts'
 * @import { Command, Lane } from './commands.mjs'
 * @import { Field } from './ledger.mjs'
 */

export const OTHER_FILE = 'other.ts';

/**
 * The lane as it is for the other pipeline.
 * @param {Lane} lane
 * @returns {Lane & { field: Field }}
 */
const ofOther = (lane) => ({ ...lane, field: lane.field.other ?? lane.field });

/**
 * @param {Lane} lane
 * @param {Command} command
 * @returns {Command}
 */
const asOther = ({ field }, command) => ({
  ...command,
  args: ['-f', OTHER_FILE, ...command.args],
  field: field.other ?? field,
});

/** @type {Readonly<Record<'other-tick' | 'other-no-run' | 'other-worker' | 'other-list' | 'foreign', (lane: Lane) => Command>>} */
export const OTHER_KINDS = {
  'other-tick'(lane) {
    const other = ofOther(lane);
    grow(other.field, 'feed');
    return asOther(lane, ticking(other, ['feed'], true));
  },

  'other-no-run'(lane) {
    const other = ofOther(lane);
    grow(other.field, 'feed');
    return asOther(lane, ticking(other, ['feed', '--no-run'], false));
  },

  'other-worker'(lane) {
    const { field } = ofOther(lane);
    return asOther(lane, {
      args: ['worker', '--once'],
      exits: [0, 1],
      ended: (document) => field.runs.note(document.runs, 'worker'),
      killed: () => undefined,
    });
  },

  'other-list'(lane) {
    const { field } = ofOther(lane);
    return asOther(
      lane,
      reading(field, ['partitions', 'list', 'found'], ({ keys }, problems) => {
        for (const { key } of keys)
          if (!field.lists.feed.includes(key)) problems.push(`${key} was never listed for it`);
      }),
    );
  },

  // Whoever takes the other one's state is refused, whatever it wants.
  foreign({ chance }) {
    const [file, state] = chance.of([
      [OTHER_FILE, 'state.json'],
      ['pipeline.ts', 'other.json'],
    ]);
    const command = chance.of([
      ['sensor', 'tick', 'feed'],
      ['worker', '--once'],
      ['materialize', 'copy', '--missing'],
      ['partitions', 'add', 'items', 'foreign'],
      ['partitions', 'list', 'items'],
    ]);
    return {
      args: ['-f', file, '--state', `.dynpart/${state}`, ...command],
      exits: [2],
      ended({ error }, problems) {
        if (error?.code !== 'foreign-state') problems.push(`it was not refused as another pipeline's`);
      },
      killed: () => undefined,
    };
  },
};

/**
 * What the other pipeline came to: all that was listed for it, once, made by its own code.
 * @param {Field} field the other's own
 * @param {StateDocument} document
 * @param {readonly RunRecord[]} runs
 * @param {number} putBacks
 */
export function checkOther(field, document, runs, putBacks) {
  const told = replay(fs.readFileSync(field.logFile, 'utf8'), putBacks);
  const problems = [
    ...told.problems,
    ...checkRuns(field, runs, told.interrupted, ['feed']),
    ...checkHistory(field, told.killedIn),
  ];
  if (document.runs.length > 0 || document.executors.length > 0) problems.push('something is left to do');
  const { keys = [] } = document.sets['found'] ?? {};
  if (!same(keys, field.lists.feed)) problems.push('found is not what was listed for it');
  for (const [set, entry] of Object.entries(document.sets))
    if (set !== 'found' && entry.keys.length > 0) problems.push(`there are keys in ${set}`);
  return [...problems, ...checkWhose(field, 'other')];
}

/**
 * All values of a state were made by its own pipeline.
 * @param {Field} field
 * @param {string} name
 */
export function checkWhose(field, name) {
  const values = path.join(field.place.beside, 'values');
  /** @type {[asset: string, key: string | null][]} */
  const all = fs
    .readdirSync(values)
    .filter((asset) => asset !== '.tmp')
    .flatMap((asset) =>
      fs
        .readdirSync(path.join(values, asset))
        .filter((file) => file.endsWith('.json'))
        .map(
          (file) => /** @type {[string, string | null]} */ ([asset, keyOf(file.slice(0, -'.json'.length))]),
        ),
    );
  return all
    .filter(([asset, key]) => valueOf(field, asset, key)?.of !== name)
    .map(([asset, key]) => `${asset} of ${key} was not made by ${name}`);
}

/** @param {string} name of a file */
function keyOf(name) {
  return name === '=' ? null : decodeURIComponent(name);
}
