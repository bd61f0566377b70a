/** What of a status wants somebody: what failed last and why, sensors that fail, and the command that mends each. */
import { firstLine } from '../model/first-line.ts';
import { counted, grouped, printable, shellQuoted } from '../model/text.ts';
import { takeOutByHand } from '../model/failures/sensor.ts';
import { AUTOMATION, type RunRecord } from '../model/run.ts';
import { isFailing, type TickRecord } from '../model/tick.ts';
import type { RunQuery } from '../state/run-query.ts';
import { type BehindFailed, behindFailed } from './behind-failed.ts';
import { lateOf } from './late.ts';
import type { AssetReport, StatusReport } from './status-report.ts';
import type { Attention, Looked } from './to-do.ts';

/** So many of the keys that failed last are named. */
const NAMED = 3;

/** Among so many runs that failed last those are looked for that have not been mended since. */
const LOOKED_AT = 50;

type State = 'failed' | 'missing' | 'stale';

/** An asset that a run failed to make. */
export interface FailedAsset {
  readonly asset: string;
  readonly run: RunRecord;
}

/** The runs to look for failures in; `null`: nothing is failed. */
export function failedRuns({ assets }: StatusReport): RunQuery | null {
  const failed = assets.flatMap((one) => (one.failed > 0 ? [one.asset] : []));
  return failed.length === 0 ? null : { status: 'FAILURE', assets: failed, limit: LOOKED_AT };
}

/** What these runs failed to make of what is failed now. */
export function failedAssets({ assets }: StatusReport, runs: readonly RunRecord[]): FailedAsset[] {
  const failed = new Set(assets.flatMap((one) => (one.failed > 0 ? [one.asset] : [])));
  return runs.flatMap((run) =>
    run.assets.flatMap(({ asset, status }) =>
      status === 'FAILURE' && failed.has(asset) ? [{ asset, run }] : [],
    ),
  );
}

/**
 * In the order in which somebody should look.
 * @param failures newest first
 * @param isFailed whether it is so for the run's key until now
 */
export function attentionOf(
  looked: Looked,
  failures: readonly FailedAsset[],
  isFailed: (failure: FailedAsset) => boolean,
): Attention[] {
  const { assets, sensors } = looked.report;
  const found: Attention[] = sensors.flatMap((one) => {
    if (!isFailing(one)) return [];
    const { sensor, lastTick } = one;
    const command = `dynpart sensor history ${sensor} --limit 3`;
    // A rule that would take out too much would do so again.
    const isRefused = sensor === AUTOMATION && lastTick.status !== 'FAILURE';
    const [set] = lastTick.failures;
    const also = isRefused
      ? { what: 'once by hand', command: takeOutByHand(set!.name) }
      : { what: 'again', command: `dynpart sensor tick ${sensor}` };
    return [
      { what: `sensor ${sensor} ${whyFailed(sensor, lastTick)}`, command, also, paint: 'bad' as const },
    ];
  });
  const behind = behindFailed(looked.report.assets, looked.known.assets);
  found.push(...lateOf(looked, behind));
  const failed = assets.filter((one) => one.failed > 0);
  if (failed.length > 0) {
    for (const { asset, run } of newestOfEach(failures.filter(isFailed)).slice(0, NAMED))
      found.push({
        what: `${asset}${forKey(run)} failed: ${firstLine(errorOf(run, asset))}`,
        command: `dynpart runs logs ${run.id}`,
        paint: 'bad',
      });
    found.push({
      what: `failed: ${listed(failed.map(({ asset, failed: count }) => `${grouped(count)} of ${asset}`))}`,
      command: `dynpart materialize --failed${named(namesOf(failed), ['failed'])}`,
      ...retryOf(failed),
      paint: 'bad',
    });
  }
  for (const { state, states, counts, above } of toMake(looked.report, behind)) {
    const [first] = counts;
    if (first === undefined) continue;
    const flags = states.map((one) => `--${one}`).join(' ');
    found.push({
      what: `${state}: ${listed(counts.map(({ asset, said }) => `${said} of ${asset}`))}`,
      command: `dynpart materialize ${flags}${named([...above, ...namesOf(counts)], states)}`,
      also: { what: 'why', command: `dynpart why ${shellQuoted(first.asset, 'ASSET')}` },
      paint: 'warn',
    });
  }
  return found;

  /** The command makes what is told, and nothing else: without names only where no other asset has anything in that state. */
  function named(some: readonly string[], states: readonly State[]): string {
    const names = new Set(some);
    const isAboutThem =
      looked.isWhole &&
      assets.every((one) => names.has(one.asset) || states.every((state) => one[state] === 0));
    if (isAboutThem && (names.size === assets.length || names.size > NAMED)) return '';
    return ` ${[...names].map((name) => shellQuoted(name, 'ASSET')).join(' ')}`;
  }
}

