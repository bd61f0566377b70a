/** One file for each process that executes runs: a sign of life, and which runs' user code had begun. */
import fs from 'node:fs';
import path from 'node:path';
import { isoTime } from '../../model/time.ts';
import { showLifeFromThread } from '../../files/heartbeat.ts';
import type { ExecutorEntry } from '../document/state-document.ts';
import {
  HEARTBEAT_MS,
  isAlive,
  isLeftOver,
  isVisible,
  type Moment,
  type Owner,
  processTag,
  showLife,
  silenceOf,
} from '../../files/process-owner.ts';
import { LEAST_SILENCE_MS, mayBlockMs } from '../../model/may-block.ts';
import type { ExecutorSigns } from '../state-view.ts';
import type { Executor } from '../store.ts';
import type { TellingAtWork } from './tell-at-work.ts';
import { begunLine, endedLine, type ExecutorNotes, linesOf, notesIn, programLine } from './run-notes.ts';
import {
  closeQuietly,
  errno,
  io,
  makePassingFolder,
  namesIn,
  readIfThere,
  removeQuietly,
  writeAll,
} from '../../files/durable-files.ts';

interface OpenLog {
  readonly file: string;
  fd: number;
}

/** What is at work, and what tells whose code blocks the event loop, once there is anything to be told apart. */
interface AtWork {
  readonly begun: Map<string, { readonly mayBlockMs: number; readonly since: number }>;
  telling: TellingAtWork | null;
}

export interface SignsOfLife {
  /** While code of a run is at work, the event loop shows so often that it turns. */
  readonly turnEveryMs: number;
  /** When a run takes longer, a thread shows that the process lives: its code may be blocking the event loop. */
  readonly threadAfterMs: number;
  readonly threadEveryMs: number;
  /** When one of several runs at once takes longer, a thread can say which of them blocks the event loop. */
  readonly tellAfterMs: number;
}

const SIGNS: SignsOfLife = {
  turnEveryMs: 1000,
  threadAfterMs: 60_000,
  threadEveryMs: HEARTBEAT_MS,
  tellAfterMs: 2000,
};

/** So many letters of notes, then what has ended is left out: a watch may live for years. */
const MOST_NOTED = 256 * 1024;

export class ExecutorFiles {
  readonly #folder: string;
  /** ISO 8601, UTC. */
  readonly #now: () => string;
  readonly #signs: SignsOfLife;
  /** Those of this process. */
  readonly #open = new Map<string, OpenLog>();

  constructor(stateFolder: string, now: () => string, signs = SIGNS) {
    this.#now = now;
    this.#signs = signs;
    this.#folder = path.join(stateFolder, 'executors');
  }

