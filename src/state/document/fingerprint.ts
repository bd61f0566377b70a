/** What of a state must be the same wherever it is kept: counted, and as a hash. Serials and who wrote it are not. */
import { createHash, type Hash } from 'node:crypto';
import { entryOf, type StateDocument } from './state-document.ts';
import { versionsIn } from './change-versions.ts';

/** By what it is of. */
export type Fingerprint = Readonly<Record<string, { readonly count: number; readonly hash: string }>>;

export function fingerprintOf(document: StateDocument): Fingerprint {
  const keysOf = (set: string | null): readonly string[] =>
    set === null ? [''] : (entryOf(document.sets, set)?.keys ?? []);
  const parts: Record<string, { count: number; hash: string }> = {};
  const part = (name: string, lines: Iterable<Line>): void => {
    const hash = new Lines();
    for (const line of lines) hash.add(line);
    parts[name] = hash.end();
  };
  part('sets', sorted(Object.keys(document.sets).map((name) => [name])));
  part('keys', keyLines(document));
  part(
    'kept out',
    Object.entries(document.sets)
      .toSorted(byName)
      .flatMap(([name, { keptOut }]) => keptOut.toSorted().map((key) => [name, key])),
  );
  part('statuses', statusLines(document, keysOf));
  part(
    'assets',
    Object.entries(document.assets)
      .toSorted(byName)
      .map(([name, { codeVersion = null, madeAt = null }]) => [name, codeVersion, madeAt]),
  );
  part('run keys', sorted(spentLines(document, keysOf)));
  part('sensors', sensorLines(document));
  part('runs', runLines(document));
  part('incidents', document.incidents === undefined ? [] : [[document.incidents]]);
  part('pipeline', document.pipeline === null ? [] : [[document.pipeline]]);
  return parts;
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

function* statusLines(
  { assets }: StateDocument,
  keysOf: (set: string | null) => readonly string[],
): Generator<Line> {
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

function* spentLines(
  { sensors }: StateDocument,
  keysOf: (set: string | null) => readonly string[],
): Generator<readonly unknown[]> {
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
