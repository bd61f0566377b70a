/** `dynpart worker`: takes queued runs and executes them. */
import { work } from '../../engine/runs/worker-loop.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { wholeNumber } from '../command-line/options.ts';
import type { Executed } from '../json-results-of-runs.ts';
import { executed, withSession } from '../with-session.ts';

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
  {
    once = false,
    summary = false,
    concurrency,
  }: { readonly once?: boolean; readonly concurrency?: number; readonly summary?: boolean },
): Promise<Executed | null> {
  const { output, clock, interrupts, project } = context;
  return withSession(
    context,
    { concurrency, onInterrupt: 'release', keepsRuns: once && !summary, lasts: !once },
    async ({ session, options }) => {
      if (!once) output.chat('waiting for queued runs; end with Ctrl-C');
      const { store } = project;
      // With a file, other processes of this machine are let in by their slots.
      const sharing =
        'database' in store
          ? {
              shares: options.concurrency,
              watchChanges: (onChange: () => void) => store.watchChanges(onChange),
            }
          : {};
      await work(session, { clock, interrupt: interrupts.signal, once, ...sharing });
    },
    (ended) => (once ? executed(ended, summary) : null),
  );
}
