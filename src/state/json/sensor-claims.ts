/**
 * A file for each sensor that is being evaluated. It keeps two processes from asking the same source at once; that
 * nothing is applied twice rests on the sensor's version in the state, not on this file.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Holder } from '../../definitions/tick.ts';
import type { Millis } from '../../definitions/time.ts';
import type { Owner } from '../state-document.ts';
import type { SensorClaim } from '../state-store.ts';
import {
  errno,
  io,
  linked,
  makePassingFolder,
  namesIn,
  readIfThere,
  removeIfThere,
  removeQuietly,
  writeAll,
} from './durable-files.ts';
import { fileNameOf } from './file-name.ts';
import { isAlive, isLeftOver, processTag, showLife } from './process-owner.ts';
import { isOwner } from './record-shapes.ts';

let temporaries = 0;

export class SensorClaims {
  readonly #folder: string;

  constructor(stateFolder: string) {
    this.#folder = path.join(stateFolder, 'claims');
  }

  claim(sensor: string, owner: Owner, now: Millis): SensorClaim | { readonly holder: Holder } {
    makePassingFolder(this.#folder);
    this.#sweep();
    const file = this.#file(sensor);
    for (;;) {
      if (this.#take(file, owner)) return this.#claimOf(file);
      const { owner: other, alive } = this.#read(file, now);
      if (other !== null && alive)
        return { holder: { pid: other.pid, host: other.host, since: other.since } };
      this.#clear(file, other);
    }
  }

  holder(sensor: string, now: Millis): Holder | null {
    const { owner, alive } = this.#read(this.#file(sensor), now);
    return owner !== null && alive ? { pid: owner.pid, host: owner.host, since: owner.since } : null;
  }

  /** Whole or not at all: a claim is never seen without its owner. */
  #take(file: string, owner: Owner): boolean {
    const temporary = `${file}.${processTag()}.${++temporaries}.tmp`;
    try {
      return io('write', file, () => {
        const fd = fs.openSync(temporary, 'wx');
        try {
          writeAll(fd, JSON.stringify(owner));
        } finally {
          fs.closeSync(fd);
        }
        return linked(temporary, file);
      });
    } finally {
      removeQuietly(temporary);
    }
  }

  /** Removes what processes left that were killed between two steps. */
  #sweep(): void {
    for (const name of io('read the folder', this.#folder, () => namesIn(this.#folder))) {
      const [, tag] = /\.json\.([^.]+)\.\d+\.tmp$/.exec(name) ?? [];
      const file = path.join(this.#folder, name);
      if (tag !== undefined && isLeftOver(file, tag)) removeQuietly(file);
    }
  }

  #claimOf(file: string): SensorClaim {
    const hide = showLife(file);
    return {
      release: () => {
        hide();
        io('remove', file, () => removeIfThere(file));
        return Promise.resolve();
      },
    };
  }

  /** Of several that find a dead owner's claim only one takes it away: a rename has one winner. */
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

  #read(file: string, now: Millis): { owner: Owner | null; alive: boolean } {
    const text = io('read', file, () => readIfThere(file));
    if (text === null) return { owner: null, alive: false };
    const owner = ownerIn(text);
    // A claim torn by a loss of power: nobody who could hold it is alive.
    if (owner === null) return { owner, alive: false };
    // Outside of any catch: a live owner must not seem dead because the disk would not say.
    const sign = io('read', file, () => fs.statSync(file, { throwIfNoEntry: false }))?.mtimeMs ?? 0;
    return { owner, alive: isAlive(owner, sign, now) };
  }

  #file(sensor: string): string {
    return path.join(this.#folder, `${fileNameOf(sensor)}.json`);
  }
}

function ownerIn(text: string): Owner | null {
  try {
    const owner: unknown = JSON.parse(text);
    return isOwner(owner) ? owner : null;
  } catch {
    return null;
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
