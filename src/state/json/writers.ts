/** Who committed what last: what a writer that was stopped after its link asks when it goes on. */
import { FailureError } from '../../model/failure.ts';
import { type Clock, isoTime, newId, newLineage } from '../../model/time.ts';
import type { LastCommit, StateDocument, Writers } from '../document/state-document.ts';
import { canBeSeen, isGone, processTag } from '../../files/process-owner.ts';

/**
 * So many commits a process is remembered of which nobody can see whether it lives: one in another container, or one that
 * ran in a container that was thrown away, of which each tick may leave another. One that can be seen is remembered as
 * long as it lives. By number and not by time: no clock can be wrong about it.
 */
const REMEMBERED = 64;

/** Who commits here. A name by chance behind the process's, since a process may open a state more than once. */
export class Writer {
  readonly #clock: Clock;
  readonly #version: string;
  #id: string | undefined;

  /** @param version of dynpart, noted in the file */
  constructor(clock: Clock, version: string) {
    this.#clock = clock;
    this.#version = version;
  }

  get id(): string {
    return (this.#id ??= `${processTag()}-${newId(this.#clock).slice(-4)}`);
  }

  /** What comes of a document with its next commit. */
  stamped(document: StateDocument): StateDocument {
    const serial = document.serial + 1;
    return {
      ...document,
      lineage: document.lineage || newLineage(this.#clock),
      serial,
      writers: withCommit(document.writers, { id: this.id, serial }),
      writtenBy: { version: this.#version, at: isoTime(this.#clock.now()) },
    };
  }
}

/** After a commit of one's own: its own entry is the newest, and whoever will never ask is left out. */
export function withCommit({ last, forgotten }: Writers, own: LastCommit): Writers {
  const dropped = new Set<LastCommit>();
  for (const entry of last) {
    if (entry.id === own.id || neverAsks(entry.id)) dropped.add(entry);
    else if (!canBeSeen(entry.id) && entry.serial <= own.serial - REMEMBERED) {
      dropped.add(entry);
      // It may ask all the same, and is told that nobody knows.
      forgotten = Math.max(forgotten, entry.serial);
    }
  }
  return { last: [...last.filter((entry) => !dropped.has(entry)), own], forgotten };
}

/** Whether a later document says that a commit was made: `null` when it cannot say. */
export function saysCommitted({ last, forgotten }: Writers, own: LastCommit): boolean | null {
  if (last.some(({ id, serial }) => id === own.id && serial === own.serial)) return true;
  return own.serial > forgotten ? false : null;
}

function neverAsks(id: string): boolean {
  try {
    return isGone(id);
  } catch (error) {
    // Out of descriptors, say. Whoever cannot be looked for is not taken for dead.
    if (error instanceof FailureError) return false;
    throw error;
  }
}
