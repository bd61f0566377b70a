/**
 * `node bench/sources/histories.mjs [COUNT [SEED]]`: random histories of a table and of a paginated API, with ticks of `rows` and `http` between
 * the changes, against a model that is far simpler: what is there when all is quiet must be in the set, in its version, and must
 * have been added once. A history that fails is told by its seed. A calm table has late commits, ties and edits; others have also rows of
 * the future, and clocks that are set; half of these have deletions.
 *
 * With `--peers` dlt's incremental reads the same tables at the same moments: as its documentation shows it, and with a lag as long as the
 * overlap of `rows`. Pip installs it, once.
 */
import { parseArgs } from 'node:util';
import { apiHistory } from './api-history.mjs';
import { byDlt, sixRows } from './dlt.mjs';
import { tableHistory } from './table-history.mjs';

/** @import { Verdict } from './chance.mjs' */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { peers: { type: 'boolean', default: false } },
});
const [count = 10_000, first = 1] = positionals.map(Number);

/** By what was measured: sums, and how many histories were not right. */
class Sums {
  /** @type {Map<string, { lost: number, twice: number, wrong: number, histories: number, bad: number }>} */
  #sums = new Map();

  /** @param {string} name @param {Verdict} verdict @returns whether all was right */
  add(name, { lost, twice, wrong }) {
    const before = this.#sums.get(name) ?? { lost: 0, twice: 0, wrong: 0, histories: 0, bad: 0 };
    const isRight = lost + twice + wrong === 0;
    this.#sums.set(name, {
      lost: before.lost + lost,
      twice: before.twice + twice,
      wrong: before.wrong + wrong,
      histories: before.histories + 1,
      bad: before.bad + (isRight ? 0 : 1),
    });
    return isRight;
  }

  print() {
    for (const [name, { lost, twice, wrong, histories, bad }] of this.#sums)
      console.log(
        `${name}: ${histories} histories, ${histories - bad} right: ${lost} lost, ${twice} made twice, ${wrong} in another version or too many`,
      );
  }
}

const sums = new Sums();

/** @param {string} name @param {number} seed @param {Verdict} verdict */
function ours(name, seed, verdict) {
  if (sums.add(name, verdict)) return;
  console.log(`  ${name}, seed ${seed}: ${JSON.stringify(verdict)}`);
  process.exitCode = 1;
}

const dlt = values.peers ? await byDlt() : null;
if (dlt !== null) await sixRows(dlt);
for (const isCalm of [true, false])
  for (let seed = first; seed < first + count; seed++) {
    const { reconciles, polls, there, ...verdict } = await tableHistory(seed, { isCalm });
    const kind = isCalm ? 'a calm table' : reconciles ? 'a table with deletions' : 'a table';
    ours(`rows, ${kind}`, seed, verdict);
    for (const { name, ...theirs } of (await dlt?.read(polls, there)) ?? [])
      sums.add(`${name}, ${kind}`, theirs);
  }
for (let seed = first; seed < first + count; seed++) ours('http', seed, await apiHistory(seed));
dlt?.end();
sums.print();
