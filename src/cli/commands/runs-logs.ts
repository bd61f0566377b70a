/** `dynpart runs logs`: what a run printed. */
import type { LogLine } from '../../model/tick.ts';
import type { RunLogLine } from '../../state/store.ts';
import type { Context } from '../context.ts';
import type { RunLog } from '../json-results-of-runs.ts';
import { findRun } from '../find-run.ts';
import { clean } from '../../model/text.ts';

const FOLLOW_EVERY_MS = 300;

export async function run(
  { output, project, clock }: Context,
  { follow }: { readonly follow?: boolean },
  id: string,
): Promise<RunLog | null> {
  let run = await findRun(project.store, id);
  let shown = 0;
  const showNew = async (): Promise<readonly RunLogLine[]> => {
    const lines = await project.store.readLog(id);
    for (const line of lines.slice(shown)) {
      if (follow && output.options.json)
        output.printLine({
          id,
          asset: line.asset,
          attempt: line.attempt,
          line: { at: line.at, stream: line.stream, text: line.text },
        });
      else {
        // Older logs hold entries of several lines: each of them is a record of its own.
        for (const text of line.text.split('\n'))
          output.print(`${line.at}\t${line.asset}\t${line.attempt}\t${clean(text)}\n`);
      }
    }
    shown = lines.length;
    return lines;
  };
  let lines = await showNew();
  while (follow && (run.status === 'QUEUED' || run.status === 'STARTED')) {
    await clock.sleep(FOLLOW_EVERY_MS);
    run = await findRun(project.store, id);
    lines = await showNew();
  }
  if (follow) return null;
  if (lines.length === 0) output.chat(`run ${id} printed nothing`);
  return { id, attempts: byAttempt(lines) };
}

function byAttempt(lines: readonly RunLogLine[]): RunLog['attempts'] {
  const attempts = new Map<string, { asset: string; attempt: number; lines: LogLine[] }>();
  for (const { asset, attempt, at, stream, text } of lines) {
    const name = `${asset}\0${attempt}`;
    const known = attempts.get(name) ?? { asset, attempt, lines: [] };
    attempts.set(name, known);
    known.lines.push({ at, stream, text });
  }
  return [...attempts.values()];
}
