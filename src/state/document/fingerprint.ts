/** What of a state must be the same wherever it is kept: counted, and as a hash. Serials and who wrote it are not. */
import { createHash, type Hash } from 'node:crypto';
import { entryOf, type StateDocument } from './state-document.ts';
import { versionsIn } from './change-versions.ts';
import { writtenAlike } from './written-alike.ts';

/** By what it is of. */
export type Fingerprint = Readonly<Record<string, { readonly count: number; readonly hash: string }>>;

type KeysOf = (set: string | null) => readonly string[];

/** What is compared, by name; each a line for whatever counts. */
const PARTS: Readonly<Record<string, (document: StateDocument, keysOf: KeysOf) => Iterable<Line>>> = {
  sets: ({ sets }) => sorted(Object.keys(sets).map((name) => [name])),
  keys: keyLines,
  'kept out': ({ sets }) =>
    Object.entries(sets)
      .toSorted(byName)
      .flatMap(([name, { keptOut }]) => keptOut.toSorted().map((key) => [name, key])),
  statuses: statusLines,
  assets: ({ assets }) =>
    Object.entries(assets)
      .toSorted(byName)
      .map(([name, { codeVersion = null, madeAt = null }]) => [name, codeVersion, madeAt]),
  'run keys': (document, keysOf) => sorted(spentLines(document, keysOf)),
  sensors: sensorLines,
  runs: runLines,
  incidents: ({ incidents }) => (incidents === undefined ? [] : [[incidents]]),
  pipeline: ({ pipeline }) => (pipeline === null ? [] : [[pipeline]]),
};

export function fingerprintOf(document: StateDocument): Fingerprint {
  return Object.fromEntries(Object.keys(PARTS).map((name) => [name, ofPart(name, document)]));
}

/** What a copy has otherwise than what was sent, and how much of that there is; `null`: nothing. */
export function difference(
  sent: StateDocument,
  found: StateDocument,
): { readonly what: string; readonly sent: number; readonly found: number } | null {
  const isWritten = writtenAlike(sent, found);
  for (const what of Object.keys(PARTS)) {
    if (isWritten(what)) continue;
    const [one, other] = [ofPart(what, sent), ofPart(what, found)];
    if (one.hash !== other.hash) return { what, sent: one.count, found: other.count };
  }
  return null;
}

function ofPart(name: string, document: StateDocument): Fingerprint[string] {
  const keysOf: KeysOf = (set) => (set === null ? [''] : (entryOf(document.sets, set)?.keys ?? []));
  const lines = new Lines();
  for (const line of PARTS[name]!(document, keysOf)) lines.add(line);
  return lines.end();
}

/** As a text where it had to be one already. */
type Line = readonly unknown[] | string;

/** Hashed in portions: a call for each of a million lines takes longer than their hash. */
class Lines {
  readonly #hash: Hash = createHash('sha256');
  #waiting = '';
  #count = 0;

  add(line: Line): void {
    this.#waiting += `${typeof line === 'string' ? line : JSON.stringify(line)}\n`;
    this.#count++;
    if (this.#waiting.length > 65_536) this.#flush();
  }

  end(): { readonly count: number; readonly hash: string } {
    this.#flush();
    return { count: this.#count, hash: this.#hash.digest('hex') };
  }

  #flush(): void {
    this.#hash.update(this.#waiting);
    this.#waiting = '';
  }
}

function* keyLines({ sets }: StateDocument): Generator<readonly unknown[]> {
  for (const [name, set] of Object.entries(sets).toSorted(byName)) {
    const versions = versionsIn(set.versions ?? '');
    let at = 0;
    for (const [count, time] of set.added)
      for (const end = at + count; at < end; at++)
        yield [name, set.keys[at], time, versions[at] ?? null, set.items?.[at] ?? null];
  }
}

function* statusLines({ assets }: StateDocument, keysOf: KeysOf): Generator<Line> {
  for (const [name, entry] of Object.entries(assets).toSorted(byName)) {
    const columns = [entry, ...(entry.before ?? [])].filter(({ status }) => /[^.]/.test(status));
    for (const { set, status, retries = [] } of columns.toSorted((one, other) =>
      order(one.set ?? '', other.set ?? ''),
    )) {
      const keys = keysOf(set);
      for (let at = 0; at < status.length; at++)
        if (status[at] !== '.') yield [name, set, keys[at], status[at]];
      yield* sorted(retries);
    }
  }
}

function* spentLines({ sensors }: StateDocument, keysOf: KeysOf): Generator<readonly unknown[]> {
  for (const [name, { runKeys }] of Object.entries(sensors)) {
    for (const [set, letters] of Object.entries(runKeys.ofKeys)) {
      const keys = keysOf(set);
      for (let at = 0; at < letters.length; at++)
        if (letters[at] === '1') yield [name, keys[at], set, keys[at]];
    }
    for (const other of runKeys.other) yield [name, ...other];
  }
}

function sensorLines({ sensors }: StateDocument): (readonly unknown[])[] {
  return Object.entries(sensors)
    .toSorted(byName)
    .map(([name, { status, cursor, lastTick, periods = {}, quietSince = null }]) => [
      name,
      status,
      cursor,
      lastTick,
      Object.entries(periods).toSorted(byName),
      quietSince,
    ]);
}

/** Whoever had them in hand has not: those that were started are queued. */
function* runLines({ runs }: StateDocument): Generator<Line> {
  const lines = runs.flatMap((group) => {
    const { id, createdAt, sensor, set, assets, reasons = null, tags, origin, retryOf } = group;
    return group.numbers.map((number, at) => {
      const key = group.keys[at]!;
      const runKey = group.runKeys === 'keys' ? key : (group.runKeys?.[at] ?? null);
      const letter = group.status[at] === 'c' ? 'c' : 'q';
      const of = String(number);
      const done = group.done?.[of] ?? [];
      const head = [createdAt, sensor, set, assets, reasons, Object.entries(tags), origin, retryOf];
      return [id, number, key, runKey, letter, group.interrupted[at], done, ...head];
    });
  });
  yield* sorted(lines);
}

function sorted(lines: Iterable<readonly unknown[]>): string[] {
  return Array.from(lines, (line) => JSON.stringify(line)).sort(order);
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return order(one, other);
}

function order(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
