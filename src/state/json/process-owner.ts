/** Who this process is, and whether another one that left its name still lives. */
import fs from 'node:fs';
import { isoTime, type Millis } from '../../definitions/time.ts';
import type { Owner } from '../state-document.ts';
import { errno, io } from './durable-files.ts';

/** Without a sign of life for so long, an owner that cannot be seen from here is taken for dead. */
export const LEASE_MS = 5 * 60_000;

/** How often a live owner shows itself to those that cannot see its process. */
const HEARTBEAT_MS = 30_000;

/** Keeps a file's time of change fresh as a sign of life, until the function that it answers with is called. */
export function showLife(file: string): () => void {
  const heartbeat = setInterval(() => {
    const now = new Date();
    fs.utimes(file, now, now, () => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return () => clearInterval(heartbeat);
}

type Identity = Omit<Owner, 'id' | 'since'>;

let identity: Identity | undefined;

/** This process. */
export function thisProcess(): Identity {
  return (identity ??= {
    pid: process.pid,
    startTime: startTimeOf(process.pid),
    bootId: readLine('/proc/sys/kernel/random/boot_id'),
    pidNamespace: pidNamespace(),
    host: hostName(),
  });
}

/** This process under a name of its own. */
export function ownerNamed(id: string, now: Millis): Owner {
  return { id, ...thisProcess(), since: isoTime(now) };
}

/**
 * Whether an owner lives. Where it can be seen (same boot, same pid namespace) a live one is never given up, however
 * long it has been silent; elsewhere its last sign of life decides.
 */
export function isAlive(owner: Owner, lastSign: Millis, now: Millis): boolean {
  const self = thisProcess();
  const visible =
    owner.bootId === self.bootId &&
    owner.pidNamespace === self.pidNamespace &&
    (owner.bootId !== null || owner.host === self.host);
  if (!visible) return now - lastSign < LEASE_MS;
  return isRunning(owner.pid, owner.startTime);
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

/** Far longer than a process leaves a file of its own alone that it still needs. */
const LEFT_ALONE_MS = 60 * 60_000;

/**
 * Whether a file that only its process touches was left by one that is gone. One from before a restart of the machine cannot be
 * told from one of another container's: it is left when nobody has touched it for an hour.
 */
export function isLeftOver(file: string, tag: string): boolean {
  if (tag === processTag()) return false;
  if (isGone(tag)) return true;
  if (tag.split('-')[2] === placeTag()) return false;
  try {
    return Date.now() - fs.statSync(file).mtimeMs > LEFT_ALONE_MS;
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
  const stat = readLine(`/proc/${pid}/stat`);
  // Gone, or hidden from other users: then a signal still finds it.
  if (stat === null || startTime === null) return answersSignals(pid);
  const { state, start } = fieldsOf(stat);
  return state !== 'Z' && state !== 'X' && start === startTime;
}

function startTimeOf(pid: number): string | null {
  const stat = readLine(`/proc/${pid}/stat`);
  return stat === null ? null : fieldsOf(stat).start;
}

/** Fields 3 and 22 of `/proc/PID/stat`. The name in field 2 may hold blanks and parentheses, so count from its end. */
function fieldsOf(stat: string): { readonly state: string; readonly start: string | null } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: fields[19] ?? null };
}

function answersSignals(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, but somebody else's.
    return errno(error) === 'EPERM';
  }
}

function pidNamespace(): string | null {
  try {
    return fs.readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

function hostName(): string {
  return readLine('/proc/sys/kernel/hostname') ?? process.getBuiltinModule('node:os').hostname();
}

/** The content of a small file of the system; `null` only where there is none: a live owner must not seem dead for want of a descriptor. */
function readLine(file: string): string | null {
  return io('read', file, () => {
    try {
      // 'utf8' is what node reads without a detour over streams of unknown length.
      return fs.readFileSync(file, 'utf8').trim();
    } catch (error) {
      const code = errno(error);
      if (code === 'ENOENT' || code === 'ESRCH' || code === 'ENOTDIR') return null;
      throw error;
    }
  });
}
