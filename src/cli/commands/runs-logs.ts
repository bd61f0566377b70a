/** `dynpart runs logs`: what a run printed. */
import type { RunLogLine } from '../../state/store.ts';
import type { Context } from '../context.ts';
import { findRun } from '../find-run.ts';
import { clean } from '../../model/text.ts';

const FOLLOW_EVERY_MS = 300;

export async function logs(
  context: Context,
  { follow }: { readonly follow?: boolean },
  id: string,
): Promise<void> {
  let run = await findRun(context.project.store, id);
  let shown = 0;
  const showNew = async (): Promise<readonly RunLogLine[]> => {
    const lines = await context.project.store.readLog(id);
    for (const line of lines.slice(shown)) {
      if (follow && context.output.options.json)
        context.output.printLine({
          id,
          asset: line.asset,
          attempt: line.attempt,
          line: { at: line.at, stream: line.stream, text: line.text },
        });
      else {
        // Older logs hold entries of several lines: each of them is a record of its own.
        for (const text of line.text.split('\n'))
          context.output.print(`${line.at}\t${line.asset}\t${line.attempt}\t${clean(text)}\n`);
      }
    }
    shown = lines.length;
    return lines;
  };
  let lines = await showNew();
  while (follow && (run.status === 'QUEUED' || run.status === 'STARTED')) {
    await context.clock.sleep(FOLLOW_EVERY_MS);
    run = await findRun(context.project.store, id);
    lines = await showNew();
  }
  if (follow) return context.output.printedLines();
  Object.assign(context.output.document, { id, attempts: byAttempt(lines) });
  if (lines.length === 0) context.output.chat(`run ${id} printed nothing`);
}

function byAttempt(lines: readonly RunLogLine[]) {
  const attempts = new Map<
    string,
    { asset: string; attempt: number; lines: { at: string; stream: string; text: string }[] }
  >();
  for (const { asset, attempt, at, stream, text } of lines) {
    const name = `${asset}\0${attempt}`;
    const known = attempts.get(name) ?? { asset, attempt, lines: [] };
    attempts.set(name, known);
    known.lines.push({ at, stream, text });
  }
  return [...attempts.values()];
}
