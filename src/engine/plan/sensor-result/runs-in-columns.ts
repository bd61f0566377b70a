/** Runs that a sensor requests, in columns: requests that are alike stand together. */

/** Runs that are requested alike, one for each key. Columns: a result may request a hundred thousand. */
export interface RequestedRuns {
  readonly set: string | null;
  /** In dependency order. */
  readonly assets: readonly string[];
  /** Assets that take many keys of these: they come in runs of their own, behind these. Not there: none. */
  readonly later?: readonly (readonly string[])[];
  readonly tags: Readonly<Record<string, string>>;
  readonly keys: readonly (string | null)[];
  /** One a key; `null`: the request had none. */
  readonly runKeys: readonly (string | null)[];
  /** Where each of them stood among all requests of the result, from 0. */
  readonly numbers: readonly number[];
}

/** Those of the requested runs that pass. */
export function onlyWhere(
  runs: readonly RequestedRuns[],
  passes: (group: RequestedRuns, at: number) => boolean,
): readonly RequestedRuns[] {
  return runs.map((group) => {
    const { keys, runKeys, numbers } = group;
    const kept = keys.flatMap((_, at) => (passes(group, at) ? [at] : []));
    if (kept.length === keys.length) return group;
    return {
      ...group,
      keys: kept.map((at) => keys[at]!),
      runKeys: kept.map((at) => runKeys[at]!),
      numbers: kept.map((at) => numbers[at]!),
    };
  });
}

type Columns = RequestedRuns & {
  readonly keys: (string | null)[];
  readonly runKeys: (string | null)[];
  readonly numbers: number[];
};

/** Puts requests together that are alike. */
export class RunGroups {
  readonly runs: Columns[] = [];
  readonly #byTarget = new Map<string, Columns>();
  /** By the object that they were copied from: many requests share one. */
  readonly #tags = new Map<unknown, Readonly<Record<string, string>> | null>();
  // Requests that share their target share these very objects, too: most of the time the last group fits.
  #last: { readonly assets: readonly string[]; readonly tags: object; readonly group: Columns } | undefined;

  /** A copy of tags, read once; `null` when they are none. */
  tagsOf(value: unknown): Readonly<Record<string, string>> | null {
    const known = this.#tags.get(value);
    if (known !== undefined) return known;
    const tags = copiedTags(value);
    this.#tags.set(value, tags);
    return tags;
  }

  add(
    { set, assets, later }: Pick<RequestedRuns, 'set' | 'assets' | 'later'>,
    tags: Readonly<Record<string, string>>,
    {
      number,
      partitionKey,
      runKey,
    }: { readonly number: number; readonly partitionKey: string | null; readonly runKey: string | null },
  ): void {
    if (this.#last?.assets !== assets || this.#last.tags !== tags) {
      this.#last = {
        assets,
        tags,
        group: this.#groupOf({
          set,
          assets,
          ...(later && { later }),
          tags,
          keys: [],
          runKeys: [],
          numbers: [],
        }),
      };
    }
    this.#last.group.keys.push(partitionKey);
    this.#last.group.runKeys.push(runKey);
    this.#last.group.numbers.push(number);
  }

  #groupOf(empty: Columns): Columns {
    const tags = Object.entries(empty.tags).sort(([a], [b]) => (a < b ? -1 : 1));
    const alike = JSON.stringify([empty.set, empty.assets, empty.later, tags]);
    const known = this.#byTarget.get(alike);
    if (known !== undefined) return known;
    this.#byTarget.set(alike, empty);
    this.runs.push(empty);
    return empty;
  }
}

function copiedTags(value: unknown): Readonly<Record<string, string>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const tags = Object.entries(value as Record<string, unknown>);
  return tags.every((tag): tag is [string, string] => typeof tag[1] === 'string')
    ? Object.fromEntries(tags.map(([name, text]) => [name.toWellFormed(), text.toWellFormed()]))
    : null;
}
