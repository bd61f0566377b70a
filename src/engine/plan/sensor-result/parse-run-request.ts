/** A request of a sensor for a run: which assets it makes, and for which key. */
import { kindOf } from '../../../definitions/brand.ts';
import type { Pipeline, SensorDefinition } from '../../../definitions/pipeline.ts';
import { isPartitionKey, nameOfType } from '../../../model/partition-key.ts';
import { quoted } from '../../../model/text.ts';
import { checkKey, readOnce, checkFields } from './read-once.ts';
import { inStages } from '../queue/asked-runs.ts';
import type { RequestedRuns, RunGroups } from './runs-in-columns.ts';

const FIELDS = ['partitionKey', 'runKey', 'assets', 'tags'];
const NO_TAGS: Readonly<Record<string, string>> = {};

type Target = Pick<RequestedRuns, 'set' | 'assets' | 'later'> | { readonly problem: string };

interface RunTarget {
  readonly targetOf: (assets: unknown) => Target;
  readonly groups: RunGroups;
}

export function parseRunRequest(
  problems: string[],
  value: unknown,
  at: number,
  { targetOf, groups }: RunTarget,
): void {
  // Words are only made where something is wrong: there may be a hundred thousand requests.
  const where = (): string => `runRequests[${at}]`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${where()} must be an object such as { partitionKey, runKey }, not ${nameOfType(value)}`);
    return;
  }
  const request = value as Record<string, unknown>;
  const before = problems.length;
  checkFields(problems, where, request, FIELDS);
  const { partitionKey, runKey, tags } = request;
  if (partitionKey !== undefined && !isPartitionKey(partitionKey)) checkKey(problems, partitionKey, where());
  if (runKey !== undefined && (typeof runKey !== 'string' || runKey === '' || !runKey.isWellFormed())) {
    problems.push(
      `runKey of ${where()} must be a string that is not empty, not ${typeof runKey === 'string' ? quoted(runKey) : nameOfType(runKey)}`,
    );
  }
  const tagged = tags === undefined ? NO_TAGS : groups.tagsOf(tags);
  if (tagged === null) problems.push(`tags of ${where()} must be an object of strings`);
  const target = targetOf(request['assets']);
  if ('problem' in target) problems.push(`${where()}: ${target.problem}`);
  else if (target.set === null && partitionKey !== undefined) {
    problems.push(
      `${where()} names ${typeof partitionKey === 'string' ? `key ${quoted(partitionKey)}` : 'a key'}, but ${target.assets.map(quoted).join(', ')} has no partitions`,
    );
  } else if (target.set !== null && partitionKey === undefined) {
    problems.push(
      `${where()} has no partitionKey, but ${target.assets.map(quoted).join(', ')} is partitioned by '${target.set}'`,
    );
  }
  if (problems.length > before || 'problem' in target || tagged === null) return;
  groups.add(target, tagged, {
    number: at,
    partitionKey: (partitionKey as string | undefined) ?? null,
    runKey: (runKey as string | undefined) ?? null,
  });
}

/** Most of a hundred thousand requests name no assets of their own: their target is looked up once. */
export function targetResolver(sensor: SensorDefinition, pipeline: Pipeline): (assets: unknown) => Target {
  let own: Target | undefined;
  return (assets) => {
    if (assets === undefined) return (own ??= resolve(sensor.assets));
    if (!Array.isArray(assets)) return { problem: `assets must be a list, not ${nameOfType(assets)}` };
    const problems: string[] = [];
    const names = readOnce(problems, assets, () => 'assets').map((asset) =>
      kindOf(asset) === 'asset' ? (asset as { name: unknown }).name : asset,
    );
    if (problems.length > 0) return { problem: problems[0]! };
    const wrong = names.findIndex((name) => typeof name !== 'string');
    if (wrong !== -1)
      return { problem: `assets holds ${nameOfType(names[wrong])} where an asset or its name is meant` };
    return resolve(names as string[]);
  };

  function resolve(names: readonly string[]): Target {
    if (names.length === 0)
      return { problem: `it names no assets, and neither does sensor '${sensor.name}'` };
    const unknown = names.filter((name) => !pipeline.assets.has(name));
    if (unknown.length > 0) return { problem: `the pipeline has no asset ${unknown.map(quoted).join(', ')}` };
    const chosen = [...pipeline.assets.values()].filter(({ name }) => names.includes(name));
    const sets = [...new Set(chosen.map(({ set }) => set))];
    if (sets.length > 1) {
      return {
        problem: `one run covers one key, but its assets are partitioned differently: ${chosen.map(({ name, set }) => `'${name}' by ${set === null ? 'nothing' : `'${set}'`}`).join(', ')}`,
      };
    }
    const [first, ...later] = inStages(pipeline, { assets: chosen.map(({ name }) => name) });
    return {
      set: sets[0]!,
      ...first!,
      ...(later.length > 0 && { later: later.map(({ assets }) => assets) }),
    };
  }
}
