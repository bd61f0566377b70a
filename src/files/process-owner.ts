/** Who this process is, and whether another one that left its name still lives. */
import fs from 'node:fs';
import path from 'node:path';
import { type Clock, isoTime, type Millis, steadyTime } from '../model/time.ts';
import { errno } from './durable-files.ts';
import { fieldsOf, linkOf, readLine, statOf } from './proc.ts';

/** Who holds something: enough to tell a live process from a dead one whose pid was given away again. */
export interface Owner {
  readonly id: string;
  readonly pid: number;
  /** The process's start in clock ticks since boot; `null` where the system does not say. */
  readonly startTime: string | null;
  readonly bootId: string | null;
  readonly pidNamespace: string | null;
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** What the machine's clock that nobody sets showed then, in milliseconds. Not in older files. */
  readonly steady?: number;
  /** It saw the state on a file system that only one running machine can have: `null` on any other. Not in older files. */
  readonly disk?: 'local' | null;
}

/** Without a sign of life for so long, an owner that cannot be seen from here is taken for dead. */
export const LEASE_MS = 5 * 60_000;

/** How often a live owner shows itself to those that cannot see its process. */
export const HEARTBEAT_MS = 30_000;

/** Keeps a file's time of change fresh as a sign of life, until the function that it answers with is called. */
export function showLife(touch: (now: Date) => void, everyMs = HEARTBEAT_MS): () => void {
  const heartbeat = setInterval(() => touch(new Date()), everyMs);
  heartbeat.unref();
  return () => clearInterval(heartbeat);
}

type Identity = Omit<Owner, 'id' | 'since' | 'steady' | 'disk'>;

/** Two readings of two clocks are less than that apart. */
const CLOCKS_APART_MS = 1000;

/**
 * For how long an owner has not shown itself. Where its clock was set meanwhile, or its machine slept, the clock that nobody sets
 * tells by how much: silence is only what both readings bear out.
 */
export function silenceOf(owner: Owner, lastSign: Millis, { now, steady }: Moment): Millis {
  const age = now - lastSign;
  if (!isOnThisMachine(owner)) return age;
  const setForward = now - steady - (Date.parse(owner.since) - owner.steady);
  // The clocks are not read in the same instant: a sign may seem to be a moment ahead.
  const borneOut = [age, age - setForward].filter((possible) => possible > -CLOCKS_APART_MS);
  return borneOut.length === 0 ? 0 : Math.max(0, Math.min(...borneOut));
}

/** One reading of both clocks: of the one that people set and of the one that nobody sets. */
export interface Moment {
  readonly now: Millis;
  readonly steady: Millis;
}

export function momentOf(clock: Pick<Clock, 'now' | 'steady'>): Moment {
  return { now: clock.now(), steady: steadyTime(clock) };
}

let identity: Identity | undefined;

/** This process. */
export function thisProcess(): Identity {
  return (identity ??= {
    pid: process.pid,
    startTime: startTimeOf(process.pid),
    bootId: readLine('/proc/sys/kernel/random/boot_id'),
    pidNamespace: linkOf('/proc/self/ns/pid'),
    host: hostName(),
  });
}

/** This process under a name of its own, for a state in this folder. */
export function ownerNamed(id: string, { now, steady }: Moment, folder: string): Owner {
  return { id, ...thisProcess(), since: isoTime(now), steady, disk: diskOf(folder) };
}

/**
 * Whether an owner lives. Where it can be seen (same boot, same pid namespace) a live one is never given up, however
 * long it has been silent; elsewhere its last sign of life decides.
 */
export function isAlive(owner: Owner, lastSign: Millis, moment: Moment, folder: string): boolean {
  if (isOfAnEarlierStart(owner, folder)) return false;
  return isVisible(owner) ? isRunning(owner.pid, owner.startTime) : isFresh(owner, lastSign, moment);
}

/** Whether an owner that can be seen from here runs. */
export function isRunningHere({ pid, startTime }: Owner): boolean {
  return isRunning(pid, startTime);
}

/** Whether the process of an owner, and what it started, can be seen from here: same boot, same pid namespace. */
export function isVisible({ bootId, pidNamespace, host }: Owner): boolean {
  const self = thisProcess();
  return (
    bootId === self.bootId && pidNamespace === self.pidNamespace && (bootId !== null || host === self.host)
  );
}

/**
 * Whether a sign of life is recent. A clock that was set would make a live owner look silent for an hour, or a dead one
 * as if its sign were still to come. On one machine the clock that nobody sets tells by how much: the sign was
 * given before or after that.
 */
