/** Everything that can be seen of a history is as the model says. */
import {
  ASSETS,
  type CanceledFor,
  type Committer,
  demand,
  KEYS,
  LATER,
  RUN_KEYS,
  SENSORS,
  SETS,
} from './history-model.ts';
import { letters } from './letters.ts';
import { checkState } from '../../src/state/document/check-state.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import { same } from './history-same.ts';
import type { HistoryWorld } from './history-world.ts';
/** A person at the command line: commits and executes nothing. */
export const NOBODY: Committer = { executor: null, stopping: false, cancels: false };

/** `runs cancel` reaches a run in another process within so long. */
const CANCEL_MS = 2000;

export async function verify(world: HistoryWorld): Promise<void> {
  const { model } = world;
  const { store } = world.operator.hand;
  const view = await store.read(EVERYTHING);
  model.observe(view, NOBODY);
  same(checkState(await world.state.document()), [], 'what state check finds');
  for (const set of SETS) {
    const lives = model.sets.get(set)!;
    const page = view.page({ set: set }).keys;
    same(
      page.map(({ key, addedAt, version, item }) => ({ key, addedAt, version, item })),
      lives.map(({ key, addedAt, carried }) => ({ key, addedAt, ...carried })),
      `the keys of ${set}`,
    );
    same([...view.keptOut(set, KEYS)].sort(), [...model.keptOut.get(set)!].sort(), `what ${set} keeps out`);
  }
  for (const { name, set } of ASSETS) {
    const lives = set === null ? [model.whole] : model.sets.get(set)!;
    const statuses = lives.map((life) => model.letter(name, life)).join('');
    same(letters(view, name, set), statuses, `the statuses of ${name}`);
    const later = LATER[name];
    const failures = lives.map((life) => (later === undefined ? 0 : model.factOf(name, life).failures));
    const tries = view.nextTries(
      name,
      set,
      lives.map(({ key }) => key),
    );
    same(
      tries.map((next) => [next?.failures ?? 0, next === null || next.at === null]),
      failures.map((count) => [count, count === 0 || count > later!.length]),
      `how often ${name} failed, and whether it is tried again`,
    );
    for (const count of failures) if (count > 0) world.count('failed and to be tried again');
    for (const life of lives) {
      const made = model.factOf(name, life).there;
      demand(!made || world.values.has(`${name}@${life.key}`), `${name}@${life.key} has a value`);
    }
  }
  for (const sensor of SENSORS) {
    const { cursor, status, version } = view.sensor(sensor);
    same({ cursor, status, version }, model.sensors.get(sensor), `sensor ${sensor}`);
    const spent = [...view.spentRunKeys(sensor, RUN_KEYS)].sort();
    same(spent, [...model.spent.get(sensor)!.keys()].sort(), `the spent run keys of ${sensor}`);
    const { lastTick } = view.sensor(sensor);
    same(lastTick?.startedAt, world.lastTicks.get(sensor), `the last tick of ${sensor}`);
  }
  const noted = view.pipeline!.assets.flatMap(({ gathers = [] }) =>
    gathers.flatMap(({ unasked = [] }) => Array.from(unasked)),
  );
  same(noted.sort(), [...model.unasked].sort(), 'what is still to be asked');
  await verifyHistory(world);
  verifyProcesses(world);
}

/** How the record of a run that was canceled says why. */
const WHY: Record<CanceledFor, RegExp> = {
  'by hand': /^it was canceled by hand \(runs cancel\)$/,
  'key removed': /^its partition key was removed \(.+\)$/,
  stopped: /^the command was interrupted$/,
};

async function verifyHistory(world: HistoryWorld): Promise<void> {
  const records = await world.records();
  for (const [id, why] of world.model.canceledFor) {
    const said = records.get(id)?.error?.message ?? '';
    demand(WHY[why].test(said) || world.phantoms.has(id), `${id} was canceled: ${why}`, said);
  }
  for (const [id, status] of world.model.finished) same(records.get(id)?.status, status, `the end of ${id}`);
  for (const [id, { status }] of records) {
    const known = world.model.finished.get(id) === status || world.phantoms.has(id);
    demand(known, `${id} ended as ${status}`, world.model.finished.get(id));
  }
  for (const [id, count] of world.state.records()) {
    const ended = world.model.finished.has(id) ? 1 : 0;
    const most = ended + (world.phantoms.get(id) ?? 0);
    demand(count >= ended && count <= most, `${id} is on record once`, { count, most });
  }
}

function verifyProcesses(world: HistoryWorld): void {
  const { model } = world;
  for (const run of model.pending) {
    if (run.canceledAt === null || !model.isAlive(run.owner)) continue;
    const isAmongOthers = world.processes().some((process) => process.isCalledBesideWanted(run.id));
    // A call for many keys goes on for those that are wanted; the time counts from when it has none.
    if (isAmongOthers) world.besideWanted.set(run.id, world.clock.now());
    const since = world.clock.now() - Math.max(run.canceledAt, world.besideWanted.get(run.id) ?? 0);
    demand(since <= CANCEL_MS, `a canceled run is let go of`, run);
  }
  for (const process of world.processes()) {
    for (const [id, { tries }] of process.inFlight) {
      const isAtDoor = world.doors.some((door) => door.process === process && door.run === id);
      const isBetweenTries = tries.at(-1)?.ok === false;
      // What comes next in the run may wait for a process that another one has.
      const waits = tries.length > 0 && process.isolated.waiting > 0;
      if (waits) world.count('waited for a process of its own');
      demand(isAtDoor || isBetweenTries || waits, `the code of ${id} had begun when that was noted`, tries);
    }
  }
}
