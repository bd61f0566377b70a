/** The state itself: whether it can be read and is whole, whose its claims are, its clock, and how it grows. */
import fs from 'node:fs';
import path from 'node:path';
import { blockedProcesses } from '../../engine/plan/executors/blocked.ts';
import { isMountPoint } from '../../files/mounts.ts';
import { describe } from '../../model/describe-failure.ts';
import { runsIn } from '../../model/pending-run.ts';
import { counted, grouped } from '../../model/text.ts';
import { FailureError } from '../../model/failure.ts';
import { isoTime, type Millis } from '../../model/time.ts';
import type { PageQuery, StateView } from '../../state/state-view.ts';
import type { Context } from '../context.ts';
import { checkState } from '../../state/document/check-state.ts';
import type { Store } from '../stores.ts';
import type { JsonFileStore } from '../../state/json/json-file-store.ts';
import { bytes } from './bytes.ts';
import { type Check, failure, ok, warning } from './check.ts';
import { FROM, originsOf } from './program-checks.ts';

const DAY = 86_400_000;

/** Two clocks, or a clock and a disk, are never quite the same. */
const CLOCKS_APART = 2 * 60_000;

/** The largest file that can be read as one text. */
const LARGEST_STATE = 512 * 1024 * 1024;

/** So many of the newest keys of a set tell how fast it grows. */
const NEWEST = 1000;

/** A database is asked for no more than can be read at once. @throws FailureError where the state cannot be read */
export async function stateCheck(context: Context, store: Store): Promise<Check> {
  const where = `${context.project.place} (${FROM[originsOf(context).state]})`;
  if ('database' in store)
    return ok('state', `${where}, serial ${(await store.read({ sets: true })).serial}`);
  if (isMountPoint(store.file.path)) {
    const { message, hint } = describe({ reason: 'state-mounted', file: store.file.path });
    return failure('state', message, hint);
  }
  const document = await store.document();
  const problems = checkState(document);
  if (problems.length > 0)
    return failure(
      'state',
      `${where} has ${counted(problems.length, 'problem')}: ${problems[0]!.message}`,
      'all of them: dynpart state check; the way back: dynpart state restore --last',
    );
  return ok(
    'state',
    document.serial === 0
      ? `${where} is not there yet: the first commit makes it`
      : `${where}, serial ${document.serial}`,
  );
}

/** Of more runs than these the IDs fill the screen. */
const MOST_NAMED = 5;

/** Runs in the hands of processes that are gone, silent or blocked. */
export function claimsCheck(view: StateView): Check {
  const [blocked] = blockedProcesses(view);
  if (blocked !== undefined) {
    const { message, hint } = describe(blocked.failure);
    return failure('claims', message, hint);
  }
  const alive = new Set(view.executors().flatMap((one) => (one.alive ? [one.id] : [])));
  let [left, waiting] = [0, 0];
  const ids: string[] = [];
  for (const runs of view.runs()) {
    const { owner, origin, count } = runs;
    if (owner === null && origin === 'worker') waiting += count;
    if (owner === null || alive.has(owner)) continue;
    left += count;
    if (left <= MOST_NAMED) ids.push(...[...runsIn(runs)].map(({ id }) => id));
  }
  if (left > 0)
    return warning(
      'claims',
      `${counted(left, 'run')} of a process that is gone, or of another machine that has been silent`,
      `the next tick takes them up: dynpart sensor tick; runs for a worker: dynpart worker --once; where you know that it is gone: dynpart runs release ${left > MOST_NAMED ? 'ID' : ids.join(' ')}`,
    );
  if (waiting > 0 && alive.size === 0)
    return warning(
      'claims',
      `${counted(waiting, 'run')} wait for a worker, and none is there`,
      'start one: dynpart worker',
    );
  return ok(
    'claims',
    alive.size === 0
      ? 'no process executes runs'
      : `${counted(alive.size, 'process', 'processes')} executing runs, alive`,
  );
}

/** What is on record must not be later than now: then the clock was set back, or another machine's is ahead. */
export async function clockCheck(store: Store, view: StateView, now: Millis): Promise<Check> {
  let time: string;
  try {
    time = isoTime(now);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { message, hint } = describe(error.failure);
    return failure('clock', message, hint ?? '');
  }
  const ticks = view.sensorNames().map((name) => view.sensor(name).lastTick?.finishedAt ?? null);
  const { runs } = await store.runs({ limit: 1 });
  const times = [...ticks, ...runs.map((run) => run.finishedAt ?? run.createdAt)]
    .filter((time) => time !== null)
    .map((time) => Date.parse(time));
  const changed = 'database' in store ? 0 : changeOf(store.file.path);
  const ahead = Math.max(changed, ...times) - now;
  if (ahead > CLOCKS_APART)
    return warning(
      'clock',
      `what was recorded last is ${Math.round(ahead / 1000)} s later than now: the clock was set back, or that of another machine is ahead`,
      'let the machines keep their time: timedatectl set-ntp true',
    );
  return ok('clock', `${time}, not before anything on record`);
}

function changeOf(file: string): Millis {
  return fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** How large the state is, and when it will be too large. */
export function sizeCheck(store: JsonFileStore, view: StateView, now: Millis): Check {
  const size = sizeOf(store.file.path);
  const beside = ['history', 'logs'].map((name) => [name, sizeOf(path.join(store.beside, name))] as const);
  let [keys, perDay] = [0, 0];
  for (const set of view.setNames()) {
    keys += view.size(set);
    perDay += growthOf(view, set, now);
  }
  const bytesPerDay = keys === 0 ? 0 : (size / keys) * perDay;
  const message = [
    `${bytes(size)} for ${grouped(keys)} ${keys === 1 ? 'key' : 'keys'}`,
    perDay >= 1 ? `${grouped(Math.round(perDay))} new a day` : 'hardly growing',
    ...beside.map(([name, count]) => `${name} ${bytes(count)}`),
  ].join(', ');
  const daysLeft = bytesPerDay < 1 ? Infinity : (LARGEST_STATE - size) / bytesPerDay;
  if (size > LARGEST_STATE / 4 || daysLeft < 180)
    return warning(
      'size',
      `${message}${daysLeft < 3650 ? `; 512 MiB, the most, in ${grouped(Math.max(0, Math.round(daysLeft)))} days` : ''}`,
      'remove keys that are done: dynpart partitions remove SET --older-than 90d --keep-out',
    );
  return ok('size', message);
}

export function newestKeys(set: string): PageQuery {
  return { set, limit: NEWEST, fromEnd: true };
}

/** Keys a day, by the newest of them. */
function growthOf(view: StateView, set: string, now: Millis): number {
  const { keys, total } = view.page(newestKeys(set));
  const [first] = keys;
  if (first === undefined) return 0;
  const days = (now - Date.parse(first.addedAt)) / DAY;
  // A set that was just filled says nothing of tomorrow.
  return days < 1 && keys.length === total ? 0 : keys.length / Math.max(days, 1 / 24);
}

export function sizeOf(place: string): number {
  const stat = fs.statSync(place, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.size;
  return fs.readdirSync(place).reduce((sum, name) => sum + sizeOf(path.join(place, name)), 0);
}
