/** The form in which each kind of failure has its words, and phrases that several kinds share. */
import { quoted } from '../text.ts';

/** What happened, what to do next, and the code where it is not the failure's reason. */
export type InWords = readonly [message: string, hint?: string, code?: string];

/** Words for each kind of failure; a kind without words does not compile. */
export type WordsFor<F extends { readonly reason: string }> = {
  readonly [R in F['reason']]: (failure: Extract<F, { readonly reason: R }>) => InWords;
};

/** Where what was loaded once is loaded again by itself, another phrase takes its place. */
export const AGAIN = 'run the command again';

/** What the system answers instead of doing what it was asked. */
export interface Refusal {
  readonly cause: string;
  /** Where what to do then is known: nothing is to be mended on the disk where something cannot be read as one text, or is no file. */
  readonly kind?: 'too-large' | 'no-hard-links' | 'no-file';
}

export function forKey(key: string | null): string {
  return key === null ? '' : ` for key ${quoted(key)}`;
}

export function withFrames(message: string, frames: readonly string[]): string {
  return [message, ...frames.map((frame) => `    ${frame}`)].join('\n');
}

/** Phrases for the first thousand of many: more of them help nobody, and could be gigabytes. */
export function firstOf<T>(items: readonly T[], phrase: (item: T) => string): string {
  const most = 1000;
  const rest = items.length - most;
  return items.slice(0, most).map(phrase).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}
