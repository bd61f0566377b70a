/** `dynpart sensor tick`: evaluate now, commit, execute what was requested, end. Made for cron. */
import { fail } from '../../model/failure.ts';
import { describe } from '../../model/describe-failure.ts';
import { printable, quoted } from '../../model/text.ts';
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';
import { AUTOMATION, type RunRecord, type RunStatus } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import { forTick } from '../../engine/plan/executors/claim-runs.ts';
import { evaluateHere } from '../../engine/sensors/evaluate-sensor.ts';
import { runTick, type TickOutcome } from '../../engine/sensors/run-tick.ts';
import { sensorStatus } from '../../engine/sensors/sensor-status.ts';
import type { Context } from '../context.ts';
import { wordsForTick } from '../render/tick-words.ts';
import { endLeftPrograms } from '../end-left-programs.ts';
import { endPrograms } from '../isolation/load-process-groups.ts';
import type { Output } from '../output.ts';
import type { Ticked } from '../json-results.ts';
import { withSession } from '../with-session.ts';

interface TickFlags {
  readonly due?: boolean;
  readonly dryRun?: boolean;
  readonly run: boolean;
  readonly ifBusy: 'skip' | 'wait' | 'fail';
  readonly waitTimeout?: number;
  readonly concurrency?: number;
}

export async function run(context: Context, flags: TickFlags, names: readonly string[]): Promise<Ticked> {
  const { output, clock } = context;
  const { json } = output.options;
  const { dryRun = false, due = false, run: executes, ifBusy, waitTimeout = Infinity, concurrency } = flags;
  let outcomes: readonly TickOutcome[] = [];
  output.soFar({ ticks: [], resumed: [] });
  try {
    return await withSession(
      context,
      { concurrency, onInterrupt: 'release', keepsRuns: json },
      async ({ session, options }) => {
        const { pipeline } = options;
        const sensors = await chosenSensors(context, pipeline, { names, due });
        const automation = sensors.find(({ name }) => name === AUTOMATION);
        const others = sensors.filter((sensor) => sensor !== automation);
        if (!dryRun) await endLeftPrograms(context);
        const tickOf = (sensor: SensorDefinition): Promise<TickOutcome> =>
          runTick(sensor, {
            ...options,
            emit: dryRun ? () => undefined : options.emit,
            evaluate: evaluateHere(pipeline, clock, options.processes),
            dryRun,
            sharesThread: others.length > 1,
            listsAllRuns: dryRun || json,
            executor: executes && !dryRun ? session.executor : null,
            ifBusy,
            waitTimeoutMs: waitTimeout,
          });
        if (automation !== undefined && !dryRun) await sayBacklog(context);
        outcomes = await inOneThread(others, tickOf);
        // Last: what the others have found is to be made.
        if (automation !== undefined) outcomes = [...outcomes, await tickOf(automation)];
        sayBlockedBy(output, outcomes, sensors);
        const ticks = outcomes.map((outcome) => outcome.tick);
        setExitCode(output, ticks, ifBusy);
        if (dryRun) return printPlans(output, ticks);
        for (const { owned } of outcomes) await session.adopt(owned);
        if (!executes) return;
        await session.takeUp(forTick, forTick);
        await session.execute();
        await session.sayBlocked();
      },
      ({ runs }) => withEnds(outcomes, runs),
    );
  } finally {
    await endPrograms();
  }
}

async function sayBacklog(context: Context): Promise<void> {
  const { project, output } = context;
  if (!(await project.hasNews())) return;
  const { backlogOf } = await import('../backlog.ts');
  for (const line of await backlogOf(project)) output.warn(line);
}

/** Of several sensors in one thread, the one that blocks it is to be told from the others. */
async function inOneThread(
  sensors: readonly SensorDefinition[],
  tickOf: (sensor: SensorDefinition) => Promise<TickOutcome>,
): Promise<readonly TickOutcome[]> {
  if (sensors.length < 2) return Promise.all(sensors.map(tickOf));
  const { followTurns } = await import('../../engine/user-code/thread-turns.ts');
  const stopFollowing = followTurns();
  try {
    return await Promise.all(sensors.map(tickOf));
  } finally {
    stopFollowing();
  }
}

