/** Typed text → resolved values: every flag is read in one place, and one that cannot be used is named. */
import { fail } from '../../model/failure.ts';
import { nearest } from '../../model/nearest.ts';

/** A whole number of at least `least`. */
export function wholeNumber(flag: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    return fail({
      reason: 'usage',
      message: `${flag} takes a whole number of ${least} or more, not ${JSON.stringify(text)}`,
      hint: `for example: ${flag} ${Math.max(least, 10)}`,
    });
  };
}

/** Seconds, possibly with a fraction → milliseconds. */
export function seconds(flag: string): (text: string) => number {
  return (text) => {
    if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
    return fail({
      reason: 'usage',
      message: `${flag} takes seconds, not ${JSON.stringify(text)}`,
      hint: `for example: ${flag} 30`,
    });
  };
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** `30d`, `12h`, `90m` → milliseconds. */
export function age(flag: string, example = '30d'): (text: string) => number {
  return (text) => {
    const match = /^(\d+)([smhdw])$/.exec(text);
    if (match !== null) return Number(match[1]) * UNITS[match[2]!]!;
    return fail({
      reason: 'usage',
      message: `${flag} takes a time such as ${example}, not ${JSON.stringify(text)}`,
      hint: 'a whole number and s, m, h, d or w',
    });
  };
}

/** One of a few words, in any case. */
export function oneOf<const Word extends string>(
  flag: string,
  words: readonly Word[],
): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word.toLowerCase() === text.toLowerCase());
    const meant = nearest(text, words)[0] ?? words.find((word) => beginAlike(word, text));
    return (
      found ??
      fail({
        reason: 'usage',
        message: `${flag} takes ${words.join(', ')}, not ${JSON.stringify(text)}`,
        hint: meant === undefined ? `for example: ${flag} ${words[0]}` : `did you mean ${flag} ${meant}?`,
      })
    );
  };
}

/** `failed` and `FAILURE`, `succeeded` and `SUCCESS`. */
function beginAlike(word: string, text: string): boolean {
  return text.length >= 4 && word.toLowerCase().startsWith(text.slice(0, 4).toLowerCase());
}

/** A flag that may be given several times. Values are never split: a key may hold any sign. */
export function repeated(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
