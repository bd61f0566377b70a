/** More of Node's threads for writing values, without a trace of that in the environment of the user's programs. */
const NAME = 'UV_THREADPOOL_SIZE';

let areAskedFor = false;

/**
 * fsync waits in threads: with four of them ten thousand small values wait long. To be called before the first one is needed.
 *
 * The threads read the variable of the process when the first work for them begins, whoever gives it. What JavaScript
 * sees, and hands to the programs it starts, is an environment without it. Starting the threads at once, to take the
 * variable back, would cost each small tick a tenth of its time.
 */
export function moreThreads(): void {
  if (areAskedFor || process.env[NAME] !== undefined) return;
  areAskedFor = true;
  process.env[NAME] = '64';
  process.env = new Proxy(process.env, {
    has: (real, name) => name !== NAME && Reflect.has(real, name),
    get: (real, name) => (name === NAME ? undefined : (Reflect.get(real, name) as unknown)),
    ownKeys: (real) => Reflect.ownKeys(real).filter((name) => name !== NAME),
    getOwnPropertyDescriptor: (real, name) =>
      name === NAME ? undefined : Reflect.getOwnPropertyDescriptor(real, name),
  });
}
