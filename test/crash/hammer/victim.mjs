/** One command as a process of its own, which is killed, or stopped for a while, at some moment of its life. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { begunRuns, phaseOf, statOf } from './phases.mjs';

/** So many generations keep their names. Behind more of them the number that a sleeping writer wanted is free again. */
const WINDOW = 17;

/** Whoever takes longer hangs. */
const LONGEST_MS = 90_000;

export function newestGeneration(state) {
  let newest = 0;
  for (const name of fs.readdirSync(state)) {
    const number = /^\.state\.json\.(\d{12})$/.exec(name)?.[1];
    if (number !== undefined) newest = Math.max(newest, Number(number));
  }
  return newest;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Victim {
  /** What was done to it, in words. */
  done = [];
  #field;
  #plan;
  #child;
  #pid;
  #start;
  #gone = false;
  #busy = false;
  #timers = [];

  /** `plan`: `null`, or `{how: 'kill'|'stop'|'both', when, for, window}`; `term`: milliseconds after which it is told to stop. */
  constructor(field, { args, plan, term }) {
    this.#field = field;
    this.#plan = plan;
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
      stdio: ['ignore', 'pipe', 'pipe', ...(point === undefined ? [] : ['pipe'])],
    });
    this.#pid = this.#child.pid;
    this.#start = statOf(this.#pid)?.start;
    field.victims.set(this.#pid, this);
    if (point !== undefined) this.#child.stdio[3].once('data', () => void this.#strike());
    if (plan?.when.ms !== undefined) this.#after(plan.when.ms, () => void this.#strike());
    if (term !== undefined) this.#after(term, () => void this.#tell());
    this.#after(LONGEST_MS, () => {
      this.hung = true;
      this.#child.kill('SIGKILL');
    });
    this.ended = new Promise((resolve) => {
      const said = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'])
        this.#child[name].setEncoding('utf8').on('data', (text) => (said[name] += text));
      this.#child.on('exit', () => (this.#gone = true));
      this.#child.on('close', (code, signal) => {
        field.victims.delete(this.#pid);
        for (const timer of this.#timers) clearTimeout(timer);
        field.notes.read();
        const itself = field.notes.of(this.#pid, this.#start)?.killing === true && !this.killed;
        resolve({ code, signal, ...said, killed: this.killed === true || itself, itself });
      });
    });
  }

  get pid() {
    return this.#pid;
  }

  /** Something was seen that this process has done. */
  saw(event) {
    const when = this.#plan?.when;
    if (when?.event !== event) return;
    this.#plan = { ...this.#plan, when: {} };
    this.#after(when.delay, () => void this.#strike(this.#plan));
  }

  /** At the end of everything. */
  end() {
    this.killed = true;
    this.#child.kill('SIGKILL');
  }

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

  /** Stands it still, looks where it is, and then kills it or lets it sleep. */
  async #strike() {
    if (this.#gone || this.#busy) return;
    this.#busy = true;
    try {
      if (!(await this.#freeze())) return;
      const phase = phaseOf(this.#field.state, { pid: this.#pid, start: this.#start }, this.#field.notes);
      const { how } = this.#plan;
      if (how !== 'kill') await this.#sleep(phase);
      if (how !== 'stop') this.#kill(phase);
    } finally {
      if (!this.#gone && !this.killed) this.#child.kill('SIGCONT');
      this.#busy = false;
    }
  }

  async #freeze() {
    // At a point it stops itself, in a moment. A second stop could come before its own, which nobody would end.
    if (this.#plan.when.point === undefined) this.#child.kill('SIGSTOP');
    for (const until = Date.now() + 5000; Date.now() < until;) {
      const stat = statOf(this.#pid);
      if (this.#gone || stat === null || stat.start !== this.#start || stat.state === 'Z') return false;
      if (stat.state === 'T') return true;
      await pause(1);
    }
    return false;
  }

  /** The runs that it has begun are on record before it dies: nobody can take them up before the line is there. */
  #kill(phase) {
    const begun = begunRuns(this.#field.state, this.#pid);
    this.#field.mark(`killing ${this.#pid} ${this.#start} ${begun.join(',') || '-'}`);
    this.killed = true;
    this.done.push(`killed: ${phase}`);
    this.#field.struck('kill', phase, this.#way());
    this.#child.kill('SIGKILL');
  }

  async #sleep(phase) {
    const { state } = this.#field;
    const from = newestGeneration(state);
    const began = Date.now();
    // Linked, and it has not looked yet whether it was in time.
    const linked = phase === 'published' && this.#plan.when.point?.startsWith('rename state') !== true;
    let passed = 0;
    for (;;) {
      passed = newestGeneration(state) - from;
      const slept = Date.now() - began;
      const longer = (linked || phase === 'writing') && this.#plan.window;
      if (longer ? passed > WINDOW || slept > 8000 : slept >= this.#plan.for) break;
      if (this.#field.over || Date.now() > this.#field.until) break;
      await pause(longer ? 10 : Math.min(10, Math.max(1, this.#plan.for - slept)));
    }
    this.done.push(`stopped for ${Date.now() - began} ms, ${passed} commits passed: ${phase}`);
    this.#field.struck('stop', phase, this.#way());
    if (passed >= WINDOW && (linked || phase === 'writing'))
      this.#field.count(
        `writers that slept through a window of commits ${linked ? 'behind' : 'before'} their link`,
      );
  }

  #way() {
    const { when } = this.#plan;
    return when.point ?? (when.ms === undefined ? 'event' : 'time');
  }
}
