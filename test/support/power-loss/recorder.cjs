'use strict';
/**
 * Preloaded into the real binary (`node --require`): writes down, in order, what the process does to a folder.
 *
 * An operation is noted when it has returned: only then may anybody rely on it, and one that failed has done nothing. What
 * the model of the disk does not know is noted as such, so that the replay refuses it instead of passing it over.
 * `POWER_LOSS_KILL` is a pattern: after the first operation that it fits the process is killed.
 */
const fs = require('node:fs');
const path = require('node:path');

const {
  POWER_LOSS_ROOT: root = '',
  POWER_LOSS_KILL: killAtText = '',
  POWER_LOSS_LOG: logFile = '',
} = process.env;
const killAt = killAtText === '' ? null : new RegExp(killAtText);
const { openSync, writeSync, fsync, close } = fs;
const open = /** @type {(...args: unknown[]) => void} */ (fs.open);
const log = openSync(logFile, 'a');
/** @type {Map<number, string>} */
const files = new Map();

/** @param {unknown} file */
const inside = (file) => {
  const full = path.resolve(String(file));
  return full === root || full.startsWith(`${root}${path.sep}`) ? path.relative(root, full) : null;
};

/** @param {{ readonly op: string, readonly path?: string | null | undefined, readonly to?: string | null } & Record<string, unknown>} operation */
function note(operation) {
  writeSync(log, `${JSON.stringify(operation)}\n`);
  if (killAt?.test(`${operation.op} ${operation.path ?? operation.to ?? ''}`))
    process.kill(process.pid, 'SIGKILL');
}

/**
 * @template {keyof typeof fs} Name
 * @param {Name} name
 * @param {(result: any, ...args: any[]) => void} after gets what was answered and what was asked
 */
function wrap(name, after) {
  const original = /** @type {(...args: unknown[]) => unknown} */ (fs[name]);
  const wrapped = (/** @type {unknown[]} */ ...args) => {
    const result = original.apply(fs, args);
    after(result, ...args);
    return result;
  };
  Object.assign(fs, { [name]: wrapped });
}

/**
 * Flags in numbers, as far as the model tells them apart.
 * @param {number} flags
 */
function wordsFor(flags) {
  const { O_APPEND, O_TRUNC } = fs.constants;
  const O_ACCMODE = 3;
  if (flags & O_APPEND) return 'a+';
  if (flags & O_TRUNC) return 'w+';
  return (flags & O_ACCMODE) === 0 ? 'r' : 'r+';
}

/**
 * @param {number} fd
 * @param {unknown} file
 * @param {string | number} flags
 */
function opened(fd, file, flags = 'r') {
  const at = inside(file);
  if (at === null) return files.delete(fd);
  files.set(fd, at);
  return note({ op: 'open', fd, path: at, flags: typeof flags === 'number' ? wordsFor(flags) : flags });
}

const synced = (/** @type {number} */ fd) => files.has(fd) && note({ op: 'fsync', fd, path: files.get(fd) });
const closed = (/** @type {number} */ fd) => files.delete(fd) && note({ op: 'close', fd });

wrap('openSync', (fd, file, flags) => opened(fd, file, flags));
wrap('closeSync', (_, fd) => closed(fd));
wrap('fsyncSync', (_, fd) => synced(fd));
wrap('fdatasyncSync', (_, fd) => synced(fd));
wrap('ftruncateSync', (_, fd, size = 0) => files.has(fd) && note({ op: 'truncate', fd, size }));
wrap('writeSync', (written, fd, data, ...place) => {
  // A warning says how things are, and promises nothing.
  if (fd === 2 && String(data).startsWith('warning:')) return undefined;
  if (fd === 1 || fd === 2) return note({ op: 'told', what: `wrote to ${fd === 1 ? 'stdout' : 'stderr'}` });
  if (!files.has(fd)) return undefined;
  if (typeof data === 'string')
    return note({ op: 'unknown', what: 'writeSync of a text', path: files.get(fd) });
  const [offset = 0, , position = null] = place;
  const bytes = Buffer.from(data.buffer, data.byteOffset + offset, written).toString('base64');
  return note({ op: 'write', fd, path: files.get(fd), position, bytes });
});
wrap('mkdirSync', (_, file) => inside(file) !== null && note({ op: 'mkdir', path: inside(file) }));
wrap('unlinkSync', (_, file) => inside(file) !== null && note({ op: 'unlink', path: inside(file) }));
for (const name of /** @type {const} */ (['link', 'rename'])) {
  wrap(/** @type {const} */ (`${name}Sync`), (_, from, to) => {
    if (inside(from) !== null || inside(to) !== null) note({ op: name, from: inside(from), to: inside(to) });
  });
}

Object.assign(fs, {
  open: (/** @type {string} */ file, /** @type {string} */ flags, /** @type {any[]} */ ...rest) => {
    const callback = rest.at(-1);
    open(file, flags, ...rest.slice(0, -1), (/** @type {Error | null} */ error, /** @type {number} */ fd) => {
      if (error === null) opened(fd, file, flags);
      callback(error, fd);
    });
  },
  fsync: (/** @type {number} */ fd, /** @type {import('node:fs').NoParamCallback} */ callback) =>
    fsync(fd, (error) => {
      if (error === null) synced(fd);
      callback(error);
    }),
  close: (/** @type {number} */ fd, /** @type {import('node:fs').NoParamCallback} */ callback) => {
    // The number may be given away before the callback comes.
    closed(fd);
    close(fd, callback);
  },
});

const UNKNOWN =
  'appendFile copyFile cp ftruncate link mkdir mkdtemp rename rm rmdir symlink truncate unlink write writeFile writev';
for (const name of UNKNOWN.split(' ')) {
  for (const unknown of [name, `${name}Sync`]) {
    if (unknown in fs && !/^(ftruncate|link|mkdir|rename|unlink|write)Sync$/.test(unknown))
      wrap(/** @type {keyof typeof fs} */ (unknown), (_, file) => {
        const at = typeof file === 'number' ? files.get(file) : inside(file);
        if (at != null) note({ op: 'unknown', what: unknown, path: at });
      });
  }
}

// What a pipeline tells of its user code.
Object.assign(globalThis, { tellPowerLoss: (/** @type {string} */ what) => note({ op: 'told', what }) });
process.on('exit', (code) => note({ op: 'told', what: `exit ${code}`, code }));
