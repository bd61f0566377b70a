/** What the runs of the benchmark compute. */
import { createHash } from 'node:crypto';

/**
 * @param {string} text to begin with
 * @param {number} rounds
 */
export function compute(text, rounds) {
  let digest = text;
  for (let times = 0; times < rounds; times++) digest = createHash('sha256').update(digest).digest('hex');
  return digest;
}
