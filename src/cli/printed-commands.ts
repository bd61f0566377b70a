/**
 * Commands in what is printed, as they can be pasted: with `-f` and `--state` where this command was given them. What is recorded,
 * sent or served has them without: whoever reads it works with flags of their own, and these are added where it is printed.
 */
import { shellFlag } from '../model/shell-words.ts';

/** As they were typed. What is in the environment is there for the next command as well. */
export interface Given {
  readonly file?: string | undefined;
  readonly state?: string | undefined;
}

/** What printed commands are to have. */
export async function flagsToPrint({ file, state }: Given): Promise<readonly string[]> {
  const flags: string[] = [];
  if (file) flags.push(shellFlag('-f', file.replace(/^-/, './-'), 'FILE'));
  if (state) {
    const shown = state.includes(':') ? (await import('./shown-address.ts')).shownAddress(state) : state;
    flags.push(shellFlag('--state', shown, 'STATE'));
  }
  return flags;
}

/** Names and keys as they are written in sentences and for a shell. What is in them is no command, also where it reads like one. */
const QUOTED = /(?<![^\s(=:])(?:'(?:[^']|'\\'')*'|"(?:[^"\\]|\\.)*")/g;

/** Those that work on a pipeline or a state, where a sentence gives one to be pasted: not in its middle, as a name of what did something. */
const COMMAND =
  /(?=dynpart (?:assets|check|doctor|materialize|partitions|runs|schedule|sensor|state|status|ui|value|why|worker)\b)(?<=(?:^|[:;,(\n]|\b(?:or|mean))\s*)(?<!belongs to .*)dynpart /g;

/** The text with these flags in each command that does not have them already. */
export function toPaste(text: string, flags: readonly string[]): string {
  if (flags.length === 0 || !text.includes('dynpart ')) return text;
  const blanked = text.replace(QUOTED, (quoted) => '_'.repeat(quoted.length));
  return text.replace(COMMAND, (start, at: number) => {
    const command = /[^]*?(?=[;)\n]|, |$)/.exec(blanked.slice(at))![0];
    // One in quotes; and help needs no project.
    if (!command.startsWith(start) || command.includes(' --help')) return start;
    return flags.reduce(
      (said, flag) => (command.includes(` ${flag.split(/[ =]/)[0]!}`) ? said : `${said}${flag} `),
      start,
    );
  });
}
