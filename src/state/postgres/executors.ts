/** This process as an owner of runs: what it notes for others, and its signs of life. */
import { isoTime } from '../../model/time.ts';
import { LEAST_SILENCE_MS, mayBlockMs } from '../../model/may-block.ts';
import { isVisible, isRunningHere, type Owner, thisProcess } from '../../files/process-owner.ts';
import type { ExecutorView } from '../state-view.ts';
import type { Executor } from '../store.ts';
import type { ExecutorRow } from './read/moment.ts';
import type { ExecutorNotes } from './executor-notes.ts';

export interface EnteredExecutor {
  readonly owner: Owner;
  readonly leaseMs: number;
}

/** Where it can be seen from here (same boot, same namespace) a live one is never given up; elsewhere its signs of life decide. */
export function executorView(row: ExecutorRow, now: number): ExecutorView {
  const { id, owner, slots, wants, silent_ms: silent, still_ms: still, lease_ms: lease } = row;
  const visible = isVisible(owner);
  const alive = visible ? isThis(owner) || isRunningHere(owner) : silent < lease;
  const mayBlock = mayBlockMs(row.begun.map(({ may_block_ms: ms }) => ms));
  // Its last sign said so; or there was none for so long. A sign that is late by itself says nothing of the event loop.
  const isSaid = still - silent > Math.max(LEAST_SILENCE_MS, mayBlock);
  const isBlocked = alive && (isSaid || (still >= LEAST_SILENCE_MS && still > mayBlock + lease / 2));
  return {
    id,
    pid: owner.pid,
    host: owner.host,
    since: owner.since,
    slots,
    wants,
    pools: row.pools ?? {},
    alive,
    lastSeen: isoTime(now - silent),
    visible,
    begun: new Map(row.begun.map(({ run, at }) => [run, at])),
    blockedSince: isBlocked ? isoTime(now - still) : null,
    atWork: isBlocked ? row.at_work : null,
    interrupted: new Set(alive ? [] : row.begun.map(({ run }) => run)),
    programs: alive ? [] : row.programs,
  };
}

/** This very process, which need not be looked for. */
function isThis({ pid, startTime }: Owner): boolean {
  const self = thisProcess();
  return pid === self.pid && startTime === self.startTime;
}

/** What the executor tells, and what it lets the signs of life know. */
export function executorOf(
  id: string,
  notes: ExecutorNotes,
  {
    now,
    onBegun,
    onEnded,
    onLeave,
  }: {
    readonly now: () => string;
    readonly onBegun: (mayBlockMs: number) => void;
    readonly onEnded: (mayBlockMs: number) => void;
    readonly onLeave: () => Promise<void>;
  },
): Executor {
  const begun = new Map<string, number>();
  return {
    id,
    begun: (runId, mayBlockMs) => {
      const before = begun.get(runId);
      if (before === mayBlockMs) return;
      if (before !== undefined) onEnded(before);
      begun.set(runId, mayBlockMs);
      onBegun(mayBlockMs);
      // Before user code begins: what takes its process down must be known to have begun.
      return notes.begun(runId, { at: now(), mayBlockMs });
    },
    started: (program) => notes.started(program),
    ended: (runId) => {
      const before = begun.get(runId);
      if (before !== undefined) onEnded(before);
      begun.delete(runId);
      notes.ended(runId);
    },
    leave: async () => {
      await notes.flushed().catch(() => undefined);
      await onLeave();
    },
  };
}
