/** The state as one document: for copies and checks, and for tests. */
import {
  type AssetEntry,
  emptyDocument,
  type RetryEntry,
  type RunGroup,
  type SpentRunKeys,
  type StateDocument,
  type StatusColumn,
} from '../../document/state-document.ts';
import { withZero } from '../run-key-text.ts';
import { type Moment, readMoment } from './moment.ts';
import type { JsonValue } from '../../../model/json-value.ts';
import { withColumns } from '../../document/change-carried.ts';
import { areFew } from '../../document/spent-run-keys.ts';
import { versionLines } from '../../document/version-lines.ts';
import { isoText } from './questions.ts';
import { readAllRuns } from './runs.ts';
import { type Port, rows } from '../port.ts';

const KEYS = `
select s.name as set, k.key, ${isoText('k.added_at')} as at, k.version, k.item
from @.key_set s join @.key k on k.set_id = s.id order by s.id, k.pos`;

const KEPT_OUT = `
select s.name as set, o.key from @.key_set s join @.kept_out o on o.set_id = s.id order by s.id, o.n`;

const STATUSES = `
select t.asset, s.name as set, t.key, t.letter, t.failures, t.retry_at from @.status t left join @.key_set s on s.id = t.set_id
order by t.asset, t.set_id desc`;

const RUN_KEYS = `
select r.sensor, coalesce(r.whole, r.run_key) as run_key, s.name as set, r.key
from @.run_key r left join @.key_set s on s.id = r.set_id order by r.sensor, r.run_key`;

const ASSETS = `select name, code_version, made_at from @.asset order by name`;

const WRITTEN = `select coalesce(written_by, '{"version":"","at":""}') as written from @.meta`;

export interface WholeState {
  readonly document: StateDocument;
  readonly moment: Moment;
}

export async function readWhole(
  port: Port,
  admit: (moment: Moment | null) => Promise<Moment>,
): Promise<WholeState> {
  const moment = await admit(await readMoment(port, { sensors: 'all', executors: true }));
  const keys = await rows<KeyRow>(port, KEYS);
  const keptOut = await rows<{ readonly set: string; readonly key: string }>(port, KEPT_OUT);
  const statuses = await rows<StatusRow>(port, STATUSES);
  const assets = await rows<AssetRow>(port, ASSETS);
  const spent = await rows<SpentRow>(port, RUN_KEYS);
  const [by] = await rows<{ readonly written: StateDocument['writtenBy'] }>(port, WRITTEN);
  const sets = setsOf(moment, keys, keptOut);
  const runs: readonly RunGroup[] = await readAllRuns(port);
  const positions = new Map(
    Object.entries(sets).map(([name, set]) => [name, new Map(set.keys.map((key, at) => [key, at]))]),
  );
  const ofSensors = bySensor(spent);
  const document: StateDocument = {
    ...emptyDocument(),
    lineage: moment.lineage,
    serial: moment.serial,
    writtenBy: { version: by!.written.version, at: by!.written.at },
    ...(moment.move !== null && { move: moment.move }),
    pipeline: moment.pipeline,
    sensors: Object.fromEntries(
      moment.sensors
        .filter(({ version }) => version !== null)
        .map(({ name, status, cursor, version, periods, quietSince, inState }) => [
          name,
          {
            status,
            cursor,
            version: version!,
            lastTick: inState,
            ...(periods !== null && { periods }),
            ...(quietSince !== null && { quietSince }),
            runKeys: runKeysOf(ofSensors.get(name) ?? [], sets, positions),
          },
        ]),
    ),
    assets: assetsOf(assets, statuses, positions),
    executors: moment.executors.map(({ owner, slots, wants, pools }) => ({
      ...owner,
      slots,
      wants,
      ...(pools !== null && { pools }),
    })),
    ...(moment.poolStarts !== null && { poolStarts: moment.poolStarts }),
    runs,
    ...(moment.incidents !== null && { incidents: moment.incidents }),
    sets,
  };
  return { document, moment };
}

interface KeyRow {
  readonly set: string;
  readonly key: string;
  readonly at: string;
  readonly version: string | null;
  readonly item: JsonValue;
}

