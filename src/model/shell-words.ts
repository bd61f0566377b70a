/** Words of a command that is printed to be pasted into a POSIX shell: whatever the user's text holds, it stays one word. */
import { shellQuoted } from './text.ts';

/** An argument. @param word stands for what cannot be written as one: a flag's dash in front, an end of the line at the end */
export function shellWord(text: string, word = 'KEY'): string {
  return text.startsWith('-') ? word : shellQuoted(text, word);
}

/** A flag with its value, which may begin with a dash. */
export function shellFlag(flag: string, value: string, word = 'KEY'): string {
  return `${flag}${value.startsWith('-') ? '=' : ' '}${shellQuoted(value, word)}`;
}
