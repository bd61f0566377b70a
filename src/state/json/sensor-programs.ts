/** A file for each evaluation of a sensor that has started programs, or was killed: who ticks next ends what is left of them. */
import fs from 'node:fs';
import path from 'node:path';
import {
  io,
  namesIn,
  openToAppend,
  readIfThere,
  removeIfThere,
  writeAll,
} from '../../files/durable-files.ts';
import { isAlive, isVisible, type Moment, type Owner } from '../../files/process-owner.ts';
import { fits } from '../../model/shape.ts';
import { ownerShape } from '../document/record-shapes.ts';
import type { EvaluationLeft } from '../store.ts';

const ENDING = '.programs';

export class SensorPrograms {
  readonly #stem: string;
  readonly #own: Owner;

  /** @param stem how the names of the sensor's files begin, with their folder */
  constructor(stem: string, own: Owner) {
    this.#stem = stem;
    this.#own = own;
  }

  /** Not synced: a loss of power leaves no programs. */
  note({ group, number }: EvaluationLeft['programs'][number]): void {
    try {
      const fd = openToAppend(this.#file(this.#own.id));
      try {
        const isNew = fs.fstatSync(fd).size === 0;
        writeAll(fd, `${isNew ? JSON.stringify(this.#own) : ''}\n${group} ${number}`);
      } finally {
        fs.closeSync(fd);
      }
    } catch {
      // It is found by its mark alone then.
    }
  }

  left(moment: Moment): EvaluationLeft[] {
    const folder = path.dirname(this.#stem);
    const prefix = `${path.basename(this.#stem)}.`;
    return io('read the folder', folder, () => namesIn(folder)).flatMap((name) => {
      const id = name.slice(prefix.length, -ENDING.length);
      // `a.b` is another sensor than `a`: no id has a dot.
      if (!name.startsWith(prefix) || !name.endsWith(ENDING) || id.includes('.')) return [];
      return this.#read(id, moment);
    });
  }

  forget(id: string): void {
    const file = this.#file(id);
    io('remove', file, () => removeIfThere(file));
  }

  #read(id: string, moment: Moment): EvaluationLeft[] {
    const file = this.#file(id);
    const text = io('read', file, () => readIfThere(file));
    // Its process has removed it meanwhile.
    if (text === null) return [];
    const [head = '', ...lines] = text.split('\n');
    const owner = ownerIn(head);
    // Torn, or a later claim that came in the moment in which the dead one's was to be kept: no program of it was noted.
    if (owner?.id !== id) return [{ id, host: '', alive: false, visible: true, programs: [] }];
    const sign = io('read', file, () => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    const alive = isAlive(owner, sign, moment, path.dirname(file));
    const programs = lines.map((line) => {
      const [group, number] = line.split(' ').map(Number) as [number, number];
      return { group, number };
    });
    return [{ id, host: owner.host, alive, visible: isVisible(owner), programs }];
  }

  #file(id: string): string {
    return `${this.#stem}.${id}${ENDING}`;
  }
}

function ownerIn(line: string): Owner | null {
  try {
    const owner: unknown = JSON.parse(line);
    return fits(ownerShape, owner) ? owner : null;
  } catch {
    return null;
  }
}
