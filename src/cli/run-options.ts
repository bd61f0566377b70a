/** Builds what a command needs to execute runs. */
import type { RunSessionOptions } from '../engine/runs/run-session.ts';
import type { Context } from './context.ts';
import { loadProcessGroups } from './isolation/load-process-groups.ts';
import { moreThreads } from './isolation/more-threads.ts';
import { hasLeftValues, valuesOf } from './stores.ts';
import type { EventRenderer } from './render/event-renderer.ts';

export interface RunChoices {
  readonly concurrency: number | undefined;
  readonly failFast: boolean;
  readonly onInterrupt: RunSessionOptions['onInterrupt'];
}

export async function sessionOptions(
  context: Context,
  renderer: EventRenderer,
  choices: RunChoices,
): Promise<RunSessionOptions> {
  moreThreads();
  context.interrupts.listen();
  const pipeline = await context.project.pipeline();
  return {
    store: context.project.store,
    pipeline,
    known: await context.project.loadedAsKnown(),
    ioManager: () => valuesOf(pipeline, context.project.store),
    hasLeftValues: () => hasLeftValues(pipeline, context.project.store),
    clock: context.clock,
    emit: renderer.emit,
    concurrency: choices.concurrency ?? pipeline.concurrency,
    failFast: choices.failFast,
    onInterrupt: choices.onInterrupt,
    interrupt: context.interrupts.signal,
    processes: loadProcessGroups,
  };
}
