/** This process as an owner of runs: what it notes for others, and its signs of life. */
import { isoTime } from '../../model/time.ts';
import { mayBlockMs } from '../../model/may-block.ts';
import { isVisible, isRunningHere, type Owner } from '../../files/process-owner.ts';
import type { ExecutorView, ProgramNote } from '../state-view.ts';
import type { Executor } from '../store.ts';
import type { ExecutorRow } from './read/moment.ts';
import { type Port, SOON } from './port.ts';
import { Turns } from './turns.ts';

export interface EnteredExecutor {
  readonly owner: Owner;
  readonly leaseMs: number;
}

/** The least silence that can be a sign of being blocked. */
const LEAST_SILENCE_MS = 5000;

/** Where it can be seen from here (same boot, same namespace) a live one is never given up; elsewhere its signs of life decide. */
export function executorView(row: ExecutorRow, now: number): ExecutorView {
  const { id, owner, slots, wants, silent_ms: silent, still_ms: still, lease_ms: lease } = row;
  const visible = isVisible(owner);
  const alive = visible ? isRunningHere(owner) : silent < lease;
  const mayBlock = mayBlockMs(row.begun.map(({ may_block_ms: ms }) => ms));
  // A sign that is late by itself says nothing of the event loop.
  const isBlocked = alive && still >= LEAST_SILENCE_MS && still > mayBlock + lease / 2;
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
    interrupted: new Set(alive ? [] : row.begun.map(({ run }) => run)),
    programs: alive ? [] : row.programs,
  };
}

const NOTE = `
with begun as (
  insert into @.begun as b (executor, run, at, may_block_ms)
  select $1, * from unnest($2::text[], $3::text[], $4::float8[]) where ${SOON}
  on conflict (executor, run) do update set may_block_ms = excluded.may_block_ms
), started as (
  insert into @.program (executor, run, process_group, number)
  select $1, * from unnest($5::text[], $6::int[], $7::int[]) where ${SOON} on conflict do nothing
), ended as (
  delete from @.program where executor = $1 and run = any($8::text[]) and ${SOON}
)
delete from @.begun where executor = $1 and run = any($8::text[]) and ${SOON}`;

/** That a run has ended is said so long after it at the latest. */
const LATER_MS = 50;

interface Notes {
  readonly begun: Map<string, { readonly at: string; readonly mayBlockMs: number }>;
  programs: ProgramNote[];
  readonly ended: Set<string>;
}

const none = (): Notes => ({ begun: new Map(), programs: [], ended: new Set() });

/** Notes that are taken one by one and written together, in order: the next ones go while these are on their way. */
export class ExecutorNotes {
  readonly #port: Port;
  readonly #executor: string;
  #waiting = none();
  #writing: Promise<void> | null = null;
  #later: NodeJS.Timeout | undefined;
  readonly #turns = new Turns();

  constructor(port: Port, executor: string) {
    this.#port = port;
    this.#executor = executor;
  }

  /** @returns when others can read it */
  begun(run: string, note: { readonly at: string; readonly mayBlockMs: number }): Promise<void> {
    this.#waiting.ended.delete(run);
    this.#waiting.begun.set(run, note);
    return this.#written();
  }

  started(program: ProgramNote): void {
    this.#waiting.programs.push(program);
    this.#soon();
  }

  ended(run: string): void {
    this.#waiting.begun.delete(run);
    this.#waiting.programs = this.#waiting.programs.filter(({ runId }) => runId !== run);
    this.#waiting.ended.add(run);
    // Most often the next run begins, and it is said with that.
    this.#later ??= setTimeout(() => this.#soon(), LATER_MS).unref();
  }

  async flushed(): Promise<void> {
    await this.#written();
  }

  #soon(): void {
    // A note that could not be written says less to others; what is on record does not rest on it.
    this.#written().catch(() => undefined);
  }

  async #written(): Promise<void> {
    if (this.#writing !== null) await this.#writing.catch(() => undefined);
    // Whoever came first while that was on its way writes for all.
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
    await this.#writing;
    await this.#turns.next();
  }

  async #write(): Promise<void> {
    clearTimeout(this.#later);
    this.#later = undefined;
    const { begun, programs, ended } = this.#waiting;
    this.#waiting = none();
    if (ended.size + begun.size + programs.length === 0) return;
    const notes = [...begun.values()];
    await this.#port.execute(NOTE, [
      this.#executor,
      [...begun.keys()],
      notes.map(({ at }) => at),
      notes.map(({ mayBlockMs }) => mayBlockMs),
      programs.map(({ runId }) => runId),
      programs.map(({ group }) => group),
      programs.map(({ number }) => number),
      [...ended],
    ]);
  }
}

/** What the executor tells, and what it lets the signs of life know. */
export function executorOf(
  id: string,
  notes: ExecutorNotes,
  {
    now,
    onBegun,
    onLeave,
  }: { readonly now: () => string; readonly onBegun: () => void; readonly onLeave: () => Promise<void> },
): Executor {
  const begun = new Map<string, number>();
  return {
    id,
    begun: (runId, mayBlockMs) => {
      if (begun.get(runId) === mayBlockMs) return;
      begun.set(runId, mayBlockMs);
      onBegun();
      // Before user code begins: what takes its process down must be known to have begun.
      return notes.begun(runId, { at: now(), mayBlockMs });
    },
    started: (program) => notes.started(program),
    ended: (runId) => {
      begun.delete(runId);
      notes.ended(runId);
    },
    leave: async () => {
      await notes.flushed().catch(() => undefined);
      await onLeave();
    },
  };
}
