/** `dynpart sensor watch`: the loop, every sensor at its own interval until SIGINT or SIGTERM, by the code as it is on the disk. */
import path from 'node:path';
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';
import { checkHasSensors } from '../../engine/sensors/tick-sensors.ts';
import { runTick } from '../../engine/sensors/run-tick.ts';
import { watch } from '../../engine/sensors/watch.ts';
import { checkName } from '../check-names.ts';
import type { Context } from '../context.ts';
import { SensorThreads } from '../isolation/evaluate-in-thread.ts';
import { endPrograms } from '../isolation/load-process-groups.ts';
import { followEdits, type Part } from '../follow-edits.ts';
import { withSession } from '../with-session.ts';

export async function run(
  context: Context,
  flags: { readonly concurrency?: number; readonly grace?: number },
  names: readonly string[],
): Promise<null> {
  const choices = {
    concurrency: flags.concurrency,
    graceMs: flags.grace,
    onInterrupt: 'release',
    keepsRuns: false,
    lasts: true,
  } as const;
  return withSession(
    context,
    choices,
    async (session) => {
      try {
        await followEdits(context, session, {
          usable: (pipeline) => void chosen(pipeline, names),
          work: (part) => watchOne(context, names, part),
          doing: names.length === 0 ? 'watching all sensors' : `watching ${names.join(', ')}`,
        });
      } finally {
        await endPrograms();
      }
    },
    () => null,
  );
}

async function watchOne(
  context: Context,
  names: readonly string[],
  { session, options, handsOver }: Part,
): Promise<void> {
  const { output, project } = context;
  const sensors = chosen(options.pipeline, names);
  const threads = new SensorThreads(path.join(context.ownFolder, 'evaluator.cjs'), {
    pipeline: await project.userPipeline(),
    state: project.stateFile,
  });
  output.chat(`watching ${sensors.map(({ name }) => name).join(', ')}; end with Ctrl-C`);
  try {
    await watch({
      ...options,
      sensors,
      session,
      handsOver,
      jitter: 0.05,
      watchChanges: (onChange) => project.store.watchChanges(onChange),
      hearsAll: !('database' in project.store),
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

function chosen(pipeline: Pipeline, names: readonly string[]): SensorDefinition[] {
  for (const name of names) checkName('sensor', name, pipeline.sensors.keys());
  checkHasSensors(pipeline);
  return [...pipeline.sensors.values()].filter(({ name }) => names.length === 0 || names.includes(name));
}
