/** dlt's incremental, over tables as a history has them at each of its polls: what it delivers, and what is never delivered. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { SetModel } from '../../test/support/set-model.mjs';
import { pythonPeers } from '../peers/python.mjs';

/**
 * @import { Verdict } from './chance.mjs'
 * @import { Poll, Row } from './table-history.mjs'
 * @typedef {[id: number, version: number][]} Delivered
 */

/** @type {typeof import('../../src/sources/index.ts')} */
const { rows } = await import(new URL('../../dist/sources.js', import.meta.url).href);

/** @returns {Promise<Dlt>} */
export async function byDlt() {
  const { dlt } = pythonPeers(['dlt']);
  if (dlt?.programs === undefined) throw new Error(`dlt cannot be tried: ${dlt?.missing}`);
  return new Dlt(path.join(dlt.programs, 'python'), dlt.version);
}

class Dlt {
  #child;
  #lines;

  /** @param {string} python @param {string} version */
  constructor(python, version) {
    this.version = version;
    this.#child = spawn(python, [path.join(import.meta.dirname, '../peers/dlt_incremental.py')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, RUNTIME__DLTHUB_TELEMETRY: 'false', PYTHONDONTWRITEBYTECODE: '1' },
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * What each poll delivers, by default and with a lag of ten minutes.
   * @param {readonly Poll[]} polls
   * @returns {Promise<{ name: string, polls: Delivered[] }[]>}
   */
  async deliver(polls) {
    const asked = polls.map((poll) => poll.map(({ id, at, version }) => [id, at.getTime() / 1000, version]));
    if (!this.#child.stdin.write(`${JSON.stringify(asked)}\n`)) await once(this.#child.stdin, 'drain');
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('dlt ended');
    const [plain, lagged] = JSON.parse(value);
    return [
      { name: `dlt ${this.version}`, polls: plain },
      { name: `dlt ${this.version} with lag=600`, polls: lagged },
    ];
  }

  /**
   * Deletions are not held against it: it does not look for them. What is delivered twice is merged by its key, and counts for nothing.
   * @param {readonly Poll[]} polls
   * @param {readonly Row[]} there
   * @returns {Promise<(Verdict & { name: string })[]>}
   */
  async read(polls, there) {
    return (await this.deliver(polls)).map(({ name, polls }) => {
      const merged = new Map(polls.flat());
      const lost = there.filter(({ id }) => !merged.has(id)).length;
      const wrong = there.filter(({ id, version }) => merged.has(id) && merged.get(id) !== version).length;
      return { name, lost, twice: 0, wrong };
    });
  }

  end() {
    this.#child.stdin.end();
  }
}

/** @param {number} id @param {number} minute @returns {Row} */
function row(id, minute) {
  return { id, at: new Date(Date.UTC(2025, 0, 1, 12, minute)), version: 1, commits: 0 };
}

/**
 * Six rows in three polls; the third of them was begun before the fourth and fifth, and is committed after them (dlt-hub/dlt#2269).
 * @param {Dlt} dlt
 */
export async function sixRows(dlt) {
  const [one, two, three, four, five, six] = /** @type {const} */ ([
    row(1, 0),
    row(2, 1),
    row(3, 2),
    row(4, 3),
    row(5, 4),
    row(6, 5),
  ]);
  const polls = [
    [one, two],
    [one, two, four, five],
    [one, two, three, four, five, six],
  ];
  for (const { name, polls: delivered } of await dlt.deliver(polls)) said(name, delivered.flat());
  const set = new SetModel();
  let table = polls[0] ?? [];
  const evaluate = rows(/** @type {any} */ (set), {
    query: (/** @type {Date | null} */ after) => table.filter(({ at }) => after === null || at >= after),
    key: 'id',
    cursor: 'at',
    version: 'version',
  });
  /** @type {Delivered} */
  const found = [];
  for (table of polls) {
    const { added, updated } = await set.tick(evaluate);
    found.push(...[...added, ...updated].map((key) => /** @type {[number, number]} */ ([Number(key), 1])));
  }
  said('rows', found);
}

/** @param {string} name @param {Delivered} delivered */
function said(name, delivered) {
  const different = new Set(delivered.map(([id]) => id));
  console.log(
    `six rows in three polls, one late: ${name} delivers ${different.size} of 6, in ${delivered.length} deliveries`,
  );
}
