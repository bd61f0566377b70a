/** Whether a commit counts whose writer was overtaken before it could see so itself. */
import { fail } from '../../model/failure.ts';
import type { StateDocument } from '../document/state-document.ts';
import type { Generations } from './generations.ts';
import { saysCommitted } from './writers.ts';

/**
 * A writer that was stopped between its link and this question finds newer generations, and its own name there either
 * way. Either its link came first and the others built on it; or it slept before the link, until its number was used by
 * somebody else, left the window and was free again; or numbers were left out, by a restore of a copy from further on.
 * Later documents know: each carries on what the ones before it said of the last commit of every process that may ask.
 * This process lives, so its entry is there unless nobody could see that (then they say that they forgot). A restore
 * carries the entries on, too. Another thread of this process, or a second store in it, has a name of its own.
 */
export function wasBuiltOn(
  { serial, writers }: StateDocument,
  generations: Pick<Generations, 'stateFile' | 'highest' | 'later'>,
): boolean {
  const own = writers.last.find((entry) => entry.serial === serial) ?? { id: '', serial };
  for (;;) {
    const newest = generations.highest();
    // The generation's own name is gone: somebody took the folder away and put another folder there.
    if (newest < serial) return false;
    const found = generations.later(serial);
    const says = found && saysCommitted(found.document.writers, own);
    if (says !== null) return says;
    // The generations that could have told were emptied while this process looked, or they are damaged.
    if (found !== null || generations.highest() === newest)
      return fail({ reason: 'commit-unsure', file: generations.stateFile, serial });
  }
}