/** The runs of the ticks as they ended, and those that other processes had left behind. */
function withEnds(outcomes: readonly TickOutcome[], runs: readonly RunRecord[]): Ticked {
  // A hundred thousand records are not copied for nobody: without --json no runs are kept.
  if (runs.length === 0) return { ticks: outcomes.map((outcome) => outcome.tick), resumed: [] };
  const statuses = new Map<string | null, RunStatus>(runs.map(({ id, status }) => [id, status]));
  const own = new Set(outcomes.flatMap(({ owned }) => owned.map(({ id }) => id)));
  return {
    ticks: outcomes.map(({ tick: one }) => ({
      ...one,
      runs: one.runs.map((queued) => ({ ...queued, status: statuses.get(queued.id) ?? queued.status })),
    })),
    resumed: runs.filter(({ id }) => !own.has(id)),
  };
}

async function chosenSensors(
  { output, project, clock }: Context,
  pipeline: Pipeline,
  { names, due }: { readonly names: readonly string[]; readonly due: boolean },
): Promise<SensorDefinition[]> {
  for (const name of names) project.checkName('sensor', name, pipeline.sensors.keys());
  const view = await project.store.read({ sensors: 'all' });
  // A sensor that is named is ticked also when it is stopped: somebody wants to see what it does.
  const chosen =
    names.length > 0 ? [...new Set(names)].map((name) => pipeline.sensors.get(name)!) : running();
  if (pipeline.sensors.size === 0)
    fail({
      reason: 'usage',
      message: 'the pipeline has no sensors',
      hint: 'add one to sensors of definePipeline',
    });
  if (chosen.length === 0) output.chat('no sensor is running; start one: dynpart sensor start SENSOR');
  if (!due) return chosen;
  const now = clock.now();
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
  output: Output,
  outcomes: readonly TickOutcome[],
  sensors: readonly SensorDefinition[],
): void {
  for (const { blockedBy } of outcomes) {
    if (blockedBy?.reason !== 'sensor-stuck') continue;
    if (!sensors.some(({ name }) => name === blockedBy.sensor)) return output.fail(blockedBy);
  }
}

function setExitCode(output: Output, ticks: readonly TickRecord[], ifBusy: TickFlags['ifBusy']): void {
  for (const { sensor: name, status, busy, failures } of ticks) {
    if (status === 'FAILURE' || failures.length > 0) output.exitWith(3);
    if (status !== 'BUSY' || ifBusy === 'skip') continue;
    output.exitWith(4);
    if (busy !== null) output.sayProblem(describe({ reason: 'sensor-busy', sensor: name, ...busy }));
  }
}

function printPlans(output: Output, ticks: readonly TickRecord[]): void {
  for (const plan of ticks) {
    if (plan.error !== null) output.sayProblem(plan.error);
    if (plan.failures.length > 0) output.sayProblem(describe({ reason: 'source-failed', ...plan }));
    output.chat(`${plan.sensor}: would be: ${wordsForTick(plan)}`);
    for (const { set, added, updated, removed } of plan.partitions) {
      output.print(added.map((key) => `${plan.sensor}\tadd\t${set}\t${printable(key)}\n`).join(''));
      output.print(updated.map((key) => `${plan.sensor}\tupdate\t${set}\t${printable(key)}\n`).join(''));
      output.print(removed.map((key) => `${plan.sensor}\tremove\t${set}\t${printable(key)}\n`).join(''));
    }
    output.print(
      plan.runs
        .map(
          ({ partitionKey, assets }) =>
            `${plan.sensor}\trun\t${assets.join(',')}\t${partitionKey === null ? '' : printable(partitionKey)}\n`,
        )
        .join(''),
    );
    const { before, after } = plan.cursor;
    if (before !== after)
      output.print(
        `${plan.sensor}\tcursor\t${before === null ? '' : quoted(before)}\t${quoted(after ?? '')}\n`,
      );
  }
}
