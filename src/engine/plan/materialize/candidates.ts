/** Which assets of which keys a selection by state comes to, and which of them have to wait for what is above them. Pure. */
import type { AssetDefinition, Pipeline } from '../../../definitions/pipeline.ts';
import type { RunReason } from '../../../model/run.ts';
import { countedAs, isThere, type PartitionStatus, whyStale } from '../../../model/partition-status.ts';
import type { Needs } from '../../../state/needs.ts';
import type { CandidateQuery, StateView } from '../../../state/state-view.ts';

/** The states that were chosen; without any, every key is. */
export interface ChosenStates {
  readonly all: boolean;
  readonly missing: boolean;
  readonly failed: boolean;
  readonly stale: boolean;
}

export interface Candidate {
  readonly key: string | null;
  /** In dependency order. */
  readonly assets: readonly AssetDefinition[];
  /** Why each of them is made; `null`: because somebody asked for the key. */
  readonly reasons: readonly RunReason[] | null;
  /** Assets in a chosen state whose upstreams are neither there nor chosen, and what they wait for. */
  readonly waiting: readonly Waiting[];
}

export interface Waiting {
  readonly asset: string;
  readonly upstream: string;
  /** Where many keys of it are needed: how many of them are not there, and the first. */
  readonly absent?: { readonly count: number; readonly first: string };
}

/** What the selection takes besides this key. */
export interface Besides {
  /** What was chosen before: of earlier stages, and of other sets. */
  readonly isChosen: (asset: string, key: string | null) => boolean;
  /** What of many upstream keys is neither there nor chosen, and needed. */
  readonly lacking: (asset: AssetDefinition, key: string | null) => readonly Waiting[];
}

/** Assets of one set, and the keys that were named; `null`: all keys of the set. */
export interface Target {
  readonly set: string | null;
  readonly assets: readonly AssetDefinition[];
  readonly named: readonly (string | null)[] | null;
}

export interface Choice {
  readonly states: ChosenStates;
  readonly prefix: string | null;
  readonly order: 'oldest' | 'newest';
  /** Statuses are wanted also where they do not decide. */
  readonly wantsStatuses?: true;
}

export function needsOfCandidates(pipeline: Pipeline, target: Target, choice: Choice): Needs {
  const { set, named } = target;
  const { ofSet, alone } = assetsAsked(pipeline, target, choice);
  const one = alone.map((asset) => ({ asset, set: null, keys: [null] }));
  if (named === null) return { candidates: [queryOf(pipeline, target, choice)], statuses: one };
  return { statuses: [...one, ...ofSet.map((asset) => ({ asset, set, keys: named }))] };
}

/** In the given order; a key without a chosen asset is left out. */
export function* candidatesOf(
  view: StateView,
  pipeline: Pipeline,
  target: Target,
  { choice, besides }: { readonly choice: Choice; readonly besides: Besides },
): Generator<Candidate> {
  const { assets } = target;
  for (const { key, statusOf } of keysAsked(view, pipeline, target, choice)) {
    if (!isByState(choice)) {
      yield { key, ...withoutWaiting(assets, key, besides), reasons: null };
      continue;
    }
    const { taken, waiting } = inChosenStates(assets, statusOf, choice.states, { ...besides, key });
    if (taken.size + waiting.length > 0)
      yield { key, assets: [...taken.keys()], reasons: [...taken.values()], waiting };
  }
}

export interface KeyAsked {
  readonly key: string | null;
  readonly statusOf: (asset: string) => PartitionStatus;
}

/** The keys that are looked at, whether or not one of them is in a chosen state. */
export function* keysAsked(
  view: StateView,
  pipeline: Pipeline,
  target: Target,
  choice: Choice,
): Generator<KeyAsked> {
  const { alone } = assetsAsked(pipeline, target, choice);
  const ofAll = new Map(alone.map((asset) => [asset, view.statusOf(asset, null, [null])[0]!]));
  for (const { key, statusOf } of keysOf(view, pipeline, target, choice))
    yield { key, statusOf: (asset) => ofAll.get(asset) ?? statusOf(asset) };
}

/** Whether the states that were chosen decide, and one of them is this one. Where none was, every key is chosen. */
export function isChosenBy(choice: Choice, status: PartitionStatus): boolean {
  return !isByState(choice) || isInStates(status, choice.states);
}

