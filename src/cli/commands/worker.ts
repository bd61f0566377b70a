/** `dynpart worker`: takes queued runs and executes them. */
import { RunSession } from '../../engine/runs/run-session.ts';
import { work } from '../../engine/runs/work.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { wholeNumber } from '../command-line/options.ts';
import { EventRenderer } from '../render/event-renderer.ts';
import { sessionOptions } from '../run-options.ts';
import { printingRuns } from '../print-runs.ts';

export function workerCommand(program: Declaration): void {
  program
    .command('worker')
    .description('take queued runs and execute them until SIGINT or SIGTERM')
    .option('--once', 'until the queue is empty')
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .option('--summary', 'leave the list of runs out of --json')
    .action(worker);
}

async function worker(
  context: Context,
  flags: { readonly once?: boolean; readonly concurrency?: number; readonly summary?: boolean },
): Promise<void> {
  const once = flags.once ?? false;
  const renderer = new EventRenderer(context.output, { keepsRuns: once && !flags.summary, lasts: !once });
  const options = await sessionOptions(context, renderer, {
    concurrency: flags.concurrency,
    failFast: false,
    onInterrupt: 'release',
  });
  const session = new RunSession({
    ...options,
    emit: once ? options.emit : printingRuns(context, options.emit),
  });
  if (!once) context.output.chat('waiting for queued runs; end with Ctrl-C');
  try {
    await work(session, { clock: context.clock, interrupt: context.interrupts.signal, once });
  } finally {
    renderer.end();
    if (once)
      Object.assign(context.output.document, flags.summary ? {} : { runs: renderer.runs }, {
        summary: renderer.summary,
      });
    await session.leave();
  }
  if (!once) context.output.drained();
}
