/**
 * The versions of a set's keys as one text, a line for each key: a million short texts take twice as long to read and write as
 * one long one. A key without a version has an empty line. In a version `\` is written `\\`, and a line break `\n`.
 */

/** Empty lines at the end are left out: `''` where there is no version at all. */
export function versionLines(versions: readonly (string | null)[]): string {
  return trimmed(versions.map(lineOf).join('\n'));
}

export function countLines(lines: string): number {
  if (lines === '') return 0;
  let count = 1;
  for (let at = lines.indexOf('\n'); at !== -1; at = lines.indexOf('\n', at + 1)) count++;
  return count;
}

export function isVersionLines(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  return !value.includes('\\') || !/(?<!\\)(?:\\\\)*\\(?![\\n])/.test(value);
}

/** The version at a position. Positions are best asked for in ascending order: each time it goes back, all before is walked again. */
export function versionReader(lines: string): (position: number) => string | null {
  let line = 0;
  let from = 0;
  return (position) => {
    if (position < line) line = from = 0;
    for (; line < position; line++) {
      const end = lines.indexOf('\n', from);
      if (end === -1) return null;
      from = end + 1;
    }
    const end = lines.indexOf('\n', from);
    return versionOf(lines.slice(from, end === -1 ? lines.length : end));
  };
}

export function versionOf(line: string): string | null {
  if (line === '') return null;
  return line.includes('\\') ? line.replace(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter)) : line;
}

export function lineOf(version: string | null): string {
  if (version === null) return '';
  return /[\\\n]/.test(version) ? version.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : version;
}

/** Without the empty lines at the end. */
export function trimmed(lines: string): string {
  let end = lines.length;
  while (end > 0 && lines[end - 1] === '\n') end--;
  return end === lines.length ? lines : lines.slice(0, end);
}
