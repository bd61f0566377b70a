/** What goes on until it is told to stop goes on by the code as it is on the disk: one pipeline after the other, as its files are edited. */
import type { Pipeline } from '../definitions/pipeline.ts';
import { RunSession, type RunSessionOptions } from '../engine/runs/run-session.ts';
import type { Context } from './context.ts';
import { hangUps, nextPipeline } from './next-pipeline.ts';
import { type ServiceManager, serviceManager } from './service-manager.ts';
import type { Session } from './with-session.ts';

/** The work by one pipeline. */
export interface Part {
  readonly session: RunSession;
  readonly options: RunSessionOptions;
  /** Ends it, but not what is being executed: that comes to its end beside the next part. */
  readonly handsOver: AbortSignal;
}

export interface Following {
  /** @throws FailureError where a pipeline cannot take the place of the last one */
  readonly usable: (pipeline: Pipeline) => void;
  readonly work: (part: Part) => Promise<void>;
  /** In a few words, for the service manager. */
  readonly doing: string;
}

export async function followEdits(context: Context, first: Session, following: Following): Promise<void> {
  const { output, terminal, interrupts } = context;
  const manager = serviceManager(terminal.env, output);
  const stop = (): void => manager?.stopping();
  for (const signal of [first.ending, interrupts.signal])
    signal.addEventListener('abort', stop, { once: true });
  try {
    await onePartAfterTheOther(context, first, { ...following, manager });
  } finally {
    manager?.end();
  }
}

async function onePartAfterTheOther(
  context: Context,
  { session: first, options: loaded, optionsNow, ending }: Session,
  { usable, work, doing, manager }: Following & { readonly manager: ServiceManager | null },
): Promise<void> {
  const leaving = new Set<Promise<void>>();
  const hangUp = hangUps(!context.terminal.stderr.isTerminal);
  let [session, options] = [first, loaded];
  try {
    // Before anybody is told that it has begun.
    usable(loaded.pipeline);
    manager?.ready(doing);
    for (;;) {
      const edited = new AbortController();
      const over = new AbortController();
      const end = (): void => edited.abort();
      ending.addEventListener('abort', end);
      if (ending.aborted) end();
      const working = work({ session, options, handsOver: edited.signal }).finally(() => {
        ending.removeEventListener('abort', end);
        over.abort();
      });
      // It may fail while the next look at the files is still waited for; it is thrown where it is awaited.
      working.catch(() => undefined);
      // Whatever keeps files from being looked at ends the work, as what fails in it does.
      const isNext = await nextPipeline(context, usable, { over: over.signal, hangUp }).catch(
        async (error: unknown) => {
          edited.abort();
          await working;
          throw error;
        },
      );
      edited.abort();
      await working;
      if (ending.aborted) return await session.handOver();
      if (!isNext) return;
      const left = session.handOver().finally(() => leaving.delete(left));
      // It is thrown where it is waited for.
      left.catch(() => undefined);
      leaving.add(left);
      options = await optionsNow();
      session = new RunSession(options);
    }
  } finally {
    hangUp.end();
    await session.leave();
    await Promise.all(leaving);
  }
}
