/** What stands beside keys and runs goes along, and is compared where it went. */
import { createHash } from 'node:crypto';
import { fail } from '../../model/failure.ts';
import type { RunLogLine } from '../store.ts';
import { type Belongings, bySize, GROUP } from './belongings.ts';
import { refuse } from './refuse.ts';
import type { MoveOptions, Station } from './station.ts';

export interface Counts {
  readonly ended: number;
  readonly ticks: number;
  readonly values: number;
}

export async function countAll(from: Belongings): Promise<Counts> {
  let ended = 0;
  for await (const runs of from.runs()) ended += runs.length;
  let ticks = 0;
  for (const sensor of await from.sensors()) ticks += (await from.ticks(sensor)).length;
  let values = 0;
  for await (const names of from.values()) values += names.length;
  return { ended, ticks, values };
}

/** @param mayBeFull values that are there are none of an interrupted move */
export async function copyBelongings(
  { source, target, values: moves, say }: MoveOptions,
  mayBeFull: boolean,
): Promise<Counts> {
  const from = await source.belongings();
  const to = await target.belongings();
  await to.clear({ values: mayBeFull && moves });
  const sent = { ticks: new Sum(), runs: new Sum(), lines: new Sum() };
  for (const sensor of await from.sensors()) {
    const ticks = await from.ticks(sensor);
    await to.putTicks(sensor, ticks);
    for (const tick of ticks) sent.ticks.add(tick);
  }
  for await (const runs of from.runs()) {
    if (runs.length > 0) await to.putRuns(runs);
    for (const run of runs) sent.runs.add(run);
    await copyLogs(
      runs.map(({ id }) => id),
      source.store,
      to,
      sent.lines,
    );
  }
  await to.putRuns([]);
  const pending = (await source.store.runs({ status: 'QUEUED' })).runs.map(({ id }) => id);
  await copyLogs(pending, source.store, to, sent.lines);
  await compareThePast(sent, to, pending, target);
  const values = moves ? await copyValues(from, to, target.place, say) : 0;
  return { ended: sent.runs.count, ticks: sent.ticks.count, values };
}

async function copyLogs(
  runs: readonly string[],
  from: Station['store'],
  to: Belongings,
  sum: Sum,
): Promise<void> {
  let waiting: (readonly [string, readonly RunLogLine[]])[] = [];
  let lines = 0;
  for (const run of runs)
    for await (const part of partsOfLog(from, run, sum)) {
      waiting.push([run, part]);
      lines += part.length;
      if (lines < GROUP) continue;
      await to.putLogs(waiting);
      waiting = [];
      lines = 0;
    }
  if (waiting.length > 0) await to.putLogs(waiting);
}

async function* partsOfLog(
  store: Station['store'],
  run: string,
  sum: Sum,
): AsyncGenerator<readonly RunLogLine[]> {
  for (let from = 0; ;) {
    const { lines, next, isEnd } = await store.readLog(run, from);
    for (const line of lines) sum.add([run, line]);
    if (lines.length > 0) yield lines;
    if (isEnd) return;
    from = next;
  }
}

/** Read again where it went. Of a long past a place may keep the newest part only: what it dropped is told. */
async function compareThePast(
  sent: { readonly ticks: Sum; readonly runs: Sum; readonly lines: Sum },
  to: Belongings,
  pending: readonly string[],
  { place, store }: Station,
): Promise<void> {
  const found = { ticks: new Sum(), runs: new Sum(), lines: new Sum() };
  for (const sensor of await to.sensors()) for (const tick of await to.ticks(sensor)) found.ticks.add(tick);
  const addLog = async (run: string): Promise<void> => {
    const parts = partsOfLog(store, run, found.lines);
    while ((await parts.next()).done !== true);
  };
  for await (const runs of to.runs())
    for (const run of runs) {
      found.runs.add(run);
      await addLog(run.id);
    }
  for (const id of pending) await addLog(id);
  for (const what of ['ticks', 'runs', 'lines'] as const)
    if (sent[what].hash !== found[what].hash)
      fail({
        reason: 'move-incomplete',
        place,
        what: what === 'lines' ? 'logs' : what,
        found: found[what].count,
        sent: sent[what].count,
      });
}

async function copyValues(
  from: Belongings,
  to: Belongings,
  place: string,
  say: (text: string) => void,
): Promise<number> {
  let count = 0;
  for await (const names of from.values())
    for (const group of bySize(names)) {
      const digests = await from.digests(group);
      const there = await to.digests(group);
      const missing = group.filter((_, at) => digests[at] !== there[at]);
      const values = await Promise.all(missing.map(async (name) => [name, await from.value(name)] as const));
      if (values.length > 0) await to.putValues(values);
      const put = await to.digests(missing);
      const right = missing.filter((name, at) => put[at] === digests[group.indexOf(name)]);
      if (right.length < missing.length)
        fail({ reason: 'move-incomplete', place, what: 'values', found: right.length, sent: missing.length });
      count += group.length;
    }
  const left = await from.nameless();
  if (left > 0)
    say(
      `${left} values stay where they are: they were made for keys that are in no set any more, and whose names are not known`,
    );
  return count;
}

/** Counts what passes, in its order. */
class Sum {
  readonly #hash = createHash('sha256');
  #count = 0;

  add(value: unknown): void {
    this.#hash.update(JSON.stringify(value));
    this.#count++;
  }

  get count(): number {
    return this.#count;
  }

  get hash(): string {
    return this.#hash.copy().digest('hex');
  }
}

export async function refuseLarge(source: Station, target: Station, moves: boolean): Promise<void> {
  if (!moves) return;
  const { largestValue } = await target.belongings();
  if (largestValue === Infinity) return;
  for await (const names of (await source.belongings()).values()) {
    const large = names.find(({ bytes }) => bytes > largestValue);
    if (large !== undefined)
      refuse(
        `the value of asset '${large.asset}'${large.key === null ? '' : ` for key ${JSON.stringify(large.key)}`} has ${large.bytes} bytes, and ${target.place} keeps ${largestValue} at most`,
        'nothing was moved; keep large values elsewhere (an ioManager of the pipeline, such as s3), or leave all values behind: --no-values',
      );
  }
}
