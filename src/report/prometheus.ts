/** A status in the text format of Prometheus (version 0.0.4), for what collects figures. Pure. */
import { isFailing } from '../model/tick.ts';
import type { IncidentRecord } from '../model/incident.ts';
import type { Millis } from '../model/time.ts';
import type { StatusReport } from './status-report.ts';

type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly (readonly [labels: Labels, value: number])[];
}

export interface Measured {
  readonly report: StatusReport;
  readonly incidents: readonly IncidentRecord[];
  /** The state's, which counts its commits. */
  readonly serial: number;
  readonly now: Millis;
}

/** @returns lines, each with its end. What there is nothing of is left out, but for counts. */
export function prometheusText(measured: Measured): string {
  return metricsOf(measured)
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, samples }) =>
      [
        `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`,
        `# TYPE ${name} gauge\n`,
        ...samples.map(([labels, value]) => `${name}${labelsOf(labels)} ${value}\n`),
      ].join(''),
    )
    .join('');
}

function metricsOf({ report, incidents, serial, now }: Measured): Metric[] {
  const { assets, sensors, workers } = report;
  const ticked = sensors.flatMap(({ sensor, lastTick }) =>
    lastTick === null ? [] : [{ sensor, at: Date.parse(lastTick.finishedAt) }],
  );
  const open = incidents.filter(({ over }) => over === undefined);
  return [
    {
      name: 'dynpart_keys',
      help: 'Keys of an asset by their state; each key counts once.',
      samples: assets.flatMap((one) =>
        (
          [
            ['materialized', one.materialized],
            ['failed', one.failed],
            ['skipped', one.skipped],
            ['missing', one.missing],
            ['in_progress', one.inProgress],
          ] as const
        ).map(([state, count]) => [{ ...ofAsset(one), state }, count] as const),
      ),
    },
    {
      name: 'dynpart_keys_stale',
      help: 'Materialized keys of an asset that are to be made again.',
      samples: assets.map((one) => [ofAsset(one), one.stale]),
    },
    {
      name: 'dynpart_keys_backlog',
      help: 'Missing keys of an asset from before it was automated.',
      samples: assets.map((one) => [ofAsset(one), one.backlog]),
    },
    {
      name: 'dynpart_asset_made_timestamp_seconds',
      help: 'When an asset was made last, for whatever key.',
      samples: assets.flatMap((one) =>
        one.madeAt === null ? [] : [[ofAsset(one), Date.parse(one.madeAt) / 1000] as const],
      ),
    },
    {
      name: 'dynpart_asset_overdue',
      help: 'Whether an asset is older than its freshFor.fail.',
      samples: assets.map((one) => [ofAsset(one), Number(one.overdue)]),
    },
    {
      name: 'dynpart_sensor_running',
      help: 'Whether a sensor ticks, and was not stopped.',
      samples: sensors.map(({ sensor, status }) => [{ sensor }, Number(status === 'RUNNING')]),
    },
    {
      name: 'dynpart_sensor_failing',
      help: 'Whether the last tick of a sensor failed, wholly or in part.',
      samples: sensors.map((one) => [{ sensor: one.sensor }, Number(isFailing(one))]),
    },
    {
      name: 'dynpart_sensor_overdue',
      help: 'Whether a sensor has brought no new key for longer than its expectNewKeysEvery.',
      samples: sensors.map(({ sensor, overdue }) => [{ sensor }, Number(overdue)]),
    },
    {
      name: 'dynpart_sensor_last_tick_timestamp_seconds',
      help: 'When the last tick of a sensor ended.',
      samples: ticked.map(({ sensor, at }) => [{ sensor }, at / 1000]),
    },
    {
      name: 'dynpart_sensor_last_tick_age_seconds',
      help: 'How long ago the last tick of a sensor ended.',
      samples: ticked.map(({ sensor, at }) => [{ sensor }, Math.max(0, now - at) / 1000]),
    },
    { name: 'dynpart_workers', help: 'Processes that execute runs now.', samples: [[{}, workers.length]] },
    {
      name: 'dynpart_worker_runs',
      help: 'Runs whose code a process executes now.',
      samples: workers.map(({ id, host, pid, runs }) => [{ id, host, pid: String(pid) }, runs.length]),
    },
    {
      name: 'dynpart_incidents',
      help: 'What goes on of what notify tells.',
      samples: ['run-failed', 'sensor-failed', 'stuck', 'overdue'].map((kind) => [
        { kind },
        open.filter((one) => one.kind === kind).length,
      ]),
    },
    { name: 'dynpart_state_serial', help: 'Counts the commits of the state.', samples: [[{}, serial]] },
  ];
}

function ofAsset({ asset, set }: StatusReport['assets'][number]): Labels {
  return { asset, set: set ?? '' };
}

function labelsOf(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
