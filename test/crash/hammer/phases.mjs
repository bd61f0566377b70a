/** Where in its life a process stands, told from the outside while it stands still: by the files that it has made. */
import fs from 'node:fs';
import path from 'node:path';

/**
 * Field 3 (state) and field 22 (start time) of `/proc/PID/stat`; `null` when there is no such process.
 * @param {number} pid
 */
export function statOf(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], start: fields[19] };
  } catch {
    return null;
  }
}

/** @param {string} folder */
function names(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * What a process has open.
 * @param {number} pid
 */
function openFiles(pid) {
  return names(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [fs.readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

/**
 * Where a state is: its folder, its file there, and the folder of what is beside it.
 * @typedef {{ folder: string, file: string, beside: string }} Place
 *
 * The runs that an executor of this process has begun and not ended.
 * @param {Place} place
 * @param {number} pid
 */
export function begunRuns({ beside }, pid) {
  /** @type {Set<string>} */
  const begun = new Set();
  for (const name of names(path.join(beside, 'executors'))) {
    if (!name.includes(`.${pid}-`)) continue;
    let text = '';
    try {
      text = fs.readFileSync(path.join(beside, 'executors', name), 'utf8');
    } catch {
      // It has just left.
    }
    for (const line of text.split('\n')) {
      const [word, id = ''] = line.split(' ');
      if (word === 'begun') begun.add(id);
      else if (word === 'ended') begun.delete(id);
    }
  }
  return [...begun];
}

/** All phases, in the order of a life. `start` is node's and the program's start, and reading: nothing was made yet. */
/** @typedef {keyof typeof MEANING} Phase */

/** @type {readonly Phase[]} */
export const PHASES = [
  'start',
  'loaded',
  'claim',
  'evaluating',
  'writing',
  'published',
  'tidying',
  'owner',
  'running',
  'value',
  'history',
];

/** What each means. */
export const MEANING = {
  start: 'start-up and reading: nothing was made yet',
  loaded: 'the pipeline is loaded',
  claim: 'holds the claim of a sensor, or was about to',
  evaluating: 'within a sensor',
  writing: 'within a commit, before its link',
  published: 'within a commit, linked and not yet renamed over the state',
  tidying: 'within a commit, behind the rename',
  owner: 'owns runs, and executes none at this moment',
  running: 'within a run',
  value: 'a value is written and not yet in its place',
  history: 'writes the history of ticks or runs',
};

/** What the pipeline's log says of each process. */
export class Notes {
  #file;
  #at = 0;
  #rest = '';
  /** @type {Map<string, { loaded: boolean, looking: number, running: number, killing: boolean }>} by process */
  #of = new Map();
  #onLine;

  /**
   * @param {string} file
   * @param {(word: string, pid: number) => void} onLine
   */
  constructor(file, onLine) {
    this.#file = file;
    this.#onLine = onLine;
  }

  /** Reads what was added. */
  read() {
    const fd = fs.openSync(this.#file, 'r');
    try {
      const { size } = fs.fstatSync(fd);
      if (size <= this.#at) return;
      const bytes = Buffer.alloc(size - this.#at);
      this.#at += fs.readSync(fd, bytes, 0, bytes.length, this.#at);
      const lines = (this.#rest + bytes.toString('utf8')).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** @param {string} line */
  #take(line) {
    const [word = '', pid, start] = line.split(' ');
    const who = `${pid} ${start}`;
    const known = this.#of.get(who) ?? { loaded: false, looking: 0, running: 0, killing: false };
    if (word === 'load') known.loaded = true;
    if (word === 'look') known.looking++;
    if (word === 'looked') known.looking--;
    if (word === 'begin') known.running++;
    if (word === 'end') known.running--;
    if (word === 'killing') known.killing = true;
    this.#of.set(who, known);
    this.#onLine(word, Number(pid));
  }

  /**
   * @param {number} pid
   * @param {string | undefined} start
   */
  of(pid, start) {
    return this.#of.get(`${pid} ${start}`);
  }
}

/**
 * The phase of a process that stands still.
 * @param {Place} place
 * @param {{ pid: number, start: string | undefined }} process
 * @param {Notes} notes
 * @returns {Phase}
 */
export function phaseOf({ folder, file, beside }, { pid, start }, notes) {
  notes.read();
  const noted = notes.of(pid, start);
  const open = openFiles(pid);
  const temporary = names(folder).find((name) => name.startsWith(`.${file}.tmp.${pid}-`));
  if (temporary !== undefined) {
    try {
      return fs.statSync(path.join(folder, temporary)).nlink > 1 ? 'published' : 'writing';
    } catch {
      return 'tidying';
    }
  }
  if (open.includes(folder)) return 'tidying';
  if (open.some((name) => name.includes('/history/'))) return 'history';
  if (names(path.join(beside, 'values', '.tmp')).some((name) => name.startsWith(`${pid}-`))) return 'value';
  if (noted !== undefined && noted.running > 0) return 'running';
  if (names(path.join(beside, 'executors')).some((name) => name.includes(`.${pid}-`))) return 'owner';
  if (noted !== undefined && noted.looking > 0) return 'evaluating';
  const claims = path.join(beside, 'claims');
  const holds = names(claims).some((name) => {
    if (name.includes(`.json.${pid}-`)) return true;
    try {
      return JSON.parse(fs.readFileSync(path.join(claims, name), 'utf8')).pid === pid;
    } catch {
      return false;
    }
  });
  if (holds) return 'claim';
  return noted?.loaded ? 'loaded' : 'start';
}
