/** The flags that choose runs by what they are, for the commands that show runs or do something about them. */
import { fail } from '../model/failure.ts';
import type { KnownPipeline } from '../model/known-pipeline.ts';
import type { RunStatus } from '../model/run.ts';
import type { RunQuery } from '../state/run-query.ts';
import type { Declaration } from './command-line/declaration.ts';
import { oneOf } from './command-line/options.ts';
import { checkName } from './check-names.ts';
import type { Project } from './project.ts';

export interface RunFilters {
  readonly status?: RunStatus;
  readonly key?: string;
  readonly asset?: string;
  readonly sensor?: string;
}

const STATUSES = ['QUEUED', 'STARTED', 'SUCCESS', 'FAILURE', 'CANCELED'] as const;

export function withRunFilters(command: Declaration): Declaration {
  return command
    .option('--status <status>', 'only these', oneOf('--status', STATUSES))
    .option('--key <key>', 'only of this key')
    .option('--asset <asset>', 'only of this asset')
    .option('--sensor <sensor>', 'only requested by this sensor');
}

/** The filters as a question. @throws FailureError for a name that neither the pipeline nor any run has */
export async function queryOf(
  project: Project,
  { status, key, asset, sensor }: RunFilters,
): Promise<RunQuery> {
  await checkNames(project, { asset, sensor });
  return {
    ...(status !== undefined && { status }),
    ...(key !== undefined && { keys: [key] }),
    ...(asset !== undefined && { assets: [asset] }),
    ...(sensor !== undefined && { sensor }),
  };
}

/** A name that neither the pipeline nor any run has is a slip of the pen, not an empty list. */
async function checkNames(
  project: Project,
  { asset, sensor }: { readonly asset: string | undefined; readonly sensor: string | undefined },
): Promise<void> {
  if (asset === undefined && sensor === undefined) return;
  const isUnknown = (known: KnownPipeline): boolean =>
    (asset !== undefined && known.assets.every(({ name }) => name !== asset)) ||
    (sensor !== undefined && known.sensors.every(({ name }) => name !== sensor));
  const known = await project.known(await project.store.read({}), isUnknown);
  if (!isUnknown(known)) return;
  const { runs } = await project.store.runs({});
  if (asset !== undefined) {
    const names = runs.flatMap((run) => run.assets.map((outcome) => outcome.asset));
    checkName('asset', asset, [...known.assets.map(({ name }) => name), ...names]);
  }
  if (sensor !== undefined) {
    const names = runs.flatMap((run) => (run.sensor === null ? [] : [run.sensor]));
    checkName('sensor', sensor, [...known.sensors.map(({ name }) => name), ...names]);
  }
}

/** Runs are named, or chosen by what they are. Both at once could mean either. */
export function checkChoice(command: string, filters: RunFilters, ids: readonly string[]): void {
  const byFilters = Object.values(filters).some((value) => value !== undefined);
  if (byFilters !== ids.length > 0) return;
  const status = command === 'retry' ? 'FAILURE' : 'QUEUED';
  fail({
    reason: 'usage',
    message: byFilters
      ? 'runs were named and filters given: which of both is meant?'
      : 'neither ids of runs nor filters were given',
    hint: `for example: dynpart runs ${command} ID, or dynpart runs ${command} --status ${status}; to find one: dynpart runs list`,
  });
}
