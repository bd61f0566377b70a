/** The tables of docs/performance.md. A page has a place for each release line of Node.js, and one for the peers. Pure. */
import { isMet, markdownTable } from './table.mjs';

/** @import { Row } from './table.mjs' */

/** @typedef {{ readonly name: string, readonly title: string, readonly rows: readonly Row[] }} Benchmark */

/**
 * Where it was measured.
 * @typedef {object} Machine
 * @property {string} node
 * @property {string} platform
 * @property {string} cpus
 * @property {number} memoryGb
 * @property {string} folder
 * @property {string} fileSystem
 * @property {readonly number[]} load
 */

/** @typedef {{ readonly at: string, readonly machine: Machine, readonly benchmarks: readonly Benchmark[] }} Result */

/**
 * All of a result, as a page has it.
 * @param {Result} result
 */
export function page(result) {
  return Object.values(places(result)).join('\n');
}

/**
 * The page with the result in its places. A place that the page does not have yet is a mistake of the page's.
 * @param {string} text
 * @param {Result} result
 */
export function intoPage(text, result) {
  let next = text;
  for (const [place, content] of Object.entries(places(result))) {
    const begin = `<!-- ${place} -->\n`;
    const end = `<!-- end of ${place} -->`;
    const from = next.indexOf(begin);
    const to = next.indexOf(end);
    if (from === -1 || to < from)
      throw new Error(`the page has no place for ${place}: ${begin.trim()} … ${end}`);
    next = `${next.slice(0, from)}${begin}\n${content}\n${next.slice(to)}`;
  }
  return next;
}

/**
 * @param {Result} result
 * @returns {Record<string, string>}
 */
function places(result) {
  const { machine, benchmarks } = result;
  const line = `node ${machine.node.slice(1).split('.')[0]}`;
  const own = benchmarks.filter(({ name }) => name !== 'peers');
  const peers = benchmarks.filter(({ name }) => name === 'peers');
  return {
    ...(own.length > 0 && { [line]: section(result, own) }),
    ...(peers.length > 0 && { peers: section(result, peers) }),
  };
}

/**
 * @param {Result} result
 * @param {readonly Benchmark[]} benchmarks
 */
function section({ at, machine }, benchmarks) {
  const { node, platform, cpus, memoryGb, fileSystem, load } = machine;
  const aims = benchmarks.flatMap(({ rows }) => rows).filter((row) => isMet(row) !== undefined);
  const met = aims.filter(isMet);
  const where = `Node.js ${node.slice(1)}, ${platform}, ${cpus}, ${memoryGb} GB, ${fileSystem}, load ${load[0]} at the beginning. ${at.slice(0, 10)}.`;
  const summary = aims.length === 0 ? '' : ` ${met.length} of ${aims.length} aims met.`;
  return `${where}${summary}\n${benchmarks.map(({ title, rows }) => `\n**${title}**\n\n${markdownTable(rows)}\n`).join('')}`;
}
