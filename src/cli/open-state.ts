/** A state that every user of the machine can write to, in words. */
import { isShared } from '../files/shared-folder.ts';
import { shellQuoted } from '../model/text.ts';
import type { Output } from './output.ts';

/** `/tmp` is to stay as it is: other programs of the machine count on it. */
export function openInWords(place: string): { readonly message: string; readonly hint: string } {
  return {
    message: `every user of this machine can write to ${place}, and so decide what dynpart takes for done`,
    hint: isShared(place)
      ? 'name a state in a folder of your own: --state FILE'
      : `close it: chmod o-w ${shellQuoted(place, 'PLACE')}`,
  };
}

export function warnOf(place: string, output: Output): void {
  const { message, hint } = openInWords(place);
  output.warn(`${message}; ${hint}`);
}
