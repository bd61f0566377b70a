/** `dynpart sensor tick`: evaluate now, commit, execute what was requested, end. Made for cron. */
import { fail } from '../../model/failure.ts';
import { describe } from '../../model/failure-words.ts';
import { printable, quoted } from '../../model/text.ts';
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';
import type { RunRecord, RunStatus } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import { forTick } from '../../engine/plan/claim-runs.ts';
import { evaluateHere } from '../../engine/sensors/evaluate-sensor.ts';
import { RunSession } from '../../engine/runs/run-session.ts';
import { runTick, type TickOutcome } from '../../engine/sensors/run-tick.ts';
import { sensorStatus } from '../../engine/sensors/sensor-status.ts';
import type { Context } from '../context.ts';
import { EventRenderer } from '../render/event-renderer.ts';
import { wordsForTick } from '../render/tick-words.ts';
import { endLeftPrograms } from '../end-left-programs.ts';
import { endPrograms } from '../isolation/load-process-groups.ts';
import { sessionOptions } from '../run-options.ts';

interface TickFlags {
  readonly due?: boolean;
  readonly dryRun?: boolean;
  readonly run: boolean;
  readonly ifBusy: 'skip' | 'wait' | 'fail';
  readonly waitTimeout?: number;
  readonly concurrency?: number;
}

export async function tick(context: Context, flags: TickFlags, names: readonly string[]): Promise<void> {
  const renderer = new EventRenderer(context.output, { keepsRuns: context.output.options.json });
  Object.assign(context.output.document, { ticks: [], resumed: [] });
  const pipeline = await context.project.pipeline();
  const sensors = await chosenSensors(context, pipeline, names, flags.due ?? false);
  const dryRun = flags.dryRun ?? false;
  const options = await sessionOptions(context, renderer, {
    concurrency: flags.concurrency,
    failFast: false,
    onInterrupt: 'release',
  });
  const session = new RunSession(options);
  if (!dryRun) await endLeftPrograms(context);
  const resumed = new Set<string>();
  // Of several sensors in one thread, the one that blocks it is to be told from the others.
  const stopFollowing =
    sensors.length > 1 ? (await import('../../engine/user-code/thread-turns.ts')).followTurns() : undefined;
  try {
    const outcomes = await Promise.all(
      sensors.map((sensor) =>
        runTick(sensor, {
          ...options,
          emit: dryRun ? () => undefined : options.emit,
          evaluate: evaluateHere(pipeline, context.clock, options.processes),
          dryRun,
          sharesThread: sensors.length > 1,
          listsAllRuns: dryRun || context.output.options.json,
          executor: flags.run && !dryRun ? session.executor : null,
          ifBusy: flags.ifBusy,
          waitTimeoutMs: flags.waitTimeout ?? Infinity,
        }),
      ),
    );
    stopFollowing?.();
    sayBlockedBy(context, outcomes, sensors);
    const ticks = outcomes.map((outcome) => outcome.tick);
    context.output.document['ticks'] = ticks;
    exitCodes(context, ticks, flags);
    if (dryRun) return printPlans(context, ticks);
    for (const { owned } of outcomes) await session.adopt(owned);
    if (flags.run) {
      const own = new Set(outcomes.flatMap(({ owned }) => owned.map(({ id }) => id)));
      await session.takeUp(forTick, forTick);
      await session.execute();
      await session.sayBlocked();
      for (const { id } of renderer.runs) if (!own.has(id)) resumed.add(id);
    }
  } finally {
    stopFollowing?.();
    renderer.end();
    report(context, renderer.runs, resumed);
    await session.leave();
    await endPrograms();
  }
}

