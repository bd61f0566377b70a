/** `dynpart sensor watch`: the loop, every sensor at its own interval until SIGINT or SIGTERM. */
import path from 'node:path';
import { fail } from '../../model/failure.ts';
import { runTick } from '../../engine/sensors/run-tick.ts';
import { watch } from '../../engine/sensors/watch.ts';
import type { Context } from '../context.ts';
import { SensorThreads } from '../isolation/evaluate-in-thread.ts';
import { endPrograms } from '../isolation/load-process-groups.ts';
import { withSession } from '../with-session.ts';

export async function run(
  context: Context,
  flags: { readonly concurrency?: number },
  names: readonly string[],
): Promise<null> {
  const { output, project } = context;
  return withSession(
    context,
    { concurrency: flags.concurrency, onInterrupt: 'release', keepsRuns: false, lasts: true },
    async ({ session, options }) => {
      const { pipeline } = options;
      for (const name of names) project.checkName('sensor', name, pipeline.sensors.keys());
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
        pipeline: project.userPipeline(),
        state: project.stateFile,
      });
      output.chat(`watching ${sensors.map(({ name }) => name).join(', ')}; end with Ctrl-C`);
      try {
        await watch({
          ...options,
          sensors,
          session,
          tick: (sensor) =>
            runTick(sensor, {
              ...options,
              evaluate: threads.evaluate,
              listsAllRuns: output.options.json,
              executor: session.executor,
              ifBusy: 'skip',
              waitTimeoutMs: 0,
            }),
        });
      } finally {
        threads.endAll();
        await endPrograms();
      }
    },
    () => null,
  );
}
