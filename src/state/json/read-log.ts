/** Reads the log of a run, which may be longer than a text can be: one program that prints all day is enough. */
import { io } from '../../files/durable-files.ts';
import { type Bounds, linesFrom } from '../../files/line-pieces.ts';
import { recordsOf } from '../../files/segmented-log.ts';
import { fits } from '../../model/shape.ts';
import { logLineShape } from '../document/record-shapes.ts';
import type { LogPart, RunLogLine } from '../store.ts';

/** A line has some 100 kB at most; older logs have longer ones. */
const AT_ONCE: Bounds = { bytes: 1024 * 1024, mostOfALine: 16 * 1024 * 1024 };

/** What was torn is passed over. @param from in bytes */
export function partOf(file: string, from: number): LogPart {
  const { lines, ...where } = io('read', file, () =>
    linesFrom(file, from, AT_ONCE, (line) => recordIn(line) !== null),
  );
  return { lines: lines.map(recordIn).filter((record) => record !== null), ...where };
}

export function endOf(file: string, count: number): RunLogLine[] {
  const found: RunLogLine[] = [];
  for (const record of recordsOf(file)) {
    if (found.length === count) break;
    if (fits(logLineShape, record)) found.push(record);
  }
  return found.reverse();
}

function recordIn(line: string): RunLogLine | null {
  if (line === '') return null;
  try {
    const record: unknown = JSON.parse(line);
    return fits(logLineShape, record) ? record : null;
  } catch {
    return null;
  }
}
