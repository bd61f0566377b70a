/** Keys that a rule takes out by itself, with what was made of them: what is added, and what must be left of it. */
import fs from 'node:fs';
import path from 'node:path';

/**
 * @import { StateDocument } from '../../../src/state/document/state-document.ts'
 * @import { Command, Lane } from './commands.mjs'
 * @import { Field } from './ledger.mjs'
 */

/** So many keys stay. */
export const KEPT = 3;

/** @type {Set<string>} */
const acknowledged = new Set();
let count = 0;

/** @type {Readonly<Record<'old-add', (lane: Lane) => Command>>} */
export const OLD_KINDS = {
  'old-add'({ field }) {
    const key = `o${++count}`;
    return {
      args: ['partitions', 'add', 'old', key],
      ended({ added }, problems) {
        if (!added.includes(key)) problems.push(`${key} was not added`);
        acknowledged.add(key);
        field.count('acknowledged commits');
      },
      killed: () => undefined,
    };
  },
};

/**
 * What was added is there, or was taken out and stays away; and of what was taken out nothing is left.
 * @param {Field} field
 * @param {StateDocument} document
 */
export function checkOld(field, document) {
  /** @type {string[]} */
  const problems = [];
  const { keys = [], keptOut = [] } = document.sets['old'] ?? {};
  for (const key of acknowledged)
    if (keys.includes(key) === keptOut.includes(key))
      problems.push(`${key} is ${keys.includes(key) ? 'there, and kept out' : 'neither there nor kept out'}`);
  if (keys.length > KEPT) problems.push(`${keys.length} keys are left, ${KEPT} are to stay`);
  const letters = document.assets['aged']?.status ?? '';
  const made = keys.filter((_, at) => letters[at] === 'm');
  if (made.length !== keys.length) problems.push(`of ${keys.join()} only ${made.join()} was made`);
  const folder = path.join(field.place.beside, 'values/aged');
  const files = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
  const values = made.map((key) => `${key}.json`);
  if (files.toSorted().join() !== values.toSorted().join())
    problems.push(`there are values ${files.join()}, and keys ${values.join()}`);
  field.count('keys that a rule took out', keptOut.length);
  return problems;
}
