/** The rules for what assets take from each other: upstreams that can hand on a value, and no circles. */
import { nameOfType } from '../../model/partition-key.ts';
import type { AnyAsset, AnyKeysOf } from '../asset.ts';
import { kindOf } from '../brand.ts';
import { checkKnown, type Owner } from './options.ts';
import { isRecord, problem, type Problems, said } from './problem.ts';

/** An upstream must be in the pipeline, and hand on the value of the same key, the only value it has, or those of many keys. */
export function* checkUpstreams(asset: AnyAsset, assets: ReadonlyMap<string, AnyAsset>): Problems {
  if (!isRecord(asset.options)) return;
  const { inputs = {}, deps = [] } = asset.options;
  const name = said(asset.name);
  const wrong = (what: string) => problem(asset, 'invalid-asset', what);
  if (!isRecord(inputs))
    return yield wrong(`inputs of asset ${name} must be an object of assets, not ${nameOfType(inputs)}`);
  if (!Array.isArray(deps))
    return yield wrong(`deps of asset ${name} must be a list of assets, not ${nameOfType(deps)}`);
  const upstreams: readonly (readonly [where: string, upstream: AnyAsset | AnyKeysOf])[] = [
    ...Object.entries(inputs).map(([input, upstream]) => [`input '${input}'`, upstream] as const),
    // A comma too many leaves a hole, which only a copy makes visible.
    ...[...deps].map((upstream) => ['deps', upstream] as const),
  ];
  const own = setOf(asset);
  for (const [where, named] of upstreams) {
    const gathered = isKeysOf(named) ? named : null;
    if (gathered !== null)
      yield* checkGathered({ definition: asset, name: `${where} of asset ${name}` }, gathered);
    const upstream: AnyAsset = gathered === null ? (named as AnyAsset) : gathered.asset;
    if (kindOf(upstream) !== 'asset') {
      if (gathered === null)
        yield wrong(`${where} of asset ${name} must be an asset, not ${nameOfType(upstream)}`);
      continue;
    }
    const set = setOf(upstream);
    if (!assets.has(upstream.name))
      yield problem(
        asset,
        'unknown-upstream',
        `${where} of asset ${name} is asset ${said(upstream.name)}, which is not in the pipeline; add it to assets of definePipeline`,
      );
    else if (gathered !== null) {
      if (set === undefined)
        yield wrong(
          `${where} of asset ${name} takes keys of asset ${said(upstream.name)}, which has no partitions: name the asset itself`,
        );
    } else if (set !== undefined && set !== own)
      yield problem(
        asset,
        'different-partitions',
        `asset ${said(upstream.name)} (${where} of ${name}) is partitioned by ${said(set)}, and ${name} ${own === undefined ? 'has no partitions' : `by ${said(own)}`}: only a value of the same key can be handed on; for the values of many keys: allKeys(${inCode(upstream.name)}) or lastKeys(${inCode(upstream.name)}, n)`,
      );
  }
}

/** A name may be anything until it was checked, and a symbol cannot be printed. */
function inCode(name: unknown): string {
  return typeof name === 'string' ? name : 'ASSET';
}

const ON_MISSING = ['fail', 'skip', 'wait'];

/** Which keys are meant, and what becomes of those that are not there. */
function* checkGathered({ definition, name }: Owner, { asset, which, options }: AnyKeysOf): Problems {
  const wrong = (what: string) => problem(definition, 'invalid-option', what);
  const made = { all: 'allKeys', last: 'lastKeys', mapped: 'mapKeys' }[which.kind];
  if (kindOf(asset) !== 'asset')
    yield problem(
      definition,
      'invalid-asset',
      `${made}() of ${name} takes an asset, not ${nameOfType(asset)}`,
    );
  if (which.kind === 'last' && !(Number.isInteger(which.count) && which.count > 0))
    yield wrong(`lastKeys() of ${name} takes how many keys as a whole number above 0`);
  if (which.kind === 'mapped' && typeof which.map !== 'function')
    yield wrong(`mapKeys() of ${name} takes a function of the key, not ${nameOfType(which.map)}`);
  if (which.kind === 'mapped' && setOf(definition as AnyAsset) === undefined)
    yield wrong(
      `mapKeys() of ${name} names keys for each key of the asset, which has no partitions: take allKeys() or lastKeys()`,
    );
  if (!isRecord(options))
    return yield wrong(
      `${made}() of ${name} takes options such as { onMissing: 'skip' }, not ${nameOfType(options)}`,
    );
  yield* checkKnown({ definition, name: `${made}() of ${name}` }, options, ['onMissing']);
  const { onMissing } = options;
  if (onMissing !== undefined && !ON_MISSING.includes(onMissing))
    yield wrong(`onMissing of ${name} must be 'fail', 'skip' or 'wait', not ${said(onMissing)}`);
}

/** Two assets can only name each other by a trick (a getter, a changed object), but then nothing would ever end. */
export function* checkCircles(assets: readonly AnyAsset[]): Problems {
  const upstreams = new Map(
    assets.map(({ name, options }) => [name, upstreamsIn(options).map((upstream) => upstream.name)]),
  );
  const done = new Set<string>();
  function* visit(asset: AnyAsset, name: string, path: readonly string[]): Problems {
    if (done.has(name)) return;
    const start = path.indexOf(name);
    if (start >= 0) {
      const circle = path.slice(start);
      yield problem(
        asset,
        'cycle',
        `assets depend on each other in a circle: ${[...circle, name].join(' → ')}`,
      );
      for (const member of circle) done.add(member);
      return;
    }
    for (const upstream of upstreams.get(name) ?? []) yield* visit(asset, upstream, [...path, name]);
    done.add(name);
  }
  for (const asset of assets) yield* visit(asset, asset.name, []);
}

/** Those that are assets: what is wrong with the others was said. */
function upstreamsIn(options: AnyAsset['options']): AnyAsset[] {
  if (!isRecord(options)) return [];
  const { inputs, deps } = options;
  const all: unknown[] = [
    ...(isRecord(inputs) ? Object.values(inputs) : []),
    ...(Array.isArray(deps) ? (deps as unknown[]) : []),
  ];
  return all
    .map((upstream) => (isKeysOf(upstream) ? upstream.asset : upstream))
    .filter((upstream): upstream is AnyAsset => kindOf(upstream) === 'asset');
}

/** Those that take many keys, as far as they can be read. */
export function gatheredIn(options: AnyAsset['options']): AnyKeysOf[] {
  if (!isRecord(options)) return [];
  const { inputs, deps } = options;
  const all: unknown[] = [
    ...(isRecord(inputs) ? Object.values(inputs) : []),
    ...(Array.isArray(deps) ? (deps as unknown[]) : []),
  ];
  return all.filter(isKeysOf);
}

function isKeysOf(upstream: unknown): upstream is AnyKeysOf {
  return kindOf(upstream) === 'keys';
}

function setOf({ options }: AnyAsset): string | undefined {
  return isRecord(options) ? options.partitions?.name : undefined;
}
