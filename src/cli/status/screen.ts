/** `dynpart status` on a terminal: everything on one screen, in as many columns as there are. */
import { blockedProcesses } from '../../engine/plan/executors/blocked.ts';
import { poolsWaitedFor } from '../pools-waited-for.ts';
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import { describe } from '../../model/describe-failure.ts';
import { runsIn } from '../../model/pending-run.ts';
import { clean, counted, duration, grouped, printable } from '../../model/text.ts';
import { isFailing } from '../../model/tick.ts';
import { incidentLine, type OpenIncident } from '../../report/open-incidents.ts';
import type { AssetReport, SensorReport, StatusReport } from '../../report/status-report.ts';
import type { StateView } from '../../state/state-view.ts';
import { type NextTick, nextTickOf } from '../../engine/sensors/due.ts';
import type { Context } from '../context.ts';
import type { Output } from '../output.ts';
import { bar, barCounts, LEAST_PLACES } from '../render/bar.ts';
import { fitted } from '../render/fitted.ts';
import { inOneLine, type Looked } from '../../report/to-do.ts';
import { readAttention } from './read-attention.ts';

/** Fewer columns than these have no room for a table. */
const TABLE_COLUMNS = 78;

/** More assets than these are no screen: those that are all made are told together. */
const MOST_ASSETS = 30;

/** So many sensors are told one by one. */
const MOST_SENSORS = 10;

/** So many runs that are at work are named. */
const MOST_RUNS = 5;

export async function printScreen(
  context: Context,
  report: StatusReport,
  asked: {
    readonly known: KnownPipeline;
    readonly isWhole: boolean;
    readonly incidents: readonly OpenIncident[];
  },
): Promise<void> {
  const { output, project } = context;
  const { known } = asked;
  const { assets, sensors } = report;
  const isLong = assets.length > MOST_ASSETS && !output.options.verbose;
  const unmade = isLong ? assets.filter((one) => !isMade(one)) : assets;
  const shown = isLong
    ? unmade.toSorted((one, other) => Number(other.failed > 0) - Number(one.failed > 0)).slice(0, MOST_ASSETS)
    : assets;
  if (output.terminal.stdout.columns < TABLE_COLUMNS) await printNarrow(output, shown);
  else if (shown.length > 0) await printTable(output, shown);
  if (shown.length < unmade.length)
    output.print(
      output.toPaste(
        `${counted(unmade.length - shown.length, 'more asset')} with something to make: dynpart status -v\n`,
      ),
    );
  if (unmade.length < assets.length)
    output.print(`${counted(assets.length - unmade.length, 'asset')} with all keys made\n`);
  const view = await project.store.read({ runs: ['all'], executors: true });
  const lines = [
    ...(await sensorLines(context, sensors, known)),
    ...runLines(context, view),
    ...incidentLines(context, asked.incidents),
    ...(await attentionLines(context, report, asked)),
  ];
  const fit = await fitted(output.terminal.stdout.columns);
  for (const { text, isCommand, paint } of lines) {
    const whole = output.toPaste(text);
    // Half a command could not be pasted.
    const line = isCommand || whole !== text ? clean(whole) : fit(clean(text));
    output.print(`${paint === undefined ? line : output.paint.stdout[paint](line)}\n`);
  }
}

interface Line {
  readonly text: string;
  readonly isCommand?: true;
  readonly paint?: 'bad' | 'warn' | 'dim';
}

async function printTable(output: Output, assets: readonly AssetReport[]): Promise<void> {
  const paint = output.paint.stdout;
  // Only where there are any: most pipelines have none.
  const more = MORE.filter(({ of }) => assets.some((one) => one[of] > 0));
  await output.table({
    columns: [
      { title: 'ASSET' },
      { title: 'SET' },
      ...['TOTAL', 'MATERIALIZED', 'FAILED', 'IN PROGRESS', 'MISSING', ...more.map(({ title }) => title)].map(
        (title) => ({ title, align: 'right' as const, keeps: 'all' as const }),
      ),
      { title: '', fills: LEAST_PLACES },
    ],
    rows: assets.map((one) => [
      one.asset,
      one.set ?? '-',
      grouped(one.total),
      { text: grouped(one.materialized), ...(one.materialized > 0 && { paint: 'good' as const }) },
      { text: grouped(one.failed), ...(one.failed > 0 && { paint: 'bad' as const }) },
      grouped(one.inProgress),
      { text: grouped(one.missing), ...(one.missing > 0 && { paint: 'warn' as const }) },
      ...more.map(({ of, paint: style }) => ({
        text: grouped(one[of]),
        ...(one[of] > 0 && { paint: style }),
      })),
      { text: '', fill: (places: number) => bar(barCounts(one), places, paint) },
    ]),
  });
}

const MORE = [
  { title: 'STALE', of: 'stale', paint: 'warn' },
  { title: 'SKIPPED', of: 'skipped', paint: 'dim' },
  { title: 'BACKLOG', of: 'backlog', paint: 'dim' },
] as const;

/** Two lines an asset: its name and how much of it is made, then the bar and what is not. */
async function printNarrow(output: Output, assets: readonly AssetReport[]): Promise<void> {
  const { columns } = output.terminal.stdout;
  const paint = output.paint.stdout;
  const fit = await fitted(columns);
  for (const one of assets) {
    const counts = `${grouped(one.materialized)} of ${grouped(one.total)}`;
    const name = (await fitted(Math.max(4, columns - counts.length - 2)))(clean(one.asset));
    const rest = (
      [
        [one.failed, 'failed'],
        [one.stale, 'stale'],
        [one.inProgress, 'in progress'],
        [one.missing - one.backlog, 'missing'],
        [one.backlog, 'backlog'],
        [one.skipped, 'skipped'],
      ] as const
    ).flatMap(([count, word]) => (count === 0 ? [] : [`${grouped(count)} ${word}`]));
    output.print(`${fit(`${name}  ${counts}`)}\n`);
    const places = Math.max(LEAST_PLACES, Math.min(16, columns - 4));
    const words = (await fitted(Math.max(1, columns - places - 4)))(rest.join(', '));
    output.print(
      `  ${bar(barCounts(one), places, paint)}${rest.length === 0 || columns < places + 8 ? '' : `  ${words}`}\n`,
    );
  }
}