function setsOf(
  { sets }: Moment,
  keys: readonly KeyRow[],
  keptOut: readonly { readonly set: string; readonly key: string }[],
): StateDocument['sets'] {
  const entries = new Map(
    sets.map(({ name }) => [
      name,
      {
        keys: [] as string[],
        added: [] as [number, string][],
        keptOut: [] as string[],
        versions: [] as (string | null)[],
        items: [] as JsonValue[],
      },
    ]),
  );
  for (const { set, key, at, version, item } of keys) {
    const entry = entries.get(set)!;
    entry.keys.push(key);
    entry.versions.push(version === null ? null : withZero(version));
    entry.items.push(item);
    const last = entry.added.at(-1);
    if (last?.[1] === at) last[0]++;
    else entry.added.push([1, at]);
  }
  for (const { set, key } of keptOut) entries.get(set)!.keptOut.push(key);
  return Object.fromEntries(
    Array.from(entries, ([name, { versions, items, ...set }]) => [
      name,
      withColumns(set, { versions: versionLines(versions), items }),
    ]),
  );
}

interface StatusRow {
  readonly asset: string;
  readonly set: string | null;
  readonly key: string;
  readonly letter: string;
  readonly failures: number;
  readonly retry_at: string | null;
}

type Positions = ReadonlyMap<string, ReadonlyMap<string, number>>;

interface AssetRow {
  readonly name: string;
  readonly code_version: string | null;
  readonly made_at: string | null;
}

interface OpenColumn {
  readonly letters: string[];
  readonly retries: RetryEntry[];
}

/** Which of an asset's columns stands first says nothing: each is asked for by its set. */
function assetsOf(
  assets: readonly AssetRow[],
  statuses: readonly StatusRow[],
  positions: Positions,
): StateDocument['assets'] {
  const columns = new Map<string, Map<string | null, OpenColumn>>();
  for (const { asset, set, key, letter, failures, retry_at: at } of statuses) {
    const ofAsset = columns.get(asset) ?? new Map<string | null, OpenColumn>();
    columns.set(asset, ofAsset);
    const column = ofAsset.get(set) ?? { letters: [], retries: [] };
    ofAsset.set(set, column);
    const position = set === null ? 0 : positions.get(set)!.get(key)!;
    column.letters[position] = letter;
    if (failures > 0) column.retries[position] = [set === null ? null : key, failures, at];
  }
  return Object.fromEntries(
    assets.map(({ name, code_version: codeVersion, made_at: madeAt }): [string, AssetEntry] => {
      const [first = { set: null, status: '.' }, ...before] = Array.from(
        columns.get(name) ?? [],
        ([set, { letters, retries }]): StatusColumn => ({
          set,
          status: Array.from(letters, (letter) => letter ?? '.').join(''),
          // By position, with holes: in the order of the set.
          ...(retries.length > 0 && { retries: Object.values(retries) }),
        }),
      );
      return [
        name,
        {
          ...first,
          ...(before.length > 0 && { before }),
          ...(codeVersion !== null && { codeVersion }),
          ...(madeAt !== null && { madeAt }),
        },
      ];
    }),
  );
}

interface SpentRow {
  readonly sensor: string;
  readonly run_key: string;
  readonly set: string | null;
  readonly key: string | null;
}

/** The letter of a key that is a spent run key. */
const SPENT = '1'.charCodeAt(0);

function bySensor(spent: readonly SpentRow[]): ReadonlyMap<string, readonly SpentRow[]> {
  const rowsOf = new Map<string, SpentRow[]>();
  for (const row of spent) {
    const those = rowsOf.get(row.sensor);
    if (those === undefined) rowsOf.set(row.sensor, [row]);
    else those.push(row);
  }
  return rowsOf;
}

function runKeysOf(
  spent: readonly SpentRow[],
  sets: StateDocument['sets'],
  positions: Positions,
): SpentRunKeys {
  const own = new Map<string, string[]>();
  const other: [string, string | null, string | null][] = [];
  for (const { run_key: text, set, key } of spent) {
    const runKey = withZero(text);
    if (set === null || runKey !== key) other.push([runKey, set, key]);
    else {
      const keys = own.get(set);
      if (keys === undefined) own.set(set, [key]);
      else keys.push(key);
    }
  }
  const ofKeys: [string, string][] = [];
  for (const [set, keys] of own) {
    const all = sets[set]!.keys;
    if (areFew(keys.length, all)) for (const key of keys) other.push([key, set, key]);
    else {
      const letters = Buffer.alloc(all.length, '.');
      for (const key of keys) letters[positions.get(set)!.get(key)!] = SPENT;
      ofKeys.push([set, letters.toString('latin1')]);
    }
  }
  return { ofKeys: Object.fromEntries(ofKeys), other };
}
