/** Which document counts where a generation has a later number than the state file, and what is made good of that without a word. */
import fs from 'node:fs';
import { errno, syncFolder } from '../../files/durable-files.ts';
import { shellFlag } from '../../model/shell-words.ts';
import type { Generations } from './generations.ts';
import type { Found } from './state-text.ts';

interface Ahead {
  readonly inFile: Found;
  /** The newest generation that is whole. */
  readonly intact: Found | null;
  /** Of the newest generation, whole or not: the number is taken, and the next commit goes on behind it. */
  readonly serial: number;
}

interface Judged {
  readonly found: Found;
  /** What is to be said; `null` where nobody has to do anything. */
  readonly warning: string | null;
  /** The serial of a commit that others see as a generation, and whose writer did not come to rename it over the state file. */
  readonly cut: number | null;
}

export function ahead({ inFile, intact, serial }: Ahead, generations: Generations): Judged {
  const file = generations.stateFile;
  const ownSerial = inFile.document.serial;
  if (intact === null || intact.document.serial <= ownSerial)
    return {
      found: inFile,
      warning: `generation ${serial} of ${file} is damaged: serial ${ownSerial} in the file itself is used`,
      cut: null,
    };
  if (intact.document.serial === serial && ownSerial === serial - 1 && isCut(serial, generations))
    return { found: intact, warning: null, cut: serial };
  return {
    found: intact,
    warning:
      `${file} holds serial ${ownSerial}, its newest generation ${intact.document.serial}: the generation is used. ` +
      `The next commit puts it right, and so does: dynpart state restore --last ${shellFlag('--state', file, 'STATE')}`,
    cut: null,
  };
}

/**
 * Whether nobody but the writer of this serial can have left the file behind: it is still the very file of the generation before,
 * and was not touched since. What an editor or `cp` put there is another file, or a younger one.
 */
function isCut(serial: number, generations: Generations): boolean {
  const [own, before, next] = [
    generations.stateFile,
    generations.file(serial - 1),
    generations.file(serial),
  ].map((name) => fs.statSync(name, { bigint: true, throwIfNoEntry: false }));
  if (own === undefined || before === undefined || next === undefined) return false;
  return own.ino !== 0n && own.ino === before.ino && own.dev === before.dev && own.mtimeNs <= next.mtimeNs;
}

/**
 * The last step of such a commit. A writer that goes on meanwhile may be renamed over, which is a cut commit again.
 * @returns whether the file holds the commit now; what the disk refuses is left to the next commit
 */
export function finish(serial: number, generations: Generations): boolean {
  try {
    if (generations.highest() !== serial || !isCut(serial, generations)) return false;
    generations.replaceFile(generations.file(serial));
    syncFolder(generations.folder);
    return true;
  } catch (error) {
    if (errno(error) === undefined) throw error;
    return false;
  }
}
