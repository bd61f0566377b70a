/** Run keys as the database can hold and index them: it has no letter U+0000, and no long text in an index. */
import { createHash } from 'node:crypto';

/** Far below what an index takes; most run keys are partition keys, which are no longer. */
const LONGEST = 1024;

/** Two run keys have the same text exactly when they are the same. */
export function runKeyText(runKey: string): string {
  const text = withoutZero(runKey);
  if (text.length * 3 <= LONGEST || Buffer.byteLength(text) <= LONGEST) return text;
  return `\\#${createHash('sha256').update(text).digest('hex')}`;
}

/** No letter U+0000. */
export function withoutZero(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\0', '\\0');
}

export function withZero(text: string): string {
  // Most texts have none: a search is cheaper.
  if (!text.includes('\\')) return text;
  return text.replace(/\\([\\0])/g, (_, letter: string) => (letter === '0' ? '\0' : '\\'));
}
