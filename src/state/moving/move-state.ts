/**
 * Moves a state to another place, so that it can be killed anywhere and goes on when it is called again.
 *
 * Both places are marked first, so that nobody works with one of them meanwhile. What stands beside keys and runs is copied and compared
 * next, then the state itself. When all of it was read again where it went, the target's mark goes: from then on it is there.
 */
import { checkState } from '../document/check-state.ts';
import { difference } from '../document/fingerprint.ts';
import { restoredDocument } from '../document/restored-document.ts';
import type { StateDocument } from '../document/state-document.ts';
import type { MoveMark } from '../../model/move-mark.ts';
import { fail } from '../../model/failure.ts';
import { isoTime } from '../../model/time.ts';
import { copyBelongings, countAll, type Counts, refuseLarge } from './copy-belongings.ts';
import { refuse } from './refuse.ts';
import type { MoveOptions, Station } from './station.ts';

/** What is moved, or would be. */
export interface Moved {
  readonly sets: number;
  readonly keys: number;
  /** Queued ones. */
  readonly runs: number;
  readonly ended: number;
  readonly ticks: number;
  readonly values: number;
}

/** Counts, and changes nothing. @throws FailureError where the move would be refused */
export async function lookAtMove({ source, target, values }: MoveOptions): Promise<Moved> {
  const { document, frozen } = await admitted(source, target);
  if (!frozen) await refuseBusy(source, document);
  const counts = await countAll(await source.belongings());
  await refuseLarge(source, target, values);
  return { ...countsOf(document), ...counts, values: values ? counts.values : 0 };
}

export async function moveState(options: MoveOptions): Promise<Moved> {
  const { source, target, values, clock } = options;
  const { document, frozen, isThere, mayBeFull } = await admitted(source, target);
  if (!frozen) await refuseBusy(source, document);
  const at = isoTime(clock.now());
  let copied: Counts = { ended: 0, ticks: 0, values: 0 };
  if (!isThere) {
    await refuseLarge(source, target, values);
    const comes = { from: source.place, at };
    await mark(target, comes, null);
    if (!frozen) await mark(source, { to: target.place, at, isOver: false }, document.serial);
    copied = await copyBelongings(options, mayBeFull);
    const copy = { ...(await frozenDocument(source, document, frozen)), move: comes };
    await target.store.restore(copy, null, false);
    await compare(copy, target);
    await mark(target, null, null);
  }
  await mark(source, { to: target.place, at, isOver: true }, null);
  return { ...countsOf(document), ...copied };
}

/** The source as it stands now. Where nothing but this move's mark came behind what was looked at, that need not be read once more. */
async function frozenDocument(
  { store }: Station,
  seen: StateDocument,
  wasFrozen: boolean,
): Promise<StateDocument> {
  const { serial } = await store.read({});
  return serial === seen.serial + (wasFrozen ? 0 : 1) ? { ...seen, serial } : store.document();
}

/** The source's mark goes: for a target that is not to be had any more. */
export async function giveUpMove({
  source,
  target,
}: Pick<MoveOptions, 'source'> & { target: Station | null }): Promise<Moved> {
  const document = await source.store.document();
  const { move } = document;
  if (move === undefined || 'from' in move || move.isOver)
    refuse(`${source.place} is not being moved`, 'nothing was changed');
  if (target !== null) {
    const there = await target.store.document();
    if (there.move === undefined && there.serial > 0)
      refuse(
        `all of the state is in ${target.place} already`,
        `let the move end: dynpart state move --to ${target.place}`,
      );
  }
  await mark(source, null, null);
  return { ...countsOf(document), ended: 0, ticks: 0, values: 0 };
}

interface Admitted {
  readonly document: StateDocument;
  /** An earlier call has begun, and was interrupted. */
  readonly frozen: boolean;
  /** It had brought everything there. */
  readonly isThere: boolean;
  /** The target holds what was there before the move. */
  readonly mayBeFull: boolean;
}

async function admitted(source: Station, target: Station): Promise<Admitted> {
  if (source.place === target.place)
    refuse(`the state is in ${source.place} already`, 'name another place: --to FILE, or --to postgres://…');
  const document = await source.store.document();
  const there = await target.store.document();
  const { move } = document;
  if (document.serial === 0)
    refuse(`there is no state in ${source.place}`, 'the first tick, or partitions add, makes it');
  if (move !== undefined && 'from' in move) fail({ reason: 'state-moved', place: source.place, move });
  if (move !== undefined && (move.isOver || move.to !== target.place))
    fail({ reason: 'state-moved', place: source.place, move });
  const frozen = move !== undefined;
  const isOwn = there.lineage === document.lineage;
  if (frozen && isOwn && there.move === undefined)
    return { document, frozen, isThere: true, mayBeFull: false };
  const [problem] = checkState(document);
  if (problem !== undefined)
    refuse(`${source.place} has a problem: ${problem.message}`, 'look first: dynpart state check');
  const comes = there.move !== undefined && 'from' in there.move && there.move.from === source.place;
  const wasLeft = isOwn && there.move !== undefined && 'to' in there.move && there.move.isOver;
  if (there.serial > 0 && !comes && !wasLeft)
    refuse(
      `${target.place} is not empty: it holds ${there.move === undefined ? 'a state' : 'a state that is being moved, or was'}`,
      'name a place where no state is, or another schema: --to postgres://…?schema=NAME',
    );
  return { document, frozen, isThere: false, mayBeFull: !comes };
}

async function refuseBusy({ place, store }: Station, document: StateDocument): Promise<void> {
  const way = 'let it end, or end it, and run the command again';
  const busy = (await store.read({ executors: true })).executors().find(({ alive }) => alive);
  if (busy !== undefined) refuse(`process ${busy.pid} on ${busy.host} is executing runs of ${place}`, way);
  for (const sensor of Object.keys(document.sensors)) {
    const holder = await store.evaluating(sensor);
    if (holder !== null)
      refuse(`process ${holder.pid} on ${holder.host} evaluates sensor '${sensor}' in ${place}`, way);
  }
}

/** @param serial of the state that was looked at: where others have committed since, nothing is marked */
async function mark({ place, store }: Station, move: MoveMark | null, serial: number | null): Promise<void> {
  await store.commit({}, (view) => {
    if (serial !== null && view.serial !== serial)
      refuse(`${place} was changed meanwhile`, 'nothing was moved; run the command again');
    return { changes: [{ type: 'moved', mark: move }], outcome: undefined };
  });
}

/** The state itself is read again where it went. */
async function compare(copy: StateDocument, { place, store }: Station): Promise<void> {
  const sent = restoredDocument({ copy, present: null, serial: copy.serial, isAlive: () => false });
  const differs = difference(sent, await store.document());
  if (differs !== null) fail({ reason: 'move-incomplete', place, ...differs });
}

function countsOf({ sets, runs }: StateDocument): Pick<Moved, 'sets' | 'keys' | 'runs'> {
  const entries = Object.values(sets);
  return {
    sets: entries.length,
    keys: entries.reduce((sum, { keys }) => sum + keys.length, 0),
    runs: runs.reduce((sum, { numbers }) => sum + numbers.length, 0),
  };
}
