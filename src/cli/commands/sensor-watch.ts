/** `dynpart sensor watch`: the loop, every sensor at its own interval until SIGINT or SIGTERM, by the code as it is on the disk. */
import path from 'node:path';
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';
import { checkHasSensors } from '../../engine/sensors/tick-sensors.ts';
import { runTick } from '../../engine/sensors/run-tick.ts';
import { watch } from '../../engine/sensors/watch.ts';
import { RunSession, type RunSessionOptions } from '../../engine/runs/run-session.ts';
import type { Context } from '../context.ts';
import { SensorThreads } from '../isolation/evaluate-in-thread.ts';
import { endPrograms } from '../isolation/load-process-groups.ts';
import { hangUps, nextPipeline } from '../next-pipeline.ts';
import { type Session, withSession } from '../with-session.ts';

export async function run(
  context: Context,
  flags: { readonly concurrency?: number },
  names: readonly string[],
): Promise<null> {
  const choices = {
    concurrency: flags.concurrency,
    onInterrupt: 'release',
    keepsRuns: false,
    lasts: true,
  } as const;
  return withSession(
    context,
    choices,
    async (session) => {
      try {
        await watchAll(context, session, names);
      } finally {
        await endPrograms();
      }
    },
    () => null,
  );
}

/** One pipeline after the other, as its files are edited. What the last one has begun comes to its end beside the next one. */
async function watchAll(
  context: Context,
  { session: first, options: loaded, optionsNow }: Session,
  names: readonly string[],
): Promise<void> {
  const leaving = new Set<Promise<void>>();
  const hangUp = hangUps(!context.terminal.stderr.isTerminal);
  let [session, options] = [first, loaded];
  const usable = (pipeline: Pipeline): void => void chosen(context, pipeline, names);
  try {
    for (;;) {
      const edited = new AbortController();
      const over = new AbortController();
      const watching = watchOne(context, { session, options, names, edited: edited.signal }).finally(() =>
        over.abort(),
      );
      // Whatever keeps files from being looked at ends the watch, as what ends a loop does.
      const isNext = await nextPipeline(context, usable, { over: over.signal, hangUp }).catch(
        async (error: unknown) => {
          edited.abort();
          await watching;
          throw error;
        },
      );
      if (!isNext) return await watching;
      edited.abort();
      await watching;
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

interface OneWatch {
  readonly session: RunSession;
  readonly options: RunSessionOptions;
  readonly names: readonly string[];
  readonly edited: AbortSignal;
}

async function watchOne(context: Context, { session, options, names, edited }: OneWatch): Promise<void> {
  const { output, project } = context;
  const sensors = chosen(context, options.pipeline, names);
  const threads = new SensorThreads(path.join(context.ownFolder, 'evaluator.cjs'), {
    pipeline: project.userPipeline(),
    state: project.stateFile,
  });
  output.chat(`watching ${sensors.map(({ name }) => name).join(', ')}; end with Ctrl-C`);
  try {
    await watch({
      ...options,
      sensors,
      session,
      handsOver: edited,
      watchChanges: (onChange) => project.store.watchChanges(onChange),
      tick: (sensor) =>
        runTick(sensor, {
          ...options,
          evaluate: threads.evaluate,
          listsAllRuns: output.options.json,
          executor: session.executor,
          values: options.ioManager,
          ifBusy: 'skip',
          waitTimeoutMs: 0,
        }),
    });
  } finally {
    threads.endAll();
  }
}

function chosen({ project }: Context, pipeline: Pipeline, names: readonly string[]): SensorDefinition[] {
  for (const name of names) project.checkName('sensor', name, pipeline.sensors.keys());
  checkHasSensors(pipeline);
  return [...pipeline.sensors.values()].filter(({ name }) => names.length === 0 || names.includes(name));
}
