/** Computes as the runs of the benchmark do, and nothing else: `compute.mjs COUNT ROUNDS`. */
import { createHash } from 'node:crypto';

const [, , count, rounds] = process.argv;
for (let at = 0; at < Number(count); at++) {
  let digest = `key-${at}`;
  for (let times = 0; times < Number(rounds); times++)
    digest = createHash('sha256').update(digest).digest('hex');
}
