/**
 * The versions of a set's keys as one text, a line for each key: a million short texts take twice as long to read and write as
 * one long one. A key without a version has an empty line. In a version `\` is written `\\`, and a line break `\n`.
 */

/** Empty lines at the end are left out: `''` where there is no version at all. */
export function versionLines(versions: readonly (string | null)[]): string {
  return trimmed(versions.map(lineOf).join('\n'));
}

export function versionsIn(lines: string): (string | null)[] {
  return lines === '' ? [] : lines.split('\n').map(versionOf);
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

/** With these versions at these positions. */
export function withVersions(lines: string, changes: ReadonlyMap<number, string | null>): string {
  const { upTo, rest } = cutting(lines);
  const ascending = [...changes].sort(([a], [b]) => a - b);
  const parts = ascending.flatMap(([position, version]) => [...upTo(position), lineOf(version)]);
  return trimmed([...parts, ...rest()].join('\n'));
}

/** Without those at these positions, which come in ascending order. */
export function withoutVersions(lines: string, positions: readonly number[]): string {
  const { upTo, rest } = cutting(lines);
  return trimmed([...positions.flatMap(upTo), ...rest()].join('\n'));
}

/** Cuts lines out: what stands before and behind them, each as one text. No text where there is no line. */
function cutting(lines: string): { upTo: (position: number) => string[]; rest: () => string[] } {
  let line = 0;
  let from = 0;
  const pass = (): void => {
    if (from <= lines.length) from = behind(lines, from);
    line++;
  };
  const upTo = (position: number): string[] => {
    const [first, start] = [line, from];
    let empty = 0;
    for (; line < position; pass()) if (from > lines.length) empty++;
    const isThere = start <= lines.length;
    const part =
      (isThere ? lines.slice(start, from - 1) : '') + '\n'.repeat(isThere ? empty : Math.max(0, empty - 1));
    pass();
    return first === position ? [] : [part];
  };
  return { upTo, rest: () => (from > lines.length ? [] : [lines.slice(from)]) };
}

/** Where the line behind the one that begins here begins. */
function behind(lines: string, from: number): number {
  const end = lines.indexOf('\n', from);
  return (end === -1 ? lines.length : end) + 1;
}

function lineOf(version: string | null): string {
  if (version === null) return '';
  return /[\\\n]/.test(version) ? version.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : version;
}

function versionOf(line: string): string | null {
  if (line === '') return null;
  return line.includes('\\') ? line.replace(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter)) : line;
}

function trimmed(lines: string): string {
  let end = lines.length;
  while (end > 0 && lines[end - 1] === '\n') end--;
  return end === lines.length ? lines : lines.slice(0, end);
}