function isMade({ materialized, stale, skipped, total }: AssetReport): boolean {
  return materialized - stale + skipped === total;
}

function ticksWell(sensor: SensorReport): boolean {
  const { status, lastTick, overdue } = sensor;
  return status === 'RUNNING' && lastTick !== null && !isFailing(sensor) && !overdue;
}

/** Of many sensors those that are well are told together. */
async function sensorLines(
  context: Context,
  sensors: readonly SensorReport[],
  known: KnownPipeline,
): Promise<Line[]> {
  const shown = sensors.length > MOST_SENSORS ? sensors.filter((one) => !ticksWell(one)) : sensors;
  const rest = sensors.length - shown.length;
  const nextTick = await nextTickOf(known.sensors);
  return [
    ...shown.slice(0, MOST_SENSORS).map((sensor) => sensorLine(context, sensor, { known, nextTick })),
    ...(rest > 0 || shown.length > MOST_SENSORS
      ? [
          {
            text: `${counted(sensors.length - Math.min(shown.length, MOST_SENSORS), 'more sensor')}: dynpart sensor list`,
          },
        ]
      : []),
  ];
}

function sensorLine(
  { output, clock }: Context,
  report: SensorReport,
  { known, nextTick }: { readonly known: KnownPipeline; readonly nextTick: NextTick },
): Line {
  const { sensor, status, lastTick, overdue } = report;
  if (status === 'STOPPED')
    return { text: `sensor ${sensor}: stopped; dynpart sensor start ${sensor}`, paint: 'warn' };
  if (lastTick === null)
    return { text: `sensor ${sensor}: no tick yet`, ...(overdue && { paint: 'bad' as const }) };
  const times = known.sensors.find(({ name }) => name === sensor);
  // One without an interval follows all others.
  const isTimed = times !== undefined && (times.minimumIntervalSeconds > 0 || times.cron != null);
  const wait = isTimed ? nextTick(times, Date.parse(lastTick.startedAt)) - clock.now() : 0;
  const next = !isTimed ? '' : `, next ${wait <= 0 ? 'due' : `due in ${duration(wait)}`}`;
  return {
    text: `sensor ${sensor}: ${lastTick.status} ${output.when(lastTick.finishedAt)}${overdue ? ', no new keys' : ''}${next}`,
    ...((isFailing(report) || overdue) && { paint: 'bad' as const }),
  };
}

/** What runs now, for how long and whose; and what waits. */
function runLines({ clock }: Context, view: StateView): Line[] {
  const executors = new Map(view.executors().map((one) => [one.id, one]));
  const running: Line[] = [];
  let [queued, forWorker, left] = [0, 0, 0];
  for (const runs of view.runs()) {
    const owner = runs.owner === null ? undefined : executors.get(runs.owner);
    for (const run of runsIn(runs)) {
      const startedAt = run.startedAt ?? owner?.begun.get(run.id) ?? null;
      if (owner?.alive !== true) {
        if (runs.origin === 'worker' && runs.owner === null) forWorker++;
        else left++;
      } else if (startedAt === null) queued++;
      else {
        const key = run.partitionKey === null ? '' : ` for ${printable(run.partitionKey)}`;
        const since = duration(Math.max(0, clock.now() - Date.parse(startedAt)));
        running.push({
          text: `running ${runs.assets.join(', ')}${key}: ${since}, process ${owner.pid} on ${owner.host}`,
        });
      }
    }
  }
  const more = running.length - MOST_RUNS;
  const blocked = blockedProcesses(view).map(({ failure }): Line => {
    const { message, hint } = describe(failure);
    return { text: `${message}; ${hint ?? ''}`, paint: 'bad' };
  });
  return [
    ...blocked,
    ...running.slice(0, MOST_RUNS),
    ...(more > 0 ? [{ text: `and ${grouped(more)} more: dynpart runs list --status STARTED` }] : []),
    ...(queued > 0 ? [{ text: `${grouped(queued)} queued` }] : []),
    ...poolsWaitedFor([...executors.values()]).map((text): Line => ({ text })),
    ...(forWorker > 0
      ? [{ text: `${grouped(forWorker)} wait for a worker: dynpart worker --once`, paint: 'warn' as const }]
      : []),
    ...(left > 0
      ? [
          {
            text: `${grouped(left)} left by a process that ended: dynpart sensor tick`,
            paint: 'warn' as const,
          },
        ]
      : []),
  ];
}

/** Who is told by `notify` finds here what it goes on about. */
function incidentLines({ output }: Context, incidents: readonly OpenIncident[]): Line[] {
  const text = incidentLine(incidents, (since) => output.when(since));
  return text === null ? [] : [{ text, paint: 'bad' }];
}

async function attentionLines(
  context: Context,
  report: StatusReport,
  asked: Pick<Looked, 'known' | 'isWhole'>,
): Promise<Line[]> {
  const found = await readAttention(context, report, asked);
  return found.flatMap(({ what, paint, ...commands }) => [
    { text: what, paint },
    { text: `  ${inOneLine(commands)}`, isCommand: true as const, paint: 'dim' as const },
  ]);
}
