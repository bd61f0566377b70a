/** The end of a command that the process around it makes impossible. */
import { quoted } from '../../model/text.ts';
import type { Terminal } from '../terminal.ts';
import { refuse } from './refuse.ts';

/** @param broken an argument that is no text; `null`: there is no current folder */
export function endUnusable(
  broken: string | null,
  args: readonly string[],
  terminal: Terminal,
): { readonly code: number } {
  const [message, hint] =
    broken === null
      ? ['the current folder is not there any more', 'go to another folder, and run the command again']
      : [
          `argument ${quoted(broken)} holds bytes that are not UTF-8`,
          'a key is UTF-8 text; nothing was changed',
        ];
  return refuse({ reason: 'usage', message, hint }, args, terminal);
}
