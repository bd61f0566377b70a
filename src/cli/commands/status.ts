/** `dynpart status`: what is materialized, failed, in progress and missing, per asset. */
import { runsIn } from '../../engine/plan/run-records.ts';
import { lastTickOf } from '../../engine/sensors/last-tick.ts';
import { sensorStatus } from '../../engine/sensors/sensor-status.ts';
import type { KnownAsset } from '../../model/known-pipeline.ts';
import type { StateView } from '../../state/slice.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { grouped } from '../../model/text.ts';

export function statusCommand(program: Declaration): void {
  program
    .command('status')
    .argument('[assets...]', 'which; without it, all')
    .description('what is materialized, failed, in progress and missing, per asset')
    .option('--exit-code', 'exit with 10 when keys are missing or failed')
    .option('--html <file>', 'also as a page of HTML, with the keys of each set')
    .action(status);
}

async function status(
  context: Context,
  flags: { readonly exitCode?: boolean; readonly html?: string },
  names: readonly string[],
): Promise<void> {
  const view = await context.store.read();
  const known = await context.known(view);
  for (const name of names)
    context.checkName(
      'asset',
      name,
      known.assets.map((asset) => asset.name),
    );
  const chosen = known.assets.filter(({ name }) => names.length === 0 || names.includes(name));
  const inProgress = keysInProgress(view);
  const assets = chosen.map((asset) => countsOf(view, asset, inProgress.get(asset.name) ?? new Set()));
  const sensors = await Promise.all(
    known.sensors.map(async (sensor) => ({
      sensor: sensor.name,
      status: sensorStatus(view, sensor),
      lastTick: (await lastTickOf(context.store, view, sensor.name)).tick,
      overdue: false,
    })),
  );
  Object.assign(context.document, { assets, sensors });
  if (flags.html !== undefined) {
    const { writeStatusPage } = await import('../write-status-page.ts');
    const isWhole = names.length === 0;
    const shown = { view, assets, known: chosen, isWhole, sensors, inProgress };
    context.document['html'] = writeStatusPage(context, flags.html, shown);
  }
  if (flags.exitCode && assets.some(({ missing, failed }) => missing + failed > 0)) context.exitWith(10);
  await context.table({
    columns: [
      { title: 'ASSET' },
      { title: 'SET' },
      ...['TOTAL', 'MATERIALIZED', 'FAILED', 'IN PROGRESS', 'MISSING'].map((title) => ({
        title,
        align: 'right' as const,
      })),
    ],
    rows: assets.map(({ asset, set, total, materialized, failed, inProgress: running, missing }) => [
      asset,
      set ?? '-',
      number(context, total),
      { text: number(context, materialized), ...(materialized > 0 && { paint: 'good' as const }) },
      { text: number(context, failed), ...(failed > 0 && { paint: 'bad' as const }) },
      number(context, running),
      { text: number(context, missing), ...(missing > 0 && { paint: 'warn' as const }) },
    ]),
  });
}

/** Scripts want to compare numbers, people want to read them. */
function number(context: Context, count: number): string {
  return context.terminal.stdout.isTerminal ? grouped(count) : String(count);
}

function keysInProgress(view: StateView): Map<string, Set<string | null>> {
  const byAsset = new Map<string, Set<string | null>>();
  for (const runs of view.runs()) {
    for (const asset of runs.assets) {
      const keys = byAsset.get(asset) ?? new Set();
      byAsset.set(asset, keys);
      for (const { partitionKey } of runsIn(runs)) keys.add(partitionKey);
    }
  }
  return byAsset;
}

/** Each key counts once: in progress, else failed, else materialized, else missing. */
function countsOf(view: StateView, { name, set }: KnownAsset, running: ReadonlySet<string | null>) {
  const letters = view.statuses(name, set);
  const counts = { m: 0, f: 0, '.': 0 };
  for (const letter of letters) counts[letter as 'm' | 'f' | '.']++;
  // A run of a key that was removed may still be on its way out.
  const there =
    set === null
      ? null
      : view.present(
          set,
          [...running].filter((key) => key !== null),
        );
  const keys = [...running].filter((key) => there === null || there.has(key!));
  for (const letter of view.statusOf(name, set, keys)) counts[letter]--;
  return {
    asset: name,
    set,
    total: letters.length,
    materialized: counts.m,
    failed: counts.f,
    inProgress: keys.length,
    missing: counts['.'],
    stale: 0,
  };
}
