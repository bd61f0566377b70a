'use strict';
// What V8 compiled of dynpart's own code, and of the compiler of pipeline files, at an earlier start, kept in the user's cache
// folder: to compile it anew takes longer than most commands do. Kept code is used only while it is whole, of this code and
// this node, and nobody else's.
const fs = require('node:fs');
const path = require('node:path');

/**
 * @typedef {object} KeptPart
 * @property {Buffer} source the code that it was compiled from
 * @property {Buffer} compiled
 *
 * @typedef {object} CodeCache
 * @property {(name: string) => unknown} load loads a part of `dist`, as `require` would
 * @property {() => void} keep keeps what was compiled, where this start had to compile something
 */

const OPENING = '(function (exports, require, module, __filename, __dirname) { ';

/** Commands that are started again and again. Each has a file of its own, since each needs other functions. */
const OFTEN = [
  'sensor tick',
  'sensor list',
  'partitions list',
  'partitions add',
  'partitions sync',
  'runs list',
  'materialize',
  'status',
  'worker',
];

/** Flags of node's own, which change what V8 makes of code; node's word for no cache; and a count of what is executed. */
const NO_CACHE = ['NODE_OPTIONS', 'NODE_DISABLE_COMPILE_CACHE', 'NODE_V8_COVERAGE'];

/**
 * The file for a command line; `null` for what is seldom started, and where nothing may be kept.
 * @param {Pick<NodeJS.Process, 'argv' | 'env' | 'execArgv'>} started
 * @param {string} dist
 */
function fileFor({ argv, env, execArgv }, dist) {
  const words = ` ${argv
    .slice(2)
    .filter((word) => /^[a-z]+$/.test(word))
    .join(' ')} `;
  const command = OFTEN.find((name) => words.includes(` ${name} `));
  return command === undefined ? null : fileNamed(command.replace(' ', '-'), { env, execArgv }, dist);
}

/**
 * @param {string} name
 * @param {Pick<NodeJS.Process, 'env' | 'execArgv'>} started
 * @param {string} folder of the code
 */
function fileNamed(name, { env, execArgv }, folder) {
  if (execArgv.length > 0 || NO_CACHE.some((flag) => env[flag])) return null;
  const base = env.XDG_CACHE_HOME || (env.HOME && path.join(env.HOME, '.cache'));
  if (!base || !path.isAbsolute(base)) return null;
  // Two installations must not take turns at replacing each other's.
  return path.join(base, 'dynpart', 'start', `${name}.${hashOf(folder)}`);
}

/**
 * The compiler of pipeline files: 1.5 MB, which a tick loads after an edit. It needs nothing that lies beside it.
 * @param {string} place
 * @param {Pick<NodeJS.Process, 'env' | 'execArgv' | 'once'>} started keeps at its end what it has compiled
 * @returns {unknown} what the file exports; `undefined` where nothing may be kept
 */
function loadCompiler(place, started) {
  const folder = path.dirname(place);
  const file = fileNamed('compiler', started, folder);
  if (file === null) return undefined;
  const cache = openCodeCache(file, folder, 'utf8');
  started.once('exit', cache.keep);
  return cache.load(path.basename(place));
}

/** @param {string} text */
function hashOf(text) {
  let hash = 0;
  for (const sign of text) hash = Math.imul(hash ^ /** @type {number} */ (sign.codePointAt(0)), 2654435761);
  return (hash >>> 0).toString(36);
}

/**
 * @param {string} file where compiled code is kept
 * @param {string} dist the folder of the parts
 * @param {BufferEncoding} encoding theirs: dynpart's own have no sign beyond ASCII, and as Latin-1 they take half the time
 * @returns {CodeCache}
 */
