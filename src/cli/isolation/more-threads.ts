/** More of Node's threads for writing values, without a trace of that in the environment of the user's programs. */
import fs from 'node:fs';

const NAME = 'UV_THREADPOOL_SIZE';

let isOurs = false;

/** fsync waits in threads: with four of them ten thousand small values wait long. To be called before the first one is needed. */
export function moreThreads(): void {
  if (process.env[NAME] !== undefined) return;
  process.env[NAME] = '64';
  isOurs = true;
}

/**
 * Takes the variable back, before a program starts. The threads read it when the first work for them begins, so they are
 * given some. That costs a millisecond, which is why it does not happen at each start.
 */
export function hideMoreThreads(): void {
  if (!isOurs) return;
  fs.access('.', () => undefined);
  Reflect.deleteProperty(process.env, NAME);
  isOurs = false;
}

/** The environment for a thread of the user's, which gets a copy of its own. */
export function environmentOfUser(): NodeJS.ProcessEnv {
  const { [NAME]: size, ...others } = process.env;
  return isOurs || size === undefined ? others : { ...others, [NAME]: size };
}
