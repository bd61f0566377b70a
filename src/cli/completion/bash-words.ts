/** A line of bash taken apart without expanding anything in it, and words put so that bash reads back exactly them. Pure. */
import { isDangerous } from '../../model/text.ts';

/** What is open at the end of an unfinished word. */
type Open = 'nothing' | 'single' | 'double' | 'ansi';

export interface BashLine {
  /** The finished words, without their quotes. */
  readonly words: readonly string[];
  /** What stands on the line of the current word and is kept by bash; without its quotes. */
  readonly kept: string;
  /** The rest of the current word, which bash replaces by what it is offered. */
  readonly replaced: string;
  readonly open: Open;
}

export interface ReadOptions {
  readonly home: string;
  /** `COMP_WORDBREAKS`: where bash ends a word for completion although the shell does not. What stands before it is kept. */
  readonly breaks: string;
}

/** Reads a line up to the cursor. Nothing in it is executed or expanded but a `~` for the home folder. */
export function readBashLine(line: string, { home, breaks }: ReadOptions): BashLine {
  const words: string[] = [];
  let word = '';
  let kept = 0;
  let inWord = false;
  let open: Open = 'nothing';
  const finish = (): void => {
    if (inWord) words.push(word);
    word = '';
    kept = 0;
    inWord = false;
  };
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    const next = line[at + 1];
    if (open === 'single') {
      if (char === "'") open = 'nothing';
      else word += char;
    } else if (open === 'double') {
      if (char === '"') open = 'nothing';
      else if (char === '\\' && next !== undefined && '\\"$`'.includes(next)) word += line[++at]!;
      else word += char;
    } else if (open === 'ansi') {
      if (char === "'") open = 'nothing';
      else if (char === '\\' && next !== undefined) {
        const bytes = /^(?:\\x[0-9a-f]{2})+/i.exec(line.slice(at))?.[0];
        if (bytes === undefined) word += line[++at]!;
        else {
          word += Buffer.from(bytes.replaceAll(String.raw`\x`, ''), 'hex').toString('utf8');
          at += bytes.length - 1;
        }
      } else word += char;
    } else if (char === ' ' || char === '\t' || char === '\n') finish();
    else {
      if (char === '\\') word += line[++at] ?? '';
      else if (char === "'" || char === '"' || (char === '$' && next === "'")) {
        open = char === '"' ? 'double' : char === '$' ? 'ansi' : 'single';
        if (char === '$') at++;
        // Only an opening quote that is never closed matters: bash replaces what stands behind it.
        if (!closes(line, at + 1, open)) kept = word.length;
      } else {
        word += !inWord && char === '~' && (next === '/' || next === undefined) ? home : char;
        if (breaks.includes(char)) kept = word.length;
      }
      inWord = true;
    }
  }
  return { words, kept: word.slice(0, kept), replaced: word.slice(kept), open };
}

function closes(line: string, from: number, open: Open): boolean {
  const quote = open === 'double' ? '"' : "'";
  for (let at = from; at < line.length; at++) {
    if (line[at] === '\\' && open !== 'single') at++;
    else if (line[at] === quote) return true;
  }
  return false;
}

/** A word, or the rest of one, so that bash reads back exactly it, where these quotes are open already. */
export function bashWord(text: string, open: Open): string {
  let quoted = '';
  for (const char of text) quoted += CHARACTERS[open](char);
  return quoted;
}

/** Bytes, which mean the same in every locale; and nothing in them moves a terminal's cursor. */
function asBytes(char: string): string {
  return Array.from(Buffer.from(char, 'utf8'), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

const isPlain = (char: string): boolean => /^[\p{L}\p{N}\p{M}_./,+%-]$/u.test(char);

/** What must not be shown as it is, or cannot be seen. */
const isHidden = (char: string): boolean => isDangerous(char) || /^[\p{Z}\p{C}]$/u.test(char);

const CHARACTERS: Readonly<Record<Open, (char: string) => string>> = {
  nothing: (char) => {
    if (char === ' ') return '\\ ';
    if (isHidden(char)) return `$'${asBytes(char)}'`;
    return isPlain(char) || char > '\u007f' ? char : `\\${char}`;
  },
  single: (char) => {
    if (char === "'") return String.raw`'\''`;
    return char !== ' ' && isHidden(char) ? `'$'${asBytes(char)}''` : char;
  },
  double: (char) => {
    // Even between double quotes an interactive bash looks for its history.
    if (char === '!') return `"'!'"`;
    if (char !== ' ' && isHidden(char)) return `"$'${asBytes(char)}'"`;
    return '\\"$`'.includes(char) ? `\\${char}` : char;
  },
  ansi: (char) => {
    if (char !== ' ' && isHidden(char)) return asBytes(char);
    return char === "'" || char === '\\' ? `\\${char}` : char === '!' ? asBytes(char) : char;
  },
};
