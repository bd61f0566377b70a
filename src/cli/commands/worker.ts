/** `dynpart worker`: takes queued runs and executes them. */
import { work } from '../../engine/runs/worker-loop.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { age, wholeNumber } from '../command-line/options.ts';
import type { Executed } from '../json-results-of-runs.ts';
import type { Part } from '../follow-edits.ts';
import { executed, type Session, withSession } from '../with-session.ts';

export function workerCommand(program: Declaration): void {
  program
    .command('worker')
    .description('take queued runs and execute them until SIGINT or SIGTERM')
    .option('--once', 'until the queue is empty')
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .option(
      '--grace <duration>',
      'told to end, what runs may go on for so long (60s); without it, it is aborted at once',
      age('--grace', '60s'),
    )
    .option('--summary', 'leave the list of runs out of --json')
    .action(worker);
}

interface Flags {
  readonly once?: boolean;
  readonly concurrency?: number;
  readonly grace?: number;
  readonly summary?: boolean;
}

async function worker(context: Context, flags: Flags): Promise<Executed | null> {
  const { once = false, summary = false, concurrency, grace } = flags;
  return withSession(
    context,
    { concurrency, graceMs: grace, onInterrupt: 'release', keepsRuns: once && !summary, lasts: !once },
    async (session) => {
      if (once) return workUntilEmpty(context, session);
      context.project.sayIfNowhere();
      context.output.chat('waiting for queued runs; end with Ctrl-C');
      const { followEdits } = await import('../follow-edits.ts');
      await followEdits(context, session, {
        usable: () => undefined,
        work: (part) => workBy(context, part),
        doing: 'executing queued runs',
      });
    },
    (ended) => (once ? executed(ended, summary) : null),
  );
}

async function workUntilEmpty(
  context: Context,
  { session, options, ending, counts }: Session,
): Promise<void> {
  await workBy(context, { session, options, handsOver: ending, once: true });
  if (counts.total === 0 && !ending.aborted)
    context.output.chat('nothing to do: no run is queued for this worker');
  if (ending.aborted) await session.handOver();
}

async function workBy(
  { clock, interrupts, project }: Context,
  { session, options, handsOver, once = false }: Part & { readonly once?: boolean },
): Promise<void> {
  const { store } = project;
  const isDatabase = 'database' in store;
  await work(session, {
    clock,
    interrupt: interrupts.signal,
    once,
    handsOver,
    ...(once && !isDatabase
      ? {}
      : { watchChanges: (onChange) => store.watchChanges(onChange), hearsAll: !isDatabase }),
    // With a file, other processes of this machine are let in by their slots.
    ...(isDatabase ? { shares: options.concurrency } : {}),
  });
}