function openCodeCache(file, dist, encoding = 'latin1') {
  const vm = require('node:vm');
  const madeWith = describeNode();
  const kept = readKept(file, madeWith);
  /** @type {Map<string, { exports: unknown }>} */
  const modules = new Map();
  /** @type {Map<string, { source: Buffer, script: vm.Script }>} */
  const loaded = new Map();
  let isComplete = true;

  /** @param {string} name */
  const load = (name) => {
    const there = modules.get(name);
    if (there !== undefined) return there.exports;
    const place = path.join(dist, name);
    const source = fs.readFileSync(place);
    const known = kept.get(name);
    kept.delete(name);
    const script = new vm.Script(`${OPENING}${source.toString(encoding)}\n})`, {
      filename: place,
      columnOffset: -OPENING.length,
      ...(known?.source.equals(source) && { cachedData: known.compiled }),
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    // Not even looked at, or refused.
    if (script.cachedDataRejected !== false) isComplete = false;
    loaded.set(name, { source, script });
    const module = { exports: {} };
    modules.set(name, module);
    script.runInThisContext()(module.exports, requireFrom(place), module, place, dist);
    return module.exports;
  };

  /** @param {string} place */
  const requireFrom = (place) => {
    /** @type {NodeJS.Require | undefined} */
    let others;
    /** @param {string} id */
    return (id) => {
      // What is node's own is the same from everywhere, and `node:module` loads much that most commands never need.
      if (id.startsWith('node:')) return require(id);
      const part = /^\.\/([\w-]+\.cjs)$/.exec(id)?.[1];
      return part === undefined ? (others ??= require('node:module').createRequire(place))(id) : load(part);
    };
  };

  const keep = () => {
    if (isComplete) return;
    const parts = readKept(file, madeWith);
    for (const [name, { source, script }] of loaded)
      parts.set(name, { source, compiled: script.createCachedData() });
    writeKept(file, madeWith, parts);
  };
  return { load, keep };
}

/** Code that another node compiled may be refused by this one, or worse. */
function describeNode() {
  const { size, mtimeMs } = fs.statSync(process.execPath);
  return `${process.version} ${process.arch} ${process.execPath} ${size} ${mtimeMs}`;
}

/**
 * A line of JSON that says what follows, twice; then of each part what was compiled, twice, and its source. V8 itself would run
 * damaged code, and end or hang: not one byte of it may be taken that is not what was written. To compare two copies takes a
 * tenth of what it takes to load `node:zlib` for a checksum.
 * @param {string} file
 * @param {string} madeWith
 * @returns {Map<string, KeptPart>} empty when there is nothing that can be used
 */
function readKept(file, madeWith) {
  /** @type {number | null} */
  let fd = null;
  try {
    fd = openOwn(file);
    return (fd === null ? null : partsIn(fd, madeWith)) ?? new Map();
  } catch {
    // Whatever is wrong with it: nothing kept can break a start.
    return new Map();
  } finally {
    if (fd !== null) fs.closeSync(fd);
  }
}

/** What is compared is read in pieces: what a process holds outside its heap brings on the garbage collector. */
const PIECE = 65_536;

/**
 * @param {number} fd
 * @param {string} madeWith
 */
function partsIn(fd, madeWith) {
  const piece = Buffer.allocUnsafe(PIECE);
  const opening = piece.subarray(0, fs.readSync(fd, piece, 0, PIECE, 0));
  const end = opening.indexOf('\n') + 1;
  const line = opening.toString('utf8', 0, end);
  if (end === 0 || line !== opening.toString('utf8', end, 2 * end)) return null;
  const head = JSON.parse(line);
  if (head.madeWith !== madeWith) return null;
  let at = 2 * end;
  /** @param {number} length */
  const next = (length) => {
    const bytes = Buffer.allocUnsafeSlow(length);
    at += fs.readSync(fd, bytes, 0, length, at);
    return bytes;
  };
  /** @param {Buffer} bytes */
  const isRepeated = (bytes) => {
    for (let from = 0; from < bytes.length; from += PIECE) {
      const expected = bytes.subarray(from, from + PIECE);
      const read = fs.readSync(fd, piece, 0, expected.length, at);
      if (!expected.equals(piece.subarray(0, read))) return false;
      at += read;
    }
    return true;
  };
  /** @type {Map<string, KeptPart>} */
  const parts = new Map();
  let length = at;
  for (const { name, sourceLength, compiledLength } of head.parts) {
    const compiled = next(compiledLength);
    if (!isRepeated(compiled)) return null;
    parts.set(name, { compiled, source: next(sourceLength) });
    length += 2 * compiledLength + sourceLength;
  }
  return length === at && length === fs.fstatSync(fd).size ? parts : null;
}

/**
 * A file that nobody but this user can have written or put there: its bytes are executed.
 * @param {string} file
 */
function openOwn(file) {
  const folder = fs.statSync(path.dirname(file), { throwIfNoEntry: false });
  if (folder === undefined || !isPrivate(folder) || !fs.existsSync(file)) return null;
  const fd = fs.openSync(file, 'r');
  if (isPrivate(fs.fstatSync(fd))) return fd;
  fs.closeSync(fd);
  return null;
}

/** @param {fs.Stats} stats */
function isPrivate({ uid, mode }) {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & 0o022) === 0);
}

