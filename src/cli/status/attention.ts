/** What of a status wants somebody: what failed last and why, sensors that fail, and the command that mends each. */
import { countedAs } from '../../model/partition-status.ts';
import { grouped, printable, shellQuoted } from '../../model/text.ts';
import type { RunRecord } from '../../model/run.ts';
import type { KnownAsset, KnownPipeline } from '../../model/known-pipeline.ts';
import type { AssetReport, StatusReport } from '../../report/status-report.ts';
import { isFailing, type TickRecord } from '../../model/tick.ts';
import type { Context } from '../context.ts';
import { lateOf } from './late.ts';

/** So many of the keys that failed last are named. */
const NAMED = 3;

/** Among so many runs that failed last those are looked for that have not been mended since. */
const LOOKED_AT = 50;

export interface Attention {
  readonly what: string;
  /** The command that mends it, or says more. */
  readonly command: string;
  /** Says more than there is room for. */
  readonly more?: string;
  readonly paint: 'bad' | 'warn';
}

/** The commands of one, as a line of text. */
export function inOneLine({ command, more }: Pick<Attention, 'command' | 'more'>): string {
  return more === undefined ? command : `${more}; again: ${command}`;
}

/** In the order in which somebody should look. */
export async function attentionOf(
  context: Context,
  report: StatusReport,
  { assets: known, sensors: knownSensors }: Pick<KnownPipeline, 'assets' | 'sensors'>,
): Promise<Attention[]> {
  const { project } = context;
  const { assets, sensors } = report;
  const found: Attention[] = sensors.flatMap((one) => {
    if (!isFailing(one)) return [];
    const { sensor, lastTick } = one;
    const more = `dynpart sensor history ${sensor} --limit 3`;
    const command = `dynpart sensor tick ${sensor}`;
    return [{ what: `sensor ${sensor} ${whyFailed(lastTick)}`, more, command, paint: 'bad' as const }];
  });
  found.push(...lateOf(context, report, { assets: known, sensors: knownSensors }));
  const failed = assets.filter((one) => one.failed > 0);
  if (failed.length > 0) {
    for (const { asset, run } of await failedLast(
      project,
      known,
      failed.map(({ asset }) => asset),
    ))
      found.push({
        what: `${asset}${forKey(run)} failed: ${firstLine(errorOf(run, asset))}`,
        command: `dynpart runs logs ${run.id}`,
        paint: 'bad',
      });
    found.push({
      what: `failed: ${listed(failed.map(({ asset, failed: count }) => `${grouped(count)} of ${asset}`))}`,
      command: `dynpart materialize --failed${narrowed(failed, assets.length)}${retryOf(failed)}`,
      paint: 'bad',
    });
  }
  const missing = assets.flatMap((one) => counted(one.asset, one.missing - one.backlog));
  if (missing.length > 0)
    found.push({
      what: `missing: ${listed(missing.map(({ asset, count }) => `${grouped(count)} of ${asset}`))}`,
      command: `dynpart materialize --missing${narrowed(missing, assets.length)}; why: dynpart why ${shellQuoted(missing[0]!.asset, 'ASSET')}`,
      paint: 'warn',
    });
  const stale = assets.flatMap((one) => counted(one.asset, one.stale));
  if (stale.length > 0)
    found.push({
      what: `stale: ${listed(stale.map(({ asset, count }) => `${grouped(count)} of ${asset}`))}`,
      command: `dynpart materialize --stale${narrowed(stale, assets.length)}; why: dynpart why ${shellQuoted(stale[0]!.asset, 'ASSET')}`,
      paint: 'warn',
    });
  return found;
}

function whyFailed({ status, error, failures }: TickRecord): string {
  if (status === 'FAILURE') return `failed: ${firstLine(error?.message ?? '')}`;
  return `could not look at ${listed(
    failures.map((one) => `${one.name} (${firstLine(one.error)})`),
    'more',
  )}`;
}

/** Nobody has to do it where automation does. */
function retryOf(failed: readonly AssetReport[]): string {
  const [first] = failed.flatMap(({ retryAt }) => retryAt ?? []).sort();
  return first === undefined ? '' : `; automation tries again from ${first}`;
}

function counted(asset: string, count: number): { readonly asset: string; readonly count: number }[] {
  return count === 0 ? [] : [{ asset, count }];
}

/** The runs that failed last of keys that are still failed, newest first. */
async function failedLast(
  { store }: Context['project'],
  known: readonly KnownAsset[],
  failed: readonly string[],
): Promise<{ readonly asset: string; readonly run: RunRecord }[]> {
  const { runs } = await store.runs({ status: 'FAILURE', assets: failed, limit: LOOKED_AT });
  const outcomes = runs.flatMap((run) =>
    run.assets
      .filter(({ asset, status }) => status === 'FAILURE' && failed.includes(asset))
      .map(({ asset }) => ({ asset, run, set: known.find(({ name }) => name === asset)?.set ?? null })),
  );
  const statuses = outcomes.map(({ asset, set, run }) => ({ asset, set, keys: [run.partitionKey] }));
  const view = await store.read({ statuses });
  const seen = new Set<string>();
  return outcomes
    .filter(({ asset, set, run }) => {
      const name = JSON.stringify([asset, run.partitionKey]);
      const [status] = view.statusOf(asset, set, [run.partitionKey]);
      if (seen.has(name) || countedAs(status!) !== 'failed') return false;
      seen.add(name);
      return true;
    })
    .slice(0, NAMED);
}

function errorOf(run: RunRecord, asset: string): string {
  return run.assets.find((one) => one.asset === asset)?.error?.message ?? run.error?.message ?? '';
}

/** What an error says, without where and of what: that is said beside it. */
export function firstLine(message: string): string {
  // What failed is said before it.
  const [line = ''] = message
    .replace(/^(?:asset|sensor) '[^']*'(?: for key "(?:[^"\\]|\\.)*")? (?:threw: )?/, '')
    .split('\n');
  return line;
}

function forKey({ partitionKey }: RunRecord): string {
  return partitionKey === null ? '' : ` for ${printable(partitionKey)}`;
}

/** A few are named, of many only how many. */
function listed(parts: readonly string[], more = 'more assets'): string {
  return parts.length <= NAMED
    ? parts.join(', ')
    : `${parts.slice(0, NAMED).join(', ')} and ${parts.length - NAMED} ${more}`;
}

/** Without names a command is about all assets. */
function narrowed(some: readonly { readonly asset: string }[], all: number): string {
  return some.length === all || some.length > NAMED
    ? ''
    : ` ${some.map(({ asset }) => shellQuoted(asset, 'ASSET')).join(' ')}`;
}