function* keysOf(view: StateView, pipeline: Pipeline, target: Target, choice: Choice): Generator<KeyAsked> {
  const { set, named } = target;
  if (named === null) {
    const query = queryOf(pipeline, target, choice);
    const column = new Map([...query.assets, ...query.alsoOf].map((asset, at) => [asset, at]));
    for (const { key, statuses } of view.candidates(query))
      yield { key, statusOf: (asset) => statuses[column.get(asset)!]! };
    return;
  }
  const { prefix, order } = choice;
  const { ofSet } = assetsAsked(pipeline, target, choice);
  const columns = new Map(ofSet.map((asset) => [asset, view.statusOf(asset, set, named)]));
  const positions = [...named.keys()].filter(
    (at) => prefix === null || (named[at]?.startsWith(prefix) ?? true),
  );
  for (const at of order === 'newest' ? positions.reverse() : positions)
    yield { key: named[at]!, statusOf: (asset) => columns.get(asset)![at]! };
}

/** The assets whose statuses decide, or are wanted: those of the set, and those that have one for all keys. */
function assetsAsked(
  pipeline: Pipeline,
  { assets }: Target,
  choice: Choice,
): { readonly ofSet: readonly string[]; readonly alone: readonly string[] } {
  if (!isByState(choice) && !choice.wantsStatuses) return { ofSet: [], alone: [] };
  const names = [...new Set(assets.flatMap(({ name, upstream }) => [name, ...upstream]))];
  const isAlone = (name: string): boolean => pipeline.assets.get(name)?.set == null;
  return { ofSet: names.filter((name) => !isAlone(name)), alone: names.filter(isAlone) };
}

function queryOf(pipeline: Pipeline, target: Target, choice: Choice): CandidateQuery {
  const { ofSet } = assetsAsked(pipeline, target, choice);
  const chosen = new Set(target.assets.map(({ name }) => name));
  const { states, prefix, order } = choice;
  return {
    set: target.set!,
    inStates: isByState(choice)
      ? (['missing', 'failed', 'stale'] as const).filter((state) => states[state])
      : null,
    assets: ofSet.filter((name) => chosen.has(name)),
    alsoOf: ofSet.filter((name) => !chosen.has(name)),
    prefix,
    order,
  };
}

export function isByState({ states: { all, missing, failed, stale } }: Choice): boolean {
  return !all && (missing || failed || stale);
}

/** Those in the chosen states, and what depends on them among the chosen. Assets come in dependency order. */
export function inChosenStates(
  assets: readonly AssetDefinition[],
  statusOf: (asset: string) => PartitionStatus,
  states: ChosenStates,
  besides: Besides & { readonly key: string | null } = NOTHING_BESIDES,
): { readonly taken: ReadonlyMap<AssetDefinition, RunReason>; readonly waiting: Candidate['waiting'] } {
  const taken = new Map<AssetDefinition, RunReason>();
  const takenNames = new Set<string>();
  const waiting: Waiting[] = [];
  const { isChosen, lacking, key } = besides;
  const isTaken = (above: string): boolean => takenNames.has(above) || isChosen(above, key);
  for (const asset of assets) {
    const { name, upstream } = asset;
    const status = statusOf(name);
    const reason = reasonToMake(status);
    if (!isInStates(status, states) && !upstream.some(isTaken)) continue;
    // What waits itself is not there either, unless an older value of it is.
    const absent = upstream.find((above) => !isTaken(above) && !isThere(statusOf(above)));
    const lacks = lacking(asset, key);
    if (absent !== undefined) waiting.push({ asset: name, upstream: absent });
    else if (lacks.length > 0) waiting.push(...lacks);
    else {
      // What is well and depends on what is made is made from something older from then on.
      taken.set(asset, reason ?? 'upstream');
      takenNames.add(name);
    }
  }
  return { taken, waiting };
}

const NOTHING_BESIDES = { isChosen: () => false, lacking: () => [], key: null };

/** Somebody asked for all of them: only what is not even to be queued waits. */
function withoutWaiting(
  assets: readonly AssetDefinition[],
  key: string | null,
  { lacking }: Besides,
): Pick<Candidate, 'assets' | 'waiting'> {
  if (!assets.some(isPatient)) return { assets, waiting: [] };
  const waiting = assets.filter(isPatient).flatMap((asset) => lacking(asset, key));
  const waits = new Set(waiting.map(({ asset }) => asset));
  return { assets: assets.filter(({ name }) => !waits.has(name)), waiting };
}

function isPatient({ gathers }: AssetDefinition): boolean {
  return gathers.some(({ onMissing }) => onMissing === 'wait');
}

function isInStates(status: PartitionStatus, states: ChosenStates): boolean {
  const reason = reasonToMake(status);
  if (reason === null) return false;
  return states[reason === 'missing' || reason === 'failed' ? reason : 'stale'];
}

/** What is the matter with an asset for a key; `null`: nothing is, or there is nothing to make. */
function reasonToMake(status: PartitionStatus): Exclude<RunReason, 'asked'> | null {
  const counted = countedAs(status);
  if (counted === 'missing' || counted === 'failed') return counted;
  return whyStale(status);
}
