/** Runs that a plan asks for key by key, put together where they are alike. Pure. */
import type { Pipeline } from '../../../definitions/pipeline.ts';
import type { RunsAsked } from './queue-runs.ts';

/** What is made of a key. */
export type Work = Pick<RunsAsked, 'assets' | 'reasons' | 'tags'>;

/** One part for each combination of set, assets, reasons and tags, in the order in which they come up. */
export class AskedRuns {
  readonly #by: Pick<RunsAsked, 'sensor' | 'origin'>;
  readonly #pipeline: Pick<Pipeline, 'assets'>;
  readonly #parts = new Map<string, Part>();
  #last: Part | undefined;

  constructor(pipeline: Pick<Pipeline, 'assets'>, by: Pick<RunsAsked, 'sensor' | 'origin'>) {
    this.#pipeline = pipeline;
    this.#by = by;
  }

  get parts(): readonly RunsAsked[] {
    return [...this.#parts.values()];
  }

  add(set: string | null, key: string | null, work: Work): void {
    for (const part of inStages(this.#pipeline, work)) this.#add(set, key, part);
  }

  #add(set: string | null, key: string | null, work: Work): void {
    // Mostly the next key is asked for like the one before: then no name is made of what they have alike.
    if (this.#last === undefined || !isAlike(this.#last, { set, ...work }))
      this.#last = this.#partOf(set, work);
    this.#last.keys.push(key);
  }

  #partOf(set: string | null, work: Work): Part {
    const { assets, reasons, tags } = work;
    const sorted = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
    const name = JSON.stringify([set, assets, reasons ?? null, sorted]);
    const part = this.#parts.get(name) ?? {
      ...this.#by,
      ...work,
      set,
      retryOf: null,
      keys: [],
      runKeys: null,
    };
    this.#parts.set(name, part);
    return part;
  }
}

/** What takes many keys of others comes in a run of its own: the other keys are to be made before it. */
export function inStages<T extends Pick<Work, 'assets' | 'reasons'>>(
  { assets: known }: Pick<Pipeline, 'assets'>,
  work: T,
): readonly T[] {
  const { assets, reasons } = work;
  const stageOf = (asset: string): number => known.get(asset)?.stage ?? 0;
  const first = stageOf(assets[0]!);
  if (assets.every((asset) => stageOf(asset) === first)) return [work];
  const stages = [...new Set(assets.map(stageOf))].sort((a, b) => a - b);
  return stages.map((stage) => {
    const at = [...assets.keys()].filter((position) => stageOf(assets[position]!) === stage);
    return {
      ...work,
      assets: at.map((position) => assets[position]!),
      ...(reasons && { reasons: at.map((position) => reasons[position]!) }),
    };
  });
}

type Part = RunsAsked & { readonly keys: (string | null)[] };

function isAlike(
  one: Work & { readonly set: string | null },
  other: Work & { readonly set: string | null },
): boolean {
  return (
    one.set === other.set &&
    isSameList(one.assets, other.assets) &&
    isSameList(one.reasons ?? [], other.reasons ?? []) &&
    isWithout(one.tags) &&
    isWithout(other.tags)
  );
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, at) => item === other[at]);
}

function isWithout(tags: Work['tags']): boolean {
  for (const _ in tags) return false;
  return true;
}
