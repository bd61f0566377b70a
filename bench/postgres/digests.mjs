/** What the runs of the benchmark compute: in one call that leaves nothing to clean up, so that no garbage collector is measured with it. */
import { pbkdf2Sync } from 'node:crypto';

/**
 * @param {string} text to begin with
 * @param {number} rounds
 */
export function compute(text, rounds) {
  return pbkdf2Sync(text, 'salt', rounds, 32, 'sha256').toString('hex');
}
