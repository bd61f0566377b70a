/** Changes the lines of versions of a set, see `version-lines.ts`. Pure. */
import { lineOf, trimmed, versionOf } from './version-lines.ts';

export function versionsIn(lines: string): (string | null)[] {
  return lines === '' ? [] : lines.split('\n').map(versionOf);
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
