/** Which document counts where a generation has a later number than the state file. */
import { shellFlag } from '../../model/shell-words.ts';
import type { Found } from './state-text.ts';

interface Ahead {
  readonly inFile: Found;
  /** The newest generation that is whole. */
  readonly intact: Found | null;
  /** Of the newest generation, whole or not: the number is taken, and the next commit goes on behind it. */
  readonly serial: number;
}

/** With what is to be said of it. */
export function ahead(
  file: string,
  { inFile, intact, serial }: Ahead,
): { readonly found: Found; readonly warning: string } {
  const ownSerial = inFile.document.serial;
  if (intact === null || intact.document.serial <= ownSerial)
    return {
      found: inFile,
      warning: `generation ${serial} of ${file} is damaged: serial ${ownSerial} in the file itself is used`,
    };
  return {
    found: intact,
    warning:
      `${file} holds serial ${ownSerial}, its newest generation ${intact.document.serial}: the generation is used. ` +
      `The next commit puts it right, and so does: dynpart state restore --last ${shellFlag('--state', file, 'STATE')}`,
  };
}
