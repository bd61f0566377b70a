/** Where one key stands with each of its assets, and what to do about it: what the data has, put together. */
import { keyCommands, type KeyCommand } from '../report/key-commands.ts';
import type { PageOutcome, PageRun } from '../report/page-data.ts';
import type { ShownState } from '../model/partition-status.ts';
import type { KeyTable } from './key-table.ts';
import { STATES } from './states.ts';

export interface Standing {
  readonly asset: string;
  readonly state: ShownState;
  readonly kind: string;
  readonly sign: string;
  /** The last run that was to make it. */
  readonly run: PageRun | null;
  /** Of the last failure or skip, where it is failed or skipped. */
  readonly said: string | null;
  /** Of what is there. */
  readonly metadata: PageOutcome['metadata'];
  readonly warnings: PageOutcome['warnings'];
}

/** @param runs those of the key, newest first */
export function standings(table: KeyTable, position: number, runs: readonly PageRun[]): Standing[] {
  return table.set.assets.map((asset, column) => {
    const { state, kind, sign } = STATES[table.columns[column]![position]!]!;
    const its = runs.flatMap((run) =>
      run.assets.filter((one) => one.asset === asset).map((outcome) => ({ run, outcome })),
    );
    const last = (status: string) => its.find(({ outcome }) => outcome.status === status);
    const telling = state === 'failed' ? last('FAILURE') : state === 'skipped' ? last('SKIPPED') : undefined;
    return {
      asset,
      state,
      kind,
      sign,
      run: (telling ?? its[0])?.run ?? null,
      said: telling === undefined ? null : (telling.outcome.said ?? telling.run.error),
      metadata: last('SUCCESS')?.outcome.metadata ?? {},
      warnings: last('SUCCESS')?.outcome.warnings ?? [],
    };
  });
}

export function commandsOf(key: string | null, assets: readonly Standing[]): KeyCommand[] {
  return keyCommands(
    key,
    assets.map(({ asset, state, run }) => ({ asset, state, run: run?.id ?? null })),
  );
}

/** The runs of a key with one of these assets. */
export function runsOf(runs: readonly PageRun[], key: string | null, assets: readonly string[]): PageRun[] {
  return runs.filter((run) => run.key === key && run.assets.some(({ asset }) => assets.includes(asset)));
}

/** How long a run took or takes, in milliseconds; `null`: it has not begun. */
export function took({ startedAt, finishedAt }: PageRun, now: string): number | null {
  return startedAt === null ? null : Math.max(0, Date.parse(finishedAt ?? now) - Date.parse(startedAt));
}

/** What went wrong in a run, each said once: what was skipped for it says nothing new. */
export function errorsOf({ error, assets }: PageRun): string[] {
  const failed = assets.flatMap(({ status, said }) => (status === 'FAILURE' && said !== null ? [said] : []));
  return [...new Set(failed.length > 0 ? failed : error === null ? [] : [error])];
}
