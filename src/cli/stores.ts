/** The one place that picks where state and values live: files beside the pipeline, or a database. */
import path from 'node:path';
import { namesIn } from '../files/durable-files.ts';
import { openToOthers } from '../files/open-to-others.ts';
import { isSameFile } from '../files/stat-of.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import { JsonFileStore, type JsonFileStoreOptions } from '../state/json/json-file-store.ts';
import { fail, FailureError } from '../model/failure.ts';
import type { StateIdentity } from '../model/known-pipeline.ts';
import type { PostgresStore } from '../state/postgres/postgres-store.ts';
import { identityOf } from '../state/document/state-document.ts';
import { besideOf, twinOf } from '../state/json/places-beside.ts';
import { StateFile } from '../state/json/state-file.ts';
import { isStateOrGeneration } from '../state/json/generation-names.ts';
import type { FileValues } from '../values/file-values.ts';
import type { IoManager } from '../definitions/io-manager.ts';
import type { OfState } from '../values/s3.ts';
import type { MadeByRun } from '../values/s3-values.ts';
import type { Output } from './output.ts';
import type { RunValues } from '../definitions/staged-values.ts';

/** The state, wherever it is. */
export type Store = JsonFileStore | PostgresStore;

export function openStore(options: JsonFileStoreOptions): JsonFileStore {
  const twin = twinOf(options.file);
  if (twin !== null)
    fail({
      reason: 'usage',
      message: `the states ${options.file} and ${twin} would both keep their values and history in ${besideOf(twin)}`,
      hint: 'give one of them another name, and name it with --state',
    });
  return new JsonFileStore(options);
}

/** Whose a state is; `null` for a file that is no state that can be read. */
export async function identityIn(file: string): Promise<StateIdentity | null> {
  try {
    const state = new StateFile(file, () => undefined);
    return identityOf(await state.read(), state.isOlder);
  } catch (error) {
    // One that the disk keeps from us may be the one that is meant.
    if (error instanceof FailureError && error.failure.reason !== 'state-io') return null;
    throw error;
  }
}

/** Whether a file is a state that processes work with, or one of its generations: no copy of anything belongs there. */
export function isStateInUse(file: string, ownState: string): boolean {
  return isStateOrGeneration(file) || file === ownState || isSameFile(file, ownState);
}

/**
 * Where the pipeline's values are kept: its own I/O manager, or with the state.
 * @param executor who saves some. Not given: nobody does
 */
export async function valuesOf(pipeline: Pipeline, store: Store, executor?: string): Promise<RunValues> {
  const { ioManager } = pipeline;
  // One of dynpart's own asks the state which of its objects counts.
  if (ioManager !== null)
    return 'ofState' in ioManager ? (ioManager as IoManager & OfState).ofState(madeByRuns(store)) : ioManager;
  if ('database' in store) {
    const { PostgresValues } = await import('../state/postgres/values.ts');
    return new PostgresValues(store, executor);
  }
  return valuesInFiles(store);
}

function madeByRuns(store: Store): MadeByRun {
  return async (ids) => {
    const { runs } = await store.runs({ ids });
    return new Map(
      runs.map(({ id, assets }) => [
        id,
        assets.filter(({ status }) => status === 'SUCCESS').map(({ asset }) => asset),
      ]),
    );
  };
}

async function valuesInFiles(store: JsonFileStore, parent?: string): Promise<FileValues> {
  const { FileValues } = await import('../values/file-values.ts');
  const { madeBy, onRecord } = await import('../engine/runs/made-by.ts');
  return new FileValues(store.beside, madeBy(store), onRecord(store), parent);
}

/** In files, of a process that stages them for another one: see `Journal`. */
export function valuesStagedFor(parent: string, store: JsonFileStore): Promise<FileValues> {
  return valuesInFiles(store, parent);
}

/** Gives the values of killed processes their place. */
export async function settleLeftValues(pipeline: Pipeline, store: Store): Promise<void> {
  if (hasLeftValues(pipeline, store)) await (await valuesOf(pipeline, store)).recover?.();
}

/** Whether some process has values that wait for their place, or left them so when it was killed. */
export function hasLeftValues(pipeline: Pipeline, store: Store): boolean {
  if (pipeline.ioManager !== null || 'database' in store) return false;
  return namesIn(path.join(store.beside, 'values', '.tmp')).some((name) => !name.startsWith('boot-'));
}

/** Warns where every user of the machine can write to a state file. */
export async function warnIfOpen(file: string, output: Output): Promise<void> {
  const open = openToOthers(file);
  if (open) (await import('./open-state.ts')).warnOf(open, output);
}
