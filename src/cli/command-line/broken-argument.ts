/** Finds an argument that was not UTF-8: node has put U+FFFD in the place of its bytes, and as a key the argument would silently be another key. */
import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';

/** The first argument whose bytes are no text; `null` where there is none, or where the system does not show them. */
export function brokenArgument(args: readonly string[]): string | null {
  const suspects = args.filter((arg) => arg.includes('\ufffd'));
  // U+FFFD itself is a letter like any other: only the bytes can tell.
  if (suspects.length === 0) return null;
  try {
    const given = fs.readFileSync('/proc/self/cmdline').toString('latin1').split('\0');
    const broken = given
      .map((arg) => Buffer.from(arg, 'latin1'))
      .filter((bytes) => !isUtf8(bytes))
      .map((bytes) => bytes.toString('utf8'));
    return suspects.find((arg) => broken.includes(arg)) ?? null;
  } catch {
    return null;
  }
}
