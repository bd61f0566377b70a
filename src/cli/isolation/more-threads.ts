/** More of Node's threads for writing values, without a trace of that in the environment of the user's programs. */
import fs from 'node:fs';

const NAME = 'UV_THREADPOOL_SIZE';

/** From this version on Node hands programs the environment of the process itself, whatever JavaScript sees of it. */
const HANDS_ON_ITS_OWN = 26;

let areAskedFor = false;

/**
 * fsync waits in threads: with four of them ten thousand small values wait long. To be called before the first one is needed.
 *
 * The threads read the variable of the process when the first work for them begins, whoever gives it. What JavaScript
 * sees, and hands to the programs it starts, is an environment without it. Starting the threads at once, to take the
 * variable back, costs each small tick up to a tenth of its time: it is done where nothing else helps.
 */
export function moreThreads(): void {
  if (areAskedFor || process.env[NAME] !== undefined) return;
  areAskedFor = true;
  process.env[NAME] = '64';
  if (Number.parseInt(process.versions.node, 10) >= HANDS_ON_ITS_OWN) {
    fs.access('.', () => undefined);
    delete process.env[NAME];
    return;
  }
  process.env = new Proxy(process.env, {
    has: (real, name) => name !== NAME && Reflect.has(real, name),
    get: (real, name) => (name === NAME ? undefined : (Reflect.get(real, name) as unknown)),
    ownKeys: (real) => Reflect.ownKeys(real).filter((name) => name !== NAME),
    getOwnPropertyDescriptor: (real, name) =>
      name === NAME ? undefined : Reflect.getOwnPropertyDescriptor(real, name),
  });
}
