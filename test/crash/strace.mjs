/** Runs the real binary, with or without strace, and reads what strace wrote down. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';

/**
 * A system call, as strace wrote it down.
 * @typedef {object} Call
 * @property {string} thread
 * @property {string} name
 * @property {string} text
 * @property {number} number among those of its name and thread
 * @property {number} ordinal among those of them that touch the state folder; 0: it does not
 * @property {boolean} isMain made by the main thread
 * @property {boolean} touches the state folder
 * @property {boolean} isCut the process was killed in it
 * @property {boolean} isInjected it was made to fail
 */

/** @typedef {{ code: number | null, signal: NodeJS.Signals | null, stdout: string, stderr: string }} Ended */

/** No command takes so long. */
const LONGEST_MS = 120_000;

/**
 * @param {number | undefined} pid
 * @returns {readonly number[]}
 */
function childrenOf(pid) {
  try {
    return fs
      .readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

/**
 * Ends with everything that was said; `null` for the code of a process that a signal ended.
 * @param {readonly string[]} argv
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<Ended>}
 */
export function run(argv, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0] ?? '', argv.slice(1), { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const name of /** @type {const} */ (['stdout', 'stderr']))
      child[name].setEncoding('utf8').on('data', (text) => (said[name] += text));
    const killer = setTimeout(() => {
      said.stderr += `\nit did not end within ${LONGEST_MS / 1000} s`;
      // What strace looks at outlives it, and keeps open what is read here.
      for (const pid of childrenOf(child.pid)) process.kill(pid, 'SIGKILL');
      child.kill('SIGKILL');
    }, LONGEST_MS);
    child.on('error', reject).on('close', (code, signal) => {
      clearTimeout(killer);
      resolve({ code, signal, ...said });
    });
  });
}

const UNFINISHED = ' <unfinished ...>';
const isUnfinished = (/** @type {string} */ text) => text.endsWith(UNFINISHED);

/**
 * The calls of a log: each with its number among those of its name and thread, as strace counts, and with its ordinal
 * among those of them that touch the state folder.
 * @param {string} log
 * @param {(text: string) => boolean} touches
 */
export function callsIn(log, touches) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  const count = (/** @type {string} */ key) => {
    const next = (counts.get(key) ?? 0) + 1;
    counts.set(key, next);
    return next;
  };
  /** @type {Map<string, Call>} by thread */
  const open = new Map();
  /** @type {Call[]} */
  const calls = [];
  for (const line of log.split('\n')) {
    // A call during which another thread did something is told in two lines.
    const [, waiting = '', rest = ''] = /^(\d*) *<\.\.\. [a-z0-9_]+ resumed>(.*)$/.exec(line) ?? [];
    const begun = rest === '' ? undefined : open.get(waiting);
    if (begun !== undefined) {
      begun.text = `${begun.text.slice(0, -UNFINISHED.length)}${rest}`;
      open.delete(waiting);
    }
    const found = /^(\d*) *(([a-z][a-z0-9_]*)\(.*)$/.exec(line);
    if (found === null) continue;
    const [, thread = '', text = '', name = ''] = found;
    /** @type {Call} */
    const call = {
      thread,
      name,
      text,
      number: count(`${thread} ${name}`),
      ordinal: 0,
      isMain: false,
      touches: false,
      isCut: false,
      isInjected: false,
    };
    if (isUnfinished(text)) open.set(thread, call);
    calls.push(call);
  }
  const main = calls[0]?.thread;
  for (const call of calls) {
    call.isMain = call.thread === main;
    call.touches = touches(call.text);
    if (call.touches) call.ordinal = count(`ordinal ${call.thread} ${call.name}`);
    call.isCut = call.text.endsWith(' = ?') || isUnfinished(call.text);
    call.isInjected = call.text.includes('(INJECTED)');
  }
  return calls;
}

/**
 * Which files a call is about and how it opens them, without the names that differ from run to run.
 * @param {Pick<Call, 'name' | 'text'>} call
 * @param {string} folder
 */
export function signatureOf({ name, text }, folder) {
  const asked = text.replace(/ = .*$/, '');
  const paths = [...asked.matchAll(/["<](\/[^">]*)[">]/g)]
    .map(([, file = '']) => file)
    .filter((file) => file.startsWith(folder))
    .map((file) => nameless(file.replace(folder, '.dynpart')));
  return [name, ...paths, ...(asked.match(/O_(?:RDONLY|WRONLY|RDWR|CREAT|DIRECTORY)\b/g) ?? [])].join(' ');
}

/**
 * A text without process tags, run ids and times.
 * @param {string} text
 */
export function nameless(text) {
  return text
    .replace(/\d{4}-\d\d-\d\dT[-:\d]+[.-]\d{3}Z/g, 'TIME')
    .replace(/\d+-\d+-[0-9a-f]+/g, 'TAG')
    .replace(/\b0[a-z0-9]{14}\b/g, 'ID');
}

/**
 * The log of a strace that may still be writing when the process that it looks at has ended.
 * @param {string} file
 */
export async function finishedLog(file) {
  for (let tries = 0; tries < 6000; tries++) {
    const log = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    if (/\+\+\+ (?:exited|killed)/.test(log)) return log;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return '';
}