/**
 * @param {string} file
 * @param {string} madeWith
 * @param {ReadonlyMap<string, KeptPart>} parts
 */
function writeKept(file, madeWith, parts) {
  const own = `${file}.${process.pid}.tmp`;
  try {
    makeFolder(path.dirname(file));
    if (!isPrivate(fs.statSync(path.dirname(file)))) return;
    const list = Array.from(parts, ([name, { source, compiled }]) => ({
      name,
      sourceLength: source.length,
      compiledLength: compiled.length,
    }));
    const line = Buffer.from(`${JSON.stringify({ madeWith, parts: list })}\n`);
    const contents = Array.from(parts.values(), ({ source, compiled }) => [compiled, compiled, source]);
    const whole = Buffer.concat([line, line, ...contents.flat()]);
    fs.writeFileSync(own, whole, { flag: 'wx', mode: 0o600 });
    fs.renameSync(own, file);
    tidy(path.dirname(file));
  } catch {
    // A full disk, a folder of somebody else's: the next start compiles, as this one did.
    removeQuietly(own);
  }
}

/**
 * One by one: node's own recursive way never ends where the system says of a folder in one that is there that it has none (`/proc`, an
 * automounter's `/home`).
 * @param {string} folder
 */
function makeFolder(folder) {
  if (fs.existsSync(folder)) return;
  if (path.dirname(folder) !== folder) makeFolder(path.dirname(folder));
  try {
    fs.mkdirSync(folder, 0o700);
  } catch (error) {
    // Somebody else may have made it just now.
    if (!fs.existsSync(folder)) throw error;
  }
}

/** Of five installations, for all commands and the compiler. Further ones compile now and then what they have compiled before. */
const MOST_FILES = 5 * (OFTEN.length + 1);

/** What nobody has compiled anew for so long is of an installation that is gone, or is compiled once more. */
const KEPT_MS = 90 * 24 * 60 * 60_000;

/**
 * Removes what other installations have left, and what processes were killed over. Only where something was written anyway: a
 * start that finds its code pays nothing.
 * @param {string} folder
 */
function tidy(folder) {
  const oldest = Date.now() - KEPT_MS;
  const files = fs
    .readdirSync(folder)
    .map((name) => path.join(folder, name))
    .map((file) => ({ file, at: fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .toSorted((a, b) => b.at - a.at);
  for (const [at, one] of files.entries()) if (at >= MOST_FILES || one.at < oldest) removeQuietly(one.file);
}

/** @param {string} file */
function removeQuietly(file) {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // It lies where no file can be.
  }
}

module.exports = { fileFor, loadCompiler, openCodeCache };
