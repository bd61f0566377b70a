/**
 * Put into a process before dynpart: at one call on the state folder, named by HAMMER_POINT, it says so on descriptor 3
 * and stops itself. Who started it sees it standing there, and kills it or lets it go on.
 */
'use strict';
const fs = require('node:fs');
const { closeSync, openSync, writeSync } = fs;

// A thread that evaluates sensors loads this, too. Nothing is to happen there.
const [operation, place, side, nth] = (process.env['HAMMER_POINT'] ?? '- - - 0').split(' ');
delete process.env['HAMMER_POINT'];
/** @type {Map<number, string>} */
const paths = new Map();
let left = Number(nth);

/** @type {readonly (readonly [place: string, pattern: RegExp])[]} */
const PLACES = [
  ['generation', /\.(?:state|other)\.json\.\d{12}$/],
  ['temporary', /\.(?:state|other)\.json\.tmp\./],
  ['state', /\/(?:state|other)\.json$/],
  ['claims', /\/claims\/./],
  ['executors', /\/executors\/./],
  ['runs', /\/history\/runs\./],
  ['ticks', /\/history\/ticks\/./],
  ['logs', /\/logs\/./],
  ['values', /\/values\/./],
  ['folder', /\/\.dynpart$/],
];

/**
 * @param {string} name
 * @param {unknown} path
 * @param {'before' | 'after'} when
 */
function here(name, path, when) {
  if (left <= 0 || name !== operation || side !== when) return;
  const text = typeof path === 'number' ? paths.get(path) : String(path);
  if (text === undefined || PLACES.find(([, pattern]) => pattern.test(text))?.[0] !== place) return;
  left--;
  if (left > 0) return;
  writeSync(3, 'here\n');
  process.kill(process.pid, 'SIGSTOP');
}

/**
 * @param {'writeSync' | 'fsyncSync' | 'linkSync' | 'renameSync' | 'unlinkSync'} method
 * @param {string} name
 * @param {number} at which argument says where
 */
function wrap(method, name, at) {
  const original = /** @type {(...args: unknown[]) => unknown} */ (fs[method]);
  const wrapped = (/** @type {unknown[]} */ ...args) => {
    here(name, args[at], 'before');
    const result = original.apply(fs, args);
    here(name, args[at], 'after');
    return result;
  };
  Object.assign(fs, { [method]: wrapped });
}

wrap('writeSync', 'write', 0);
wrap('fsyncSync', 'sync', 0);
wrap('linkSync', 'link', 1);
wrap('renameSync', 'rename', 1);
wrap('unlinkSync', 'unlink', 0);
fs.openSync = (path, flags, mode) => {
  const fd = openSync(path, flags, mode);
  paths.set(fd, String(path));
  if (/[wa]/.test(String(flags))) here('open', path, 'after');
  return fd;
};
fs.closeSync = (fd) => {
  paths.delete(fd);
  return closeSync(fd);
};
