/** Copies of what is about to be replaced, kept beside it: before a restore, and before a newer schema. */
import type fs from 'node:fs';
import path from 'node:path';
import {
  bytesIfThere,
  io,
  isThere,
  linked,
  removeQuietly,
  syncFolder,
  writeDurably,
} from '../../files/durable-files.ts';

export interface CopyOptions {
  /** A name in the same folder that nobody else uses. */
  readonly temporary: string;
  /** Whose permissions the copy has. */
  readonly like: fs.Stats | undefined;
}

/**
 * Keeps a copy: whole or not at all, durable, and never over another one.
 * @returns the copy's name: the wanted name, with a number behind it where something else has the wanted name
 */
export function keepCopy(wanted: string, content: string | Buffer, { temporary, like }: CopyOptions): string {
  const folder = path.dirname(wanted);
  const bytes = Buffer.from(content);
  try {
    for (let count = 1; ;) {
      const copy = count === 1 ? wanted : `${wanted}.${count}`;
      const there = io('read', copy, () => bytesIfThere(copy));
      if (there === null) {
        io('write', copy, () => {
          if (!isThere(temporary)) writeDurably(temporary, bytes, like);
          // Where another process was first, see what it kept.
          linked(temporary, copy);
        });
      } else if (there.equals(bytes)) {
        // Just made; or by a try that was killed, and that is as good as a new one.
        io('sync the folder', folder, () => syncFolder(folder));
        return copy;
      } else count++;
    }
  } finally {
    removeQuietly(temporary);
  }
}
