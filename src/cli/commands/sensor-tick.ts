/** `dynpart sensor tick`: evaluate now, commit, execute what was requested, end. Made for cron. */
import { describe } from '../../model/describe-failure.ts';
import { printable, quoted } from '../../model/text.ts';
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';
import { AUTOMATION } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import { forTick } from '../../engine/plan/executors/take-up.ts';
import type { TickStore } from '../../engine/sensors/dry-run-store.ts';
import { evaluateHere } from '../../engine/sensors/evaluate-sensor.ts';
import type { TickOutcome } from '../../engine/sensors/commit-tick.ts';
import { runTick } from '../../engine/sensors/run-tick.ts';
import { checkHasSensors, chooseSensors, tickInOrder, withEnds } from '../../engine/sensors/tick-sensors.ts';
import { dueSensors } from '../../engine/sensors/due.ts';
import type { StateStore } from '../../state/store.ts';
import { checkName } from '../check-names.ts';
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
  readonly for?: number;
  readonly concurrency?: number;
}

export async function run(context: Context, flags: TickFlags, names: readonly string[]): Promise<Ticked> {
  const { output, clock } = context;
  const { json } = output.options;
  const { dryRun = false, due = false, run: executes, ifBusy, waitTimeout = Infinity, concurrency } = flags;
  const forMs = flags.for;
  let outcomes: readonly TickOutcome[] = [];
  output.soFar({ ticks: [], resumed: [] });
  try {
    return await withSession(
      context,
      { concurrency, forMs, onInterrupt: 'release', keepsRuns: json, isDryRun: dryRun },
      async ({ session, options }) => {
        const { pipeline } = options;
        const sensors = await chosenSensors(context, pipeline, { names, due });
        if (!dryRun) await endLeftPrograms(context);
        const store = dryRun ? await thatIsNotWritten(options.store) : options.store;
        const tickOf = (sensor: SensorDefinition, sharesThread: boolean): Promise<TickOutcome> =>
          runTick(sensor, {
            ...options,
            store,
            emit: dryRun ? () => undefined : options.emit,
            evaluate: evaluateHere(pipeline, clock, options.processes),
            sharesThread,
            listsAllRuns: dryRun || json,
            executor: executes ? session.executor : null,
            values: dryRun ? null : options.ioManager,
            ifBusy,
            waitTimeoutMs: waitTimeout,
          });
        if (!dryRun && sensors.some(({ name }) => name === AUTOMATION)) await sayBacklog(context);
        await tickInOrder(sensors, tickOf, (ticked) => (outcomes = ticked));
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

/** Only to look is rare. */
async function thatIsNotWritten(store: StateStore): Promise<TickStore> {
  const { DryRunStore } = await import('../../engine/sensors/dry-run-store.ts');
  return new DryRunStore(store);
}

async function sayBacklog(context: Context): Promise<void> {
  const { project, output } = context;
  if (!(await project.hasNews())) return;
  const { backlogOf } = await import('../backlog.ts');
  for (const line of await backlogOf(project)) output.warn(line);
}

async function chosenSensors(
  { output, project, clock }: Context,
  pipeline: Pipeline,
  { names, due }: { readonly names: readonly string[]; readonly due: boolean },
): Promise<readonly SensorDefinition[]> {
  for (const name of names) checkName('sensor', name, pipeline.sensors.keys());
  const view = await project.store.read({ sensors: 'all' });
  const chosen = chooseSensors(pipeline.sensors, view, names);
  checkHasSensors(pipeline);
  if (chosen.length === 0) output.chat('no sensor is running; start one: dynpart sensor start SENSOR');
  return due ? dueSensors(chosen, view, clock.now()) : chosen;
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
