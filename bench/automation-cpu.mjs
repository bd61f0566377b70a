/**
 * `node bench/automation-cpu.mjs`: no-op ticks with automated assets and without, in turns, by the processor time that they take, which
 * other work on the machine hardly changes. Wants bash.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { pipeline, settled } from './automation.mjs';
import { env, median, removeFolders, round, words } from './harness.mjs';
import { quantile } from './statistics.mjs';

const program = path.join(import.meta.dirname, '../bin/dynpart.cjs');

/** Milliseconds of user and system together. @param {string} cwd */
function cpuOfTick(cwd) {
  const timed = `TIMEFORMAT='%U %S'; { time "${process.execPath}" "${program}" sensor tick > tick.txt 2>&1; } 2>&1`;
  const said = execFileSync('bash', ['-c', timed], { cwd, env, encoding: 'utf8' });
  return said
    .trim()
    .split(' ')
    .reduce((sum, seconds) => sum + Number(seconds) * 1000, 0);
}

for (const { keys, assets, rounds } of [
  { keys: 10_000, assets: 10, rounds: 31 },
  { keys: 1_000_000, assets: 2, rounds: 21 },
]) {
  const [automated, plain] = [true, false].map((is) =>
    settled(pipeline(assets, is), { keys, version: null }),
  );
  const both = Array.from({ length: rounds }, () => [cpuOfTick(automated ?? ''), cpuOfTick(plain ?? '')]);
  const of = (/** @type {0 | 1} */ side) => both.map((pair) => pair[side] ?? NaN);
  const ratios = both.map(([with_ = NaN, without = NaN]) => with_ / without);
  console.log(
    `${words(keys)} keys × ${assets} automated assets: ${Math.round(median(of(0)))} ms beside ${Math.round(median(of(1)))} ms, ` +
      `${round(median(ratios))} (${round(quantile(ratios, 0.25))} to ${round(quantile(ratios, 0.75))})`,
  );
}
removeFolders();
