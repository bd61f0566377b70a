/** What is overdue, or soon will be, and what makes it fresh again. */
import { shortDuration } from '../model/duration.ts';
import type { KnownPipeline } from '../model/known-pipeline.ts';
import { counted, duration, shellQuoted } from '../model/text.ts';
import type { BehindFailed } from './behind-failed.ts';
import type { AssetReport, SensorReport, StatusReport } from './status-report.ts';
import { AUTOMATION } from '../model/run.ts';
import type { Attention, Looked } from './to-do.ts';

/** So many are told one by one. */
const NAMED = 3;

type Known = Pick<KnownPipeline, 'assets' | 'sensors'>;

/** Sensors first, then what is overdue, then what is worth a warning. */
export function lateOf(
  { report: { assets, sensors }, known, now, isVerbose }: Looked,
  behind: BehindFailed,
): Attention[] {
  const most = isVerbose ? Infinity : NAMED;
  const quiet = sensors.filter(({ overdue }) => overdue).map((one) => quietSensor(one, { known, now }));
  const old = (['fail', 'warn'] as const).flatMap((level) =>
    assets
      .filter(({ freshness }) => freshness === level)
      .map((one) => oldAsset(one, { known, now, sensors, behind })),
  );
  return [...some(quiet, most, 'sensor'), ...some(old, most, 'asset')];
}

function some(found: readonly Attention[], most: number, what: string): Attention[] {
  const rest = found.slice(most);
  const [first] = rest;
  if (first === undefined) return [...found];
  const { paint } = first;
  return [
    ...found.slice(0, most),
    {
      what: `${counted(rest.length, `more ${what}`)} overdue or soon to be`,
      command: 'dynpart status -v',
      paint,
    },
  ];
}

interface LookedForAge {
  readonly known: Known;
  readonly now: number;
  readonly sensors: StatusReport['sensors'];
  readonly behind: BehindFailed;
}

function quietSensor(
  { sensor, newKeysBy }: SensorReport,
  { known, now }: { readonly known: Known; readonly now: number },
): Attention {
  const every = known.sensors.find(({ name }) => name === sensor)!.newKeysEveryMs!;
  const quietFor = now - Date.parse(newKeysBy!) + every;
  return {
    what: `sensor ${sensor} is overdue: no new key for ${duration(quietFor)}, expected every ${shortDuration(every)}`,
    command: `dynpart sensor history ${sensor} --limit 3`,
    also: { what: 'again', command: `dynpart sensor tick ${sensor}` },
    paint: 'bad',
  };
}

function oldAsset(report: AssetReport, { known, now, sensors, behind }: LookedForAge): Attention {
  const { asset, madeAt, overdue } = report;
  const { warnMs, failMs } = known.assets.find(({ name }) => name === asset)!.freshFor!;
  const age = `made ${duration(now - Date.parse(madeAt!))} ago`;
  const laterOverdue = failMs === undefined ? '' : `, overdue after ${shortDuration(failMs)}`;
  return {
    what: overdue
      ? `${asset} is overdue: ${age}, wanted within ${shortDuration(failMs!)}`
      : `${asset} is older than ${shortDuration(warnMs!)}: ${age}${laterOverdue}`,
    command: howToRenew(report, sensors, behind.get(asset)),
    paint: overdue ? 'bad' : 'warn',
  };
}

/** Of an asset whose keys are all made only another key makes a newer value. */
function howToRenew(
  { asset, set, failed, stale, missing, inProgress }: AssetReport,
  sensors: StatusReport['sensors'],
  behind: ReadonlySet<string> | undefined,
): string {
  const name = shellQuoted(asset, 'ASSET');
  if (inProgress > 0) return `dynpart runs list --asset ${name} --status STARTED`;
  const states = [
    ...(failed > 0 || behind ? ['--failed'] : []),
    ...(missing > 0 ? ['--missing'] : []),
    ...(stale > 0 ? ['--stale'] : []),
  ];
  const above = [...(behind ?? [])].map((one) => `${shellQuoted(one, 'ASSET')} `).join('');
  if (states.length > 0) return `dynpart materialize ${above}${name} ${states.join(' ')}`;
  if (set === null) return `dynpart materialize ${name}`;
  const ticks = sensors.some(({ sensor, status }) => status === 'RUNNING' && sensor !== AUTOMATION);
  return ticks ? 'dynpart sensor tick' : `dynpart partitions add ${shellQuoted(set, 'SET')} KEY`;
}