function isFresh(owner: Owner, lastSign: Millis, { now, steady }: Moment): boolean {
  const age = now - lastSign;
  if (!isOnThisMachine(owner)) return age < LEASE_MS;
  const setForward = now - steady - (Date.parse(owner.since) - owner.steady);
  return [age, age - setForward].some((possible) => Math.abs(possible) < LEASE_MS);
}

/**
 * Whether its machine has been started again since. Another boot id alone may be another host's, which lives; a machine id
 * is shared by clones of a machine. But what two boots both had as a local disk, they cannot both have mounted now.
 */
function isOfAnEarlierStart({ bootId, disk }: Owner, folder: string): boolean {
  const self = thisProcess();
  if (bootId === null || self.bootId === null || bootId === self.bootId) return false;
  return disk === 'local' && diskOf(folder) === 'local';
}

/** ext2 to ext4, XFS, Btrfs, F2FS, ZFS, bcachefs. Not what may stand for something else: overlays, FUSE, 9P, networks. */
const LOCAL_DISKS: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e,
]);

/** The kind of the file system that holds a folder, or will hold it. */
function diskOf(folder: string): 'local' | null {
  try {
    return LOCAL_DISKS.has(fs.statfsSync(folder).type) ? 'local' : null;
  } catch (error) {
    const above = path.dirname(folder);
    return errno(error) === 'ENOENT' && above !== folder ? diskOf(above) : null;
  }
}

/** When somebody became an owner, as the clock of this machine counts now. */
export function sinceOf(owner: Owner, { now, steady }: Moment): string {
  return isOnThisMachine(owner) ? isoTime(now - (steady - owner.steady)) : owner.since;
}

/** Since its last start, and it said what the clock that nobody sets showed. */
function isOnThisMachine(owner: Owner): owner is Owner & { readonly steady: number } {
  return owner.bootId !== null && owner.bootId === thisProcess().bootId && owner.steady !== undefined;
}

/** A short name for this process, for files that only it writes. */
export function processTag(): string {
  const { pid, startTime } = thisProcess();
  return `${pid}-${startTime ?? 0}-${placeTag()}`;
}

/** Whether the process that wrote a file under its tag can be seen to be gone; `false` when it cannot be seen at all. */
export function isGone(tag: string): boolean {
  const [pid, startTime] = tag.split('-');
  return canBeSeen(tag) && !isRunning(Number(pid), startTime ?? null);
}

/** Whether it can be seen from here if the process of this tag lives. */
export function canBeSeen(tag: string): boolean {
  const place = tag.split('-')[2];
  return place === placeTag() && place !== 'x';
}

/** Far longer than any pause of a process that still needs a file of its own. */
const LEFT_ALONE_MS = 24 * 60 * 60_000;

/**
 * Whether a file that only its process touches was left by one that is gone. One that cannot be seen, in another container or
 * before a restart of the machine, has left it when nobody has touched it for a day: containers come and go with each call
 * of cron, and what one of them left when it was killed would stay for ever.
 */
export function isLeftOver(file: string, tag: string): boolean {
  if (tag === processTag()) return false;
  if (isGone(tag)) return true;
  if (tag.split('-')[2] === placeTag()) return false;
  try {
    return Math.abs(Date.now() - fs.statSync(file).mtimeMs) > LEFT_ALONE_MS;
  } catch {
    // Somebody else has removed it, or the disk is in trouble. Tidying fails nobody.
    return false;
  }
}

function placeTag(): string {
  const { bootId, pidNamespace } = thisProcess();
  return bootId === null ? 'x' : `${bootId.slice(0, 8)}${pidNamespace?.replace(/\D/g, '') ?? ''}`;
}

/** Whether the process with this pid runs, and is the one that began then and not a later one with its number. */
function isRunning(pid: number, startTime: string | null): boolean {
  const stat = statOf(pid);
  // Gone, or hidden from other users: then a signal still finds it.
  if (stat === null || startTime === null) return answersSignals(pid);
  const { state, start } = fieldsOf(stat);
  return state !== 'Z' && state !== 'X' && start === startTime;
}

function startTimeOf(pid: number): string | null {
  const stat = statOf(pid);
  return stat === null ? null : fieldsOf(stat).start;
}

function answersSignals(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, but somebody else's.
    return errno(error) === 'EPERM';
  }
}

function hostName(): string {
  return readLine('/proc/sys/kernel/hostname') ?? process.getBuiltinModule('node:os').hostname();
}