  /** Opens the file of this process. Not synced: a loss of power is not a run's doing, and only that is counted. */
  open(owner: Owner): Executor {
    makePassingFolder(this.#folder);
    const file = this.#file(owner.id);
    const log: OpenLog = { file, fd: io('write', file, () => fs.openSync(file, 'ax')) };
    this.#open.set(owner.id, log);
    let noted = 0;
    const note = (line: string): void =>
      io('write', file, () => {
        writeAll(log.fd, line);
        noted += line.length;
        if (noted < MOST_NOTED) return;
        noted = 0;
        shorten(log);
      });
    const atWork: AtWork = { begun: new Map(), telling: null };
    const { begun } = atWork;
    const hide = this.#show(log, atWork);
    return {
      id: owner.id,
      begun: (runId, mayBlockMs) => {
        const before = begun.get(runId);
        // The next asset of a run mostly may do what the one before might.
        if (before?.mayBlockMs === mayBlockMs) return;
        if (before !== undefined) atWork.telling?.ends(before.mayBlockMs);
        atWork.telling?.begins(mayBlockMs);
        begun.set(runId, { mayBlockMs, since: before?.since ?? performance.now() });
        note(begunLine(runId, { at: this.#now(), mayBlockMs }));
      },
      started: (program) => note(programLine(program)),
      ended: (runId) => {
        const before = begun.get(runId);
        if (before !== undefined) atWork.telling?.ends(before.mayBlockMs);
        begun.delete(runId);
        note(endedLine(runId));
      },
      leave: async () => {
        // Once: the number of a closed file may be another file's by now.
        if (!this.#open.delete(owner.id)) return;
        await hide();
        // All is on record: a file that stays is the next sweep's.
        closeQuietly(log.fd);
        this.remove([owner.id]);
      },
    };
  }

  /** Shows that the process lives and, while it executes code of runs, that its event loop turns. */
  #show(log: OpenLog, atWork: AtWork): () => Promise<void> {
    const { turnEveryMs, threadAfterMs, threadEveryMs, tellAfterMs } = this.#signs;
    let passed = 0;
    let endThread: (() => Promise<void>) | undefined;
    let isHidden = false;
    let asked: Promise<void> | undefined;
    const beginTelling = async (): Promise<void> => {
      const { TellingAtWork } = await import('./tell-at-work.ts');
      if (isHidden) return;
      const begun = Array.from(atWork.begun.values(), ({ mayBlockMs: ms }) => ms);
      atWork.telling = new TellingAtWork(workFileOf(log.file), begun);
    };
    const hide = showLife((now) => {
      atWork.telling?.turned();
      const [oldest] = atWork.begun.values();
      passed += turnEveryMs;
      if (oldest === undefined && passed < HEARTBEAT_MS) return;
      passed = 0;
      // Not in the pool of threads, which user code may keep busy.
      touchQuietly(log.fd, now);
      if (oldest === undefined) return;
      const forMs = performance.now() - oldest.since;
      // One alone needs nobody to say so: its note does.
      if (atWork.begun.size > 1 && forMs >= tellAfterMs) asked ??= beginTelling();
      if (forMs < threadAfterMs) return;
      endThread ??= showLifeFromThread({ file: liveFileOf(log.file), everyMs: threadEveryMs });
    }, turnEveryMs);
    return async () => {
      hide();
      isHidden = true;
      await Promise.all([endThread?.(), atWork.telling?.end()]);
    };
  }

  /** Before others look for it: a process that was paused for long has a sign of life as old, or none any more. */
  renew(id: string): void {
    const log = this.#open.get(id);
    if (log === undefined) return;
    io('write', log.file, () => {
      const now = new Date();
      try {
        fs.utimesSync(log.file, now, now);
      } catch (error) {
        if (errno(error) !== 'ENOENT') throw error;
        const fd = fs.openSync(log.file, 'a');
        closeQuietly(log.fd);
        log.fd = fd;
      }
    });
  }

  /** Whether an executor lives, and what it is or was in the middle of. */
  judge(executor: ExecutorEntry, moment: Moment): ExecutorSigns {
    const file = this.#file(executor.id);
    const visible = isVisible(executor);
    const turned = timeOf(file) ?? Date.parse(executor.since);
    const shown = (): number => Math.max(turned, timeOf(liveFileOf(file)) ?? 0);
    // Only who cannot be seen is judged by signs of life.
    const alive = isAlive(executor, visible ? turned : shown(), moment, this.#folder);
    let notes: ExecutorNotes | undefined;
    const read = (): ExecutorNotes => (notes ??= notesIn(io('read', file, () => readIfThere(file)) ?? ''));
    const silence = silenceOf(executor, turned, moment);
    // Sooner nobody's notes are read.
    const isBlocked = (): boolean =>
      silence >= LEAST_SILENCE_MS &&
      silence > mayBlockMs(Array.from(read().begun.values(), (one) => one.mayBlockMs));
    // Who asks has an event loop that turns.
    const blocked = alive && !this.#open.has(executor.id) && isBlocked();
    return {
      alive,
      get lastSeen() {
        return isoTime(shown());
      },
      visible,
      interrupted: alive ? new Set() : new Set(read().begun.keys()),
      programs: alive ? [] : read().programs,
      blockedSince: blocked ? isoTime(moment.now - silence) : null,
      get atWork() {
        const work = workFileOf(file);
        return blocked ? atWorkIn(io('read', work, () => readIfThere(work))) : null;
      },
      // Read when asked for: a live one's file grows with each of its runs.
      get begun() {
        return new Map([...read().begun].map(([id, { at }]) => [id, at]));
      },
    };
  }

  /** Executors that are not among these, and whose process has left a file and is gone. */
  goneBeside(known: ReadonlySet<string>): string[] {
    return this.#names().flatMap((name) => {
      const [id, tag] = name.split('.');
      const isGone = !known.has(id!) && tag !== undefined && isLeftOver(path.join(this.#folder, name), tag);
      return isGone ? [id!] : [];
    });
  }

  /** Removes their files. Tidying: what fails is left to the next one. */
  remove(ids: readonly string[]): void {
    for (const name of this.#names()) {
      if (ids.includes(name.slice(0, name.indexOf('.')))) removeQuietly(path.join(this.#folder, name));
    }
  }

  #names(): string[] {
    return io('read the folder', this.#folder, () => namesIn(this.#folder));
  }

  #file(id: string): string {
    const known = this.#names().find((name) => name.startsWith(`${id}.`) && name.endsWith('.log'));
    return path.join(this.#folder, known ?? `${id}.${processTag()}.log`);
  }
}

/** Leaves out what has ended. Whole or not at all: others may read it at any time, and this process may be killed. */
function shorten(log: OpenLog): void {
  const shorter = `${log.file}.shorter`;
  removeQuietly(shorter);
  const fd = fs.openSync(shorter, 'ax');
  try {
    writeAll(fd, linesOf(notesIn(readIfThere(log.file) ?? '')));
    fs.renameSync(shorter, log.file);
  } catch (error) {
    closeQuietly(fd);
    throw error;
  }
  closeQuietly(log.fd);
  log.fd = fd;
}

/** Where a thread shows that its process lives. */
function liveFileOf(file: string): string {
  return file.replace(/log$/, 'live');
}

/** What was said of it, if that is whole. */
function atWorkIn(text: string | null): readonly string[] | null {
  return text?.endsWith('\n') ? text.trimEnd().split(' ') : null;
}

/** Where a thread says whose code has the event loop of its process, which is blocked. */
function workFileOf(file: string): string {
  return file.replace(/log$/, 'work');
}

function timeOf(file: string): number | undefined {
  return io('read', file, () => fs.statSync(file, { throwIfNoEntry: false }))?.mtimeMs;
}

function touchQuietly(fd: number, now: Date): void {
  try {
    fs.futimesSync(fd, now, now);
  } catch {
    // A sign that could not be given is given the next time.
  }
}