/**
 * What is missing, backlog aside, and what is stale. The command for what is missing makes the backlog of these assets, too, and
 * where all of it waits for what failed, that as well.
 */
function toMake({ assets }: StatusReport, behind: BehindFailed) {
  const missing = assets.flatMap(({ asset, missing: all, backlog }) => {
    if (all === backlog) return [];
    return [
      { asset, said: `${grouped(all)}${backlog === 0 ? '' : ` (${grouped(backlog)} of them backlog)`}` },
    ];
  });
  const stale = assets.flatMap(({ asset, stale: count }) => {
    return count === 0 ? [] : [{ asset, said: grouped(count) }];
  });
  const waiting = missing.filter(({ asset }) => behind.has(asset));
  const above = waiting.flatMap(({ asset }) => [...behind.get(asset)!]);
  return [
    {
      state: 'missing',
      states: ['missing'],
      counts: missing.filter((one) => !waiting.includes(one)),
      above: [],
    },
    {
      state: 'missing',
      states: ['missing', 'failed'],
      counts: waiting,
      above,
    },
    { state: 'stale', states: ['stale'], counts: stale, above: [] },
  ] as const;
}

function whyFailed(sensor: string, { status, error, failures }: TickRecord): string {
  if (status === 'FAILURE') return `failed: ${firstLine(error?.message ?? '')}`;
  // Of automation it is a rule of a set that would take out too many keys.
  return `${sensor === AUTOMATION ? 'left alone' : 'could not look at'} ${listed(
    failures.map((one) => `${one.name} (${firstLine(one.error)})`),
    null,
  )}`;
}

/** Nobody has to do it where automation does. */
function retryOf(failed: readonly AssetReport[]): Pick<Attention, 'note'> {
  const [first] = failed.flatMap(({ retryAt }) => retryAt ?? []).sort();
  return first === undefined ? {} : { note: `automation tries again from ${first}` };
}

function newestOfEach(failures: readonly FailedAsset[]): FailedAsset[] {
  const seen = new Set<string>();
  return failures.filter(({ asset, run }) => {
    const name = JSON.stringify([asset, run.partitionKey]);
    return !seen.has(name) && seen.add(name);
  });
}

function errorOf(run: RunRecord, asset: string): string {
  return run.assets.find((one) => one.asset === asset)?.error?.message ?? run.error?.message ?? '';
}

function forKey({ partitionKey }: RunRecord): string {
  return partitionKey === null ? '' : ` for ${printable(partitionKey)}`;
}

function namesOf(some: readonly { readonly asset: string }[]): string[] {
  return some.map(({ asset }) => asset);
}

/** A few are named, of many only how many. */
function listed(parts: readonly string[], what: string | null = 'asset'): string {
  const rest = parts.length - NAMED;
  if (rest <= 0) return parts.join(', ');
  return `${parts.slice(0, NAMED).join(', ')} and ${what === null ? `${rest} more` : counted(rest, `more ${what}`)}`;
}
