/** `status --html`: gathers what the page shows, and puts it where it was asked for, whole or not at all. */
import fs from 'node:fs';
import path from 'node:path';
import { isoTime } from '../model/time.ts';
import type { TickRecord } from '../model/tick.ts';
import type { KnownAsset } from '../model/known-pipeline.ts';
import type { StateView } from '../state/slice.ts';
import { io, removeQuietly, writeDurably } from '../files/durable-files.ts';
import type { Context } from './context.ts';
import { type KeyStatus, type SetTable, statusHtml, type StatusPage } from './render/html.ts';

/** So many keys of a set are on the page: it is read by people, and mailed. */
const MOST_KEYS = 500;

const WORDS: Readonly<Record<string, KeyStatus>> = { m: 'materialized', f: 'failed', '.': 'missing' };

export interface StatusShown {
  readonly view: StateView;
  readonly assets: StatusPage['assets'];
  readonly known: readonly KnownAsset[];
  /** No assets were chosen: sets that no asset has belong on the page, too. */
  readonly isWhole: boolean;
  readonly sensors: readonly {
    readonly sensor: string;
    readonly status: string;
    readonly lastTick: TickRecord | null;
  }[];
  /** The keys with queued or started runs, by asset. */
  readonly inProgress: ReadonlyMap<string, ReadonlySet<string | null>>;
}

export function writeStatusPage(context: Context, file: string, shown: StatusShown): string {
  const { view, assets, known, sensors } = shown;
  const sets = new Set(known.flatMap(({ set }) => (set === null ? [] : [set])));
  if (shown.isWhole) for (const set of view.setNames()) sets.add(set);
  const html = statusHtml({
    at: isoTime(context.clock.now()),
    version: context.version,
    file: context.store.file.path,
    serial: view.serial,
    assets,
    sets: [...sets].map((set) => setTable(set, shown)),
    sensors: sensors.map(({ sensor, status, lastTick }) => ({
      sensor,
      status,
      lastTickAt: lastTick?.startedAt ?? null,
      outcome: lastTick?.status ?? null,
      said: lastTick?.error?.message ?? lastTick?.skipReason ?? '',
    })),
  });
  const target = path.resolve(context.terminal.cwd, file);
  const temporary = `${target}.${process.pid}.${context.clock.now().toString(36)}.tmp`;
  try {
    io('write', target, () => {
      writeDurably(temporary, html);
      fs.renameSync(temporary, target);
    });
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
  return target;
}

function setTable(set: string, { view, known, inProgress }: StatusShown): SetTable {
  const assets = known.filter((asset) => asset.set === set).map(({ name }) => name);
  const total = view.keys(set).length;
  const first = Math.max(0, total - MOST_KEYS);
  const after = view.keys(set)[first - 1];
  const newest = view.page(set, after === undefined ? {} : { after }).keys;
  const letters = assets.map((asset) => view.statuses(asset, set));
  const keys = newest.map(({ key, addedAt }, at) => ({
    key,
    addedAt,
    statuses: assets.map((asset, column) =>
      inProgress.get(asset)?.has(key) ? ('in progress' as const) : WORDS[letters[column]![first + at]!]!,
    ),
  }));
  return { set, total, assets, keys: keys.reverse() };
}
