/** Computes as the runs of the benchmark do, and nothing else: `compute.mjs COUNT ROUNDS`. */
import { compute } from './digests.mjs';

const [, , count, rounds] = process.argv;
for (let at = 0; at < Number(count); at++) compute(`key-${at}`, Number(rounds));
