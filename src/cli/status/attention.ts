/** What of a status wants somebody: what failed last and why, sensors that fail, and the command that mends each. */
import { countedAs } from '../../model/partition-status.ts';
import { counted, grouped, printable, shellQuoted } from '../../model/text.ts';
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

/** What was looked at. */
export interface Looked extends Pick<KnownPipeline, 'assets' | 'sensors'> {
  /** All assets of the pipeline: then a command without names is about these, and no others. */
  readonly isWhole: boolean;
}

/** In the order in which somebody should look. */
export async function attentionOf(
  context: Context,
  report: StatusReport,
  { assets: known, sensors: knownSensors, isWhole }: Looked,
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
      command: `dynpart materialize --failed${named(failed, 'failed')}${retryOf(failed)}`,
      paint: 'bad',
    });
  }
  for (const { state, flag, counts } of toMake(assets)) {
    const [first] = counts;
    if (first === undefined) continue;
    found.push({
      what: `${state}: ${listed(counts.map(({ asset, said }) => `${said} of ${asset}`))}`,
      command: `dynpart materialize ${flag}${named(counts, state)}; why: dynpart why ${shellQuoted(first.asset, 'ASSET')}`,
      paint: 'warn',
    });
  }
  return found;

  /** The command makes what is told, and nothing else: without names only where no other asset has anything in that state. */
  function named(some: readonly { readonly asset: string }[], state: 'failed' | 'missing' | 'stale'): string {
    const names = new Set(some.map(({ asset }) => asset));
    const isAboutThem = isWhole && assets.every((one) => names.has(one.asset) || one[state] === 0);
    if (isAboutThem && (names.size === assets.length || names.size > NAMED)) return '';
    return ` ${[...names].map((name) => shellQuoted(name, 'ASSET')).join(' ')}`;
  }
}

/** What is missing, backlog aside, and what is stale. The command for what is missing makes the backlog of these assets, too. */
function toMake(assets: readonly AssetReport[]) {
  const missing = assets.flatMap(({ asset, missing: all, backlog }) => {
    if (all === backlog) return [];
    return [
      { asset, said: `${grouped(all)}${backlog === 0 ? '' : ` (${grouped(backlog)} of them backlog)`}` },
    ];
  });
  const stale = assets.flatMap(({ asset, stale: count }) => {
    return count === 0 ? [] : [{ asset, said: grouped(count) }];
  });
  return [
    { state: 'missing', flag: '--missing', counts: missing },
    { state: 'stale', flag: '--stale', counts: stale },
  ] as const;
}

function whyFailed({ status, error, failures }: TickRecord): string {
  if (status === 'FAILURE') return `failed: ${firstLine(error?.message ?? '')}`;
  return `could not look at ${listed(
    failures.map((one) => `${one.name} (${firstLine(one.error)})`),
    null,
  )}`;
}

/** Nobody has to do it where automation does. */
function retryOf(failed: readonly AssetReport[]): string {
  const [first] = failed.flatMap(({ retryAt }) => retryAt ?? []).sort();
  return first === undefined ? '' : `; automation tries again from ${first}`;
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
function listed(parts: readonly string[], what: string | null = 'asset'): string {
  const rest = parts.length - NAMED;
  if (rest <= 0) return parts.join(', ');
  return `${parts.slice(0, NAMED).join(', ')} and ${what === null ? `${rest} more` : counted(rest, `more ${what}`)}`;
}