async function chosenSensors(
  context: Context,
  pipeline: Pipeline,
  names: readonly string[],
  due: boolean,
): Promise<SensorDefinition[]> {
  for (const name of names) context.project.checkName('sensor', name, pipeline.sensors.keys());
  const view = await context.project.store.read({ sensors: 'all' });
  // A sensor that is named is ticked also when it is stopped: somebody wants to see what it does.
  const chosen =
    names.length > 0 ? [...new Set(names)].map((name) => pipeline.sensors.get(name)!) : running();
  if (pipeline.sensors.size === 0)
    fail({
      reason: 'usage',
      message: 'the pipeline has no sensors',
      hint: 'add one to sensors of definePipeline',
    });
  if (chosen.length === 0)
    context.output.chat('no sensor is running; start one: dynpart sensor start SENSOR');
  if (!due) return chosen;
  const now = context.clock.now();
  return chosen.filter((sensor) => {
    const before = view.sensor(sensor.name).lastTick;
    if (before === null) return true;
    const since = now - Date.parse(before.startedAt);
    // A last tick in the future: the clock was set back, and nobody knows for how long.
    return since < 0 || since >= sensor.minimumIntervalSeconds * 1000;
  });

  function running(): SensorDefinition[] {
    return [...pipeline.sensors.values()].filter((sensor) => sensorStatus(view, sensor) === 'RUNNING');
  }
}

/** A sensor that is only asked for beside the one that blocks its process: that one is named, once. */
function sayBlockedBy(
  context: Context,
  outcomes: readonly TickOutcome[],
  sensors: readonly SensorDefinition[],
): void {
  for (const { blockedBy } of outcomes) {
    if (blockedBy?.reason !== 'sensor-stuck') continue;
    if (!sensors.some(({ name }) => name === blockedBy.sensor)) return context.output.fail(blockedBy);
  }
}

function exitCodes(context: Context, ticks: readonly TickRecord[], { ifBusy }: TickFlags): void {
  for (const { sensor: name, status, busy } of ticks) {
    if (status === 'FAILURE') context.output.exitWith(3);
    if (status !== 'BUSY' || ifBusy === 'skip') continue;
    context.output.exitWith(4);
    if (busy !== null) context.output.sayProblem(describe({ reason: 'sensor-busy', sensor: name, ...busy }));
  }
}

/** The runs of the ticks as they ended, and those that other processes had left behind. */
function report(context: Context, runs: readonly RunRecord[], resumed: ReadonlySet<string>): void {
  // A hundred thousand records are not copied for nobody.
  if (!context.output.options.json) return;
  const statuses = new Map<string | null, RunStatus>(runs.map(({ id, status }) => [id, status]));
  const ticks = context.output.document['ticks'] as readonly TickRecord[];
  context.output.document['ticks'] = ticks.map((one) => ({
    ...one,
    runs: one.runs.map((run) => ({ ...run, status: statuses.get(run.id) ?? run.status })),
  }));
  context.output.document['resumed'] = runs.filter(({ id }) => resumed.has(id));
}

function printPlans(context: Context, ticks: readonly TickRecord[]): void {
  for (const plan of ticks) {
    if (plan.error !== null) context.output.sayProblem(plan.error);
    context.output.chat(`${plan.sensor}: would be: ${wordsForTick(plan)}`);
    for (const { set, added, removed } of plan.partitions) {
      context.output.print(added.map((key) => `${plan.sensor}\tadd\t${set}\t${printable(key)}\n`).join(''));
      context.output.print(
        removed.map((key) => `${plan.sensor}\tremove\t${set}\t${printable(key)}\n`).join(''),
      );
    }
    context.output.print(
      plan.runs
        .map(
          ({ partitionKey, assets }) =>
            `${plan.sensor}\trun\t${assets.join(',')}\t${partitionKey === null ? '' : printable(partitionKey)}\n`,
        )
        .join(''),
    );
    const { before, after } = plan.cursor;
    if (before !== after)
      context.output.print(
        `${plan.sensor}\tcursor\t${before === null ? '' : quoted(before)}\t${quoted(after ?? '')}\n`,
      );
  }
}
