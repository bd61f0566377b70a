/** What somebody was told while processes were killed: each thing at least once, and no two of one within a minute. */
import fs from 'node:fs';
import path from 'node:path';

/**
 * @import { StateDocument } from '../../../src/state/document/state-document.ts'
 * @import { Field } from './ledger.mjs'
 */

/** A minute, less what somebody sleeps who was stopped between the word that he calls and the call, and is killed then. */
const LEAST_MS = 60_000 - 12_000;

/**
 * @param {Field} field
 * @param {StateDocument} document
 */
export function checkTold(field, document) {
  /** @type {string[]} */
  const problems = [];
  const file = path.join(field.project, `${field.prefix}told.txt`);
  /** @type {Map<string, number>} when it was told last, by what it is about */
  const last = new Map();
  let messages = 0;
  for (const line of fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : []) {
    const [time, who, code] = line.split(' ');
    const what = `${who} ${code}`;
    const before = last.get(what) ?? -Infinity;
    if (Number(time) - before < LEAST_MS)
      problems.push(`${line}: told ${Number(time) - before} ms before, too`);
    last.set(what, Number(time));
    messages++;
  }
  field.count('messages', messages);
  const { list = [], calling = {} } = document.incidents ?? {};
  for (const { asset, sensor, code, over, told } of list) {
    const what = `${asset ?? sensor} ${code}`;
    const isTold = told['told'] !== undefined;
    if (isTold && !last.has(what)) problems.push(`${what} is on record as told, and was not`);
    // Whoever called last was killed, or the last word of it is not a minute old.
    const waits = calling['told'] !== undefined || last.has(what);
    if (over === undefined && !isTold && !waits) problems.push(`${what} is told to nobody`);
  }
  return problems;
}
