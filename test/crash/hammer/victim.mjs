/** One command as a process of its own, which is killed, or stopped for a while, at some moment of its life. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { begunRuns, phaseOf, statOf } from './phases.mjs';

/**
 * When it is struck: at a call of its own, after so many milliseconds, or so long after something that it was seen to do.
 * @typedef {{ point?: string, ms?: number, event?: string, delay?: number }} Moment
 *
 * What is to become of it.
 * @typedef {object} Plan
 * @property {'kill' | 'stop' | 'both'} how
 * @property {Moment} when
 * @property {number} for milliseconds that it sleeps
 * @property {boolean} window whether it sleeps through a window of commits
 *
 * @typedef {Ended & { killed: boolean, itself: boolean }} Outcome `itself`: a run of its own took it down
 *
 * @import { ChildProcess } from 'node:child_process'
 * @import { Ended } from '../strace.mjs'
 * @import { Field } from './ledger.mjs'
 * @import { Phase, Place } from './phases.mjs'
 */

/** So many generations keep their names. Behind more of them the number that a sleeping writer wanted is free again. */
const WINDOW = 17;

/** Whoever takes longer hangs. */
const LONGEST_MS = 90_000;

/** @param {Place} place */
export function newestGeneration({ folder, file }) {
  let newest = 0;
  for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
    const number = name.startsWith(`.${file}.`)
      ? /^\d{12}$/.exec(name.slice(file.length + 2))?.[0]
      : undefined;
    if (number !== undefined) newest = Math.max(newest, Number(number));
  }
  return newest;
}

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Victim {
  /**
   * What was done to it, in words.
   * @type {string[]}
   */
  done = [];
  hung = false;
  killed = false;
  told = false;
  #field;
  #plan;
  /** @type {ChildProcess} */
  #child;
  #pid;
  #start;
  #gone = false;
  #busy = false;
  /** @type {NodeJS.Timeout[]} */
  #timers = [];

  /**
   * @param {Field} field
   * @param {{ args: readonly string[], plan: Plan | null, term?: number | undefined }} options `term`: milliseconds after which it is told to stop
   */
  constructor(field, { args, plan, term }) {
    this.#field = field;
    this.#plan = plan;
    /** @type {Record<string, string>} */
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: field.base,
      XDG_CACHE_HOME: path.join(field.base, 'cache'),
    };
    const point = plan?.when.point;
    if (point !== undefined) {
      env['HAMMER_POINT'] = point;
      env['NODE_OPTIONS'] = `--require ${field.pointFile}`;
    }
    this.began = Date.now();
    this.#child = spawn(process.execPath, [field.binary, ...args], {
      cwd: field.project,
      env,
      stdio: point === undefined ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#pid = this.#child.pid ?? NaN;
    this.#start = statOf(this.#pid)?.start;
    field.victims.set(this.#pid, this);
    if (plan !== null && point !== undefined)
      this.#child.stdio[3]?.once('data', () => void this.#strike(plan));
    if (plan?.when.ms !== undefined) this.#after(plan.when.ms, () => void this.#strike(plan));
    if (term !== undefined) this.#after(term, () => void this.#tell());
    this.#after(LONGEST_MS, () => {
      this.hung = true;
      this.#child.kill('SIGKILL');
    });
    /** @type {Promise<Outcome>} */
    this.ended = new Promise((resolve) => {
      const said = { stdout: '', stderr: '' };
      for (const name of /** @type {const} */ (['stdout', 'stderr']))
        this.#child[name]?.setEncoding('utf8').on('data', (text) => (said[name] += text));
      this.#child.on('exit', () => (this.#gone = true));
      this.#child.on('close', (code, signal) => {
        field.victims.delete(this.#pid);
        for (const timer of this.#timers) clearTimeout(timer);
        field.notes.read();
        const itself = field.notes.of(this.#pid, this.#start)?.killing === true && !this.killed;
        resolve({ code, signal, ...said, killed: this.killed || itself, itself });
      });
    });
  }

  get pid() {
    return this.#pid;
  }

  /**
   * Something was seen that this process has done.
   * @param {string} event
   */
  saw(event) {
    const plan = this.#plan;
    if (plan === null || plan.when.event !== event) return;
    const { delay = 0 } = plan.when;
    // Once.
    this.#plan = { ...plan, when: {} };
    this.#after(delay, () => void this.#strike({ ...plan, when: {} }));
  }

  /** At the end of everything. */
  end() {
    this.killed = true;
    this.#child.kill('SIGKILL');
  }

  /**
   * @param {number} ms
   * @param {() => void} action
   */
  #after(ms, action) {
    this.#timers.push(setTimeout(() => action(), ms));
  }

  async #tell() {
    while (this.#busy) await pause(5);
    if (this.#gone || this.killed) return;
    this.told = true;
    this.#field.mark(`telling ${this.#pid} ${this.#start}`);
    this.#child.kill('SIGTERM');
    this.#field.count('told');
  }

  /**
   * Stands it still, looks where it is, and then kills it or lets it sleep.
   * @param {Plan} plan
   */
  async #strike(plan) {
    if (this.#gone || this.#busy) return;
    this.#busy = true;
    try {
      if (!(await this.#freeze(plan))) return;
      const phase = phaseOf(this.#field.place, { pid: this.#pid, start: this.#start }, this.#field.notes);
      if (plan.how !== 'kill') await this.#sleep(phase, plan);
      if (plan.how !== 'stop') this.#kill(phase, plan);
    } finally {
      if (!this.#gone && !this.killed) this.#child.kill('SIGCONT');
      this.#busy = false;
    }
  }

  /** @param {Plan} plan */
  async #freeze(plan) {
    // At a point it stops itself, in a moment. A second stop could come before its own, which nobody would end.
    if (plan.when.point === undefined) this.#child.kill('SIGSTOP');
    for (const until = Date.now() + 5000; Date.now() < until;) {
      const stat = statOf(this.#pid);
      if (this.#gone || stat === null || stat.start !== this.#start || stat.state === 'Z') return false;
      if (stat.state === 'T') return true;
      await pause(1);
    }
    return false;
  }

  /**
   * The runs that it has begun are on record before it dies: nobody can take them up before the line is there.
   * @param {Phase} phase
   * @param {Plan} plan
   */
  #kill(phase, plan) {
    const begun = begunRuns(this.#field.place, this.#pid);
    this.#field.mark(`killing ${this.#pid} ${this.#start} ${begun.join(',') || '-'}`);
    this.killed = true;
    this.done.push(`killed: ${phase}`);
    this.#field.struck('kill', phase, wayOf(plan));
    this.#child.kill('SIGKILL');
  }

  /**
   * @param {Phase} phase
   * @param {Plan} plan
   */
  async #sleep(phase, plan) {
    const { place } = this.#field;
    const from = newestGeneration(place);
    const began = Date.now();
    // Linked, and it has not looked yet whether it was in time.
    const linked = phase === 'published' && plan.when.point?.startsWith('rename state') !== true;
    let passed = 0;
    for (;;) {
      passed = newestGeneration(place) - from;
      const slept = Date.now() - began;
      const longer = (linked || phase === 'writing') && plan.window;
      if (longer ? passed > WINDOW || slept > 8000 : slept >= plan.for) break;
      if (this.#field.over || Date.now() > this.#field.until) break;
      await pause(longer ? 10 : Math.min(10, Math.max(1, plan.for - slept)));
    }
    this.done.push(`stopped for ${Date.now() - began} ms, ${passed} commits passed: ${phase}`);
    this.#field.struck('stop', phase, wayOf(plan));
    if (passed >= WINDOW && (linked || phase === 'writing'))
      this.#field.count(
        `writers that slept through a window of commits ${linked ? 'behind' : 'before'} their link`,
      );
  }

  /** @param {Plan} plan */
}

/** @param {Plan} plan */
function wayOf({ when }) {
  return when.point ?? (when.ms === undefined ? 'event' : 'time');
}
