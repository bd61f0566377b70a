/**
 * A file for each sensor that is being evaluated. It keeps two processes from asking the same source at once; that
 * nothing is applied twice rests on the sensor's version in the state, not on this file.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Holder } from '../../model/tick.ts';
import {
  isAlive,
  isLeftOver,
  type Moment,
  type Owner,
  processTag,
  showLife,
  sinceOf,
} from '../../files/process-owner.ts';
import type { HeldClaim, SensorClaim } from '../store.ts';
import type { SensorPrograms } from './sensor-programs.ts';
import {
  closeQuietly,
  errno,
  io,
  linked,
  makePassingFolder,
  namesIn,
  readIfThere,
  removeIfThere,
  removeQuietly,
  writeAll,
} from '../../files/durable-files.ts';
import { fileNameOf } from '../../files/file-name.ts';
import { ownerShape } from '../document/record-shapes.ts';
import { fits } from '../../model/shape.ts';

let temporaries = 0;

interface Claiming {
  readonly sensor: string;
  readonly owner: Owner;
  readonly now: () => Moment;
}

export class SensorClaims {
  readonly #folder: string;
  /** How many sensors this process has claimed, and where it notes which of them has its thread. */
  #claimed = 0;
  #thread: number | undefined;

  constructor(stateFolder: string) {
    this.#folder = path.join(stateFolder, 'claims');
  }

  claim(sensor: string, owner: Owner, now: () => Moment): SensorClaim | HeldClaim {
    makePassingFolder(this.#folder);
    // A thousand sensors that are claimed at once look once for what killed processes left.
    if (this.#claimed === 0) this.#sweep();
    const file = this.#file(sensor);
    for (;;) {
      const fd = this.#take(file, owner);
      if (fd !== null) return this.#claimOf({ sensor, owner, now }, file, fd);
      const moment = now();
      const { owner: other, alive } = this.#read(file, moment);
      if (other !== null && alive) return { holder: holderOf(other, moment), thread: this.#threadOf(other) };
      // Before its claim is cleared: of what it has left of its programs nobody would know afterwards.
      if (other !== null) io('write', file, () => linked(file, `${this.#stem(sensor)}.${other.id}.programs`));
      this.#clear(file, other);
    }
  }

  holder(sensor: string, moment: Moment): Holder | null {
    const { owner, alive } = this.#read(this.#file(sensor), moment);
    return owner !== null && alive ? holderOf(owner, moment) : null;
  }

  /** Whole or not at all: a claim is never seen without its owner. Answers with the open claim, or `null` where it is another's. */
  #take(file: string, owner: Owner): number | null {
    const temporary = `${file}.${processTag()}.${++temporaries}.tmp`;
    try {
      return io('write', file, () => {
        const fd = fs.openSync(temporary, 'wx');
        let taken = false;
        try {
          writeAll(fd, JSON.stringify(owner));
          taken = linked(temporary, file);
        } finally {
          if (!taken) closeQuietly(fd);
        }
        return taken ? fd : null;
      });
    } finally {
      removeQuietly(temporary);
    }
  }

  /** Removes what processes left that were killed between two steps. */
  #sweep(): void {
    for (const name of this.#names()) {
      const [, tag] = /\.json\.([^.]+)\.\d+\.tmp$/.exec(name) ?? /^([^.]+)\.thread$/.exec(name) ?? [];
      const file = path.join(this.#folder, name);
      if (tag !== undefined && isLeftOver(file, tag)) removeQuietly(file);
    }
  }

  /** Through its open file: who was taken for dead meanwhile must neither keep another's claim fresh nor remove it. */
  #claimOf({ sensor, owner, now }: Claiming, file: string, fd: number): SensorClaim {
    const programs = () => this.#programs(sensor, owner);
    const hide = showLife((now) => fs.futimes(fd, now, now, () => undefined));
    this.#claimed++;
    let isReleased = false;
    let hasPrograms = false;
    let noted = Promise.resolve();
    return {
      id: owner.id,
      left: async () => (this.#hasPrograms(sensor) ? (await programs()).left(now()) : []),
      leftEnded: async (ids) => {
        for (const id of ids) (await programs()).forget(id);
      },
      started: (program) => {
        hasPrograms = true;
        noted = noted.then(async () => (await programs()).note(program));
      },
      programsEnded: async () => {
        await noted;
        if (hasPrograms) (await programs()).forget(owner.id);
      },
      hasThread: () => this.#noteThread(sensor),
      release: () => {
        // Once: the number of a closed file may be another file's by now.
        if (isReleased) return Promise.resolve();
        isReleased = true;
        hide();
        if (--this.#claimed === 0) this.#forgetThread();
        try {
          if (isStill(file, fd)) io('remove', file, () => removeIfThere(file));
        } finally {
          closeQuietly(fd);
        }
        return Promise.resolve();
      },
    };
  }

  /** In a place of its own, and with one system call: who has the thread may change with every `await`. */
  #noteThread(sensor: string): void {
    const file = this.#threadFile(processTag());
    try {
      this.#thread ??= fs.openSync(file, 'w');
      fs.writeSync(this.#thread, `${JSON.stringify(sensor)}\n`, 0);
    } catch {
      // Whoever asks is told no name then.
    }
  }

  #forgetThread(): void {
    if (this.#thread === undefined) return;
    closeQuietly(this.#thread);
    this.#thread = undefined;
    removeQuietly(this.#threadFile(processTag()));
  }

  /** What stands behind the first line's end is of a longer name before. */
  #threadOf({ pid, startTime }: Owner): string | null {
    const [name] = this.#names().filter(
      (one) => one.startsWith(`${pid}-${startTime ?? 0}-`) && one.endsWith('.thread'),
    );
    if (name === undefined) return null;
    try {
      const [line = ''] = fs.readFileSync(path.join(this.#folder, name), 'utf8').split('\n');
      return JSON.parse(line) as string;
    } catch {
      return null;
    }
  }

  #threadFile(tag: string): string {
    return path.join(this.#folder, `${tag}.thread`);
  }

  #names(): string[] {
    return io('read the folder', this.#folder, () => namesIn(this.#folder));
  }

  /** Of several processes that find a dead owner's claim only one takes the claim away: a rename has one winner. */
  #clear(file: string, dead: Owner | null): void {
    const away = `${file}.${processTag()}.${++temporaries}.tmp`;
    const moved = io('remove', file, () => renamedIfThere(file, away));
    if (!moved) return;
    // What was moved may be a newer claim than the one that was read: then it is put back.
    try {
      if (dead !== null && readIfThere(away) !== JSON.stringify(dead)) linked(away, file);
    } catch {
      // A third one claimed meanwhile, or the disk is in trouble. The version in the state decides between them.
    }
    removeQuietly(away);
  }

  #read(file: string, moment: Moment): { owner: Owner | null; alive: boolean } {
    const text = io('read', file, () => readIfThere(file));
    // A claim torn by a loss of power: nobody who could hold it is alive.
    const owner = text === null ? null : ownerIn(text);
    if (owner === null) return { owner: null, alive: false };
    // Outside of any catch: a live owner must not seem dead because the disk would not say.
    const sign = io('read', file, () => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    return { owner, alive: isAlive(owner, sign, moment, this.#folder) };
  }

  #file(sensor: string): string {
    return `${this.#stem(sensor)}.json`;
  }

  #stem(sensor: string): string {
    return path.join(this.#folder, fileNameOf(sensor));
  }

  /** Mostly there are none, and what reads them is not loaded. */
  #hasPrograms(sensor: string): boolean {
    const stem = fileNameOf(sensor);
    return this.#names().some((name) => name.startsWith(`${stem}.`) && name.endsWith('.programs'));
  }

  async #programs(sensor: string, owner: Owner): Promise<SensorPrograms> {
    const { SensorPrograms: Programs } = await import('./sensor-programs.ts');
    return new Programs(this.#stem(sensor), owner);
  }
}

function holderOf(owner: Owner, moment: Moment): Holder {
  return { pid: owner.pid, host: owner.host, since: sinceOf(owner, moment) };
}

function ownerIn(text: string): Owner | null {
  try {
    const owner: unknown = JSON.parse(text);
    return fits(ownerShape, owner) ? owner : null;
  } catch {
    return null;
  }
}

/** Whether a name still stands for the file that was opened. Where the disk will not say, it does: a claim must not stay. */
function isStill(file: string, fd: number): boolean {
  try {
    return fs.statSync(file).ino === fs.fstatSync(fd).ino;
  } catch (error) {
    return errno(error) !== 'ENOENT';
  }
}

function renamedIfThere(from: string, to: string): boolean {
  try {
    fs.renameSync(from, to);
    return true;
  } catch (error) {
    if (errno(error) === 'ENOENT') return false;
    throw error;
  }
}
