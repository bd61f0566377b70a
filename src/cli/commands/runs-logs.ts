/** `dynpart runs logs`: what a run printed. */
import { fail } from '../../model/failure.ts';
import type { LogLine } from '../../model/tick.ts';
import type { RunLogLine, StateStore } from '../../state/store.ts';
import type { Context } from '../context.ts';
import type { RunLog } from '../json-results-of-runs.ts';
import { findRun } from '../find-run.ts';
import { clean } from '../../model/text.ts';

const FOLLOW_EVERY_MS = 300;

/** One JSON document has no more: beyond twice as much it could not be made on a small machine. */
const MOST_IN_A_DOCUMENT = 128 * 1024 * 1024;

export async function run(
  { output, project, clock }: Context,
  { follow = false }: { readonly follow?: boolean },
  id: string,
): Promise<RunLog | null> {
  const { store } = project;
  let run = await findRun(store, id);
  if (!follow && output.options.json) return { id, attempts: await attemptsOf(store, id) };
  const print = (lines: readonly RunLogLine[]): void => {
    if (!output.options.json) return output.print(lines.map(recordsOf).join(''));
    for (const { asset, attempt, at, stream, text } of lines)
      output.printLine({ id, asset, attempt, line: { at, stream, text } });
  };
  let from = 0;
  const printNew = async (): Promise<void> => {
    for await (const part of partsOf(store, id, from)) {
      print(part.lines);
      from = part.next;
    }
  };
  await printNew();
  while (follow && (run.status === 'QUEUED' || run.status === 'STARTED')) {
    await clock.sleep(FOLLOW_EVERY_MS);
    run = await findRun(store, id);
    await printNew();
  }
  if (!follow && from === 0) output.chat(`run ${id} printed nothing`);
  return null;
}

/** However much it is, a part at a time. */
async function* partsOf(
  store: StateStore,
  id: string,
  from: number,
): AsyncGenerator<{ readonly lines: readonly RunLogLine[]; readonly next: number }> {
  for (let next = from, isEnd = false; !isEnd;) {
    const part = await store.readLog(id, next);
    ({ next, isEnd } = part);
    yield part;
  }
}

/** Older logs hold entries of several lines: each of them is a record of its own. */
function recordsOf({ at, asset, attempt, text }: RunLogLine): string {
  return text
    .split('\n')
    .map((line) => `${at}\t${asset}\t${attempt}\t${clean(line)}\n`)
    .join('');
}

/** @throws FailureError `log-too-large` */
async function attemptsOf(store: StateStore, id: string): Promise<RunLog['attempts']> {
  const attempts = new Map<string, { asset: string; attempt: number; lines: LogLine[] }>();
  let size = 0;
  for await (const { lines } of partsOf(store, id, 0)) {
    for (const { asset, attempt, at, stream, text } of lines) {
      const name = `${asset}\0${attempt}`;
      const known = attempts.get(name) ?? { asset, attempt, lines: [] };
      attempts.set(name, known);
      known.lines.push({ at, stream, text });
      size += at.length + stream.length + text.length;
    }
    if (size > MOST_IN_A_DOCUMENT)
      fail({ reason: 'log-too-large', run: id, mebibytes: MOST_IN_A_DOCUMENT / 1024 / 1024 });
  }
  return [...attempts.values()];
}
