/** `dynpart sensor watch`: the loop, every sensor at its own interval until SIGINT or SIGTERM. */
import path from 'node:path';
import { fail } from '../../model/failure.ts';
import { RunSession } from '../../engine/runs/run-session.ts';
import { runTick } from '../../engine/sensors/run-tick.ts';
import { watch } from '../../engine/sensors/watch.ts';
import type { Context } from '../context.ts';
import { SensorThreads } from '../isolation/evaluate-in-thread.ts';
import { endPrograms } from '../isolation/load-process-groups.ts';
import { printingRuns } from '../print-runs.ts';
import { EventRenderer } from '../render/event-renderer.ts';
import { sessionOptions } from '../run-options.ts';

export async function watchSensors(
  context: Context,
  flags: { readonly concurrency?: number },
  names: readonly string[],
): Promise<void> {
  const renderer = new EventRenderer(context.output, { keepsRuns: false, lasts: true });
  const base = await sessionOptions(context, renderer, {
    concurrency: flags.concurrency,
    failFast: false,
    onInterrupt: 'release',
  });
  const options = { ...base, emit: printingRuns(context, base.emit) };
  const { pipeline } = options;
  for (const name of names) context.project.checkName('sensor', name, pipeline.sensors.keys());
  const sensors = [...pipeline.sensors.values()].filter(
    ({ name }) => names.length === 0 || names.includes(name),
  );
  if (sensors.length === 0)
    fail({
      reason: 'usage',
      message: 'the pipeline has no sensors',
      hint: 'add one to sensors of definePipeline',
    });
  const threads = new SensorThreads(path.join(context.ownFolder, 'evaluator.cjs'), {
    pipeline: context.project.userPipeline(),
    stateFile: context.project.store.file.path,
  });
  const session = new RunSession(options);
  context.output.chat(`watching ${sensors.map(({ name }) => name).join(', ')}; end with Ctrl-C`);
  try {
    await watch({
      ...options,
      sensors,
      session,
      tick: (sensor) =>
        runTick(sensor, {
          ...options,
          evaluate: threads.evaluate,
          dryRun: false,
          listsAllRuns: context.output.options.json,
          executor: session.executor,
          ifBusy: 'skip',
          waitTimeoutMs: 0,
        }),
    });
  } finally {
    threads.endAll();
    await endPrograms();
    renderer.end();
    await session.leave();
  }
  context.output.drained();
}
