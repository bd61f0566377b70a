/** What an executor notes for others: one by one, and written together. */
import type { ProgramNote } from '../state-view.ts';
import { numbered, type Port, SOON } from './port.ts';
import { type Held, Turns } from './turns.ts';

const BEGUN = `
  insert into @.begun as b (executor, run, at, may_block_ms)
  select $, * from unnest($::text[], $::text[], $::float8[]) where ${SOON}
  on conflict (executor, run) do update set may_block_ms = excluded.may_block_ms`;

const STARTED = `
  insert into @.program (executor, run, process_group, number)
  select $, * from unnest($::text[], $::int[], $::int[]) where ${SOON} on conflict do nothing`;

const ENDED = `
  delete from @.begun where executor = $ and run = any($::text[]) and ${SOON}`;

const ENDED_PROGRAMS = `
  delete from @.program where executor = $ and run = any($::text[]) and ${SOON}`;

/** That a run has ended is said so long after it at the latest: most often its record, which says so too, is there before. */
const LATER_MS = 500;

/** While others come with each turn of the event loop, a note waits for them: so many, and so long, at most. */
const ENOUGH = 64;
const WAITS_MS = 20;

interface Begun {
  readonly at: string;
  readonly mayBlockMs: number;
}

/** Somebody who goes on when the note is there. */
interface Caller {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Notes {
  readonly begun: Map<string, Begun>;
  programs: ProgramNote[];
  /** And whether programs of theirs may be noted. */
  readonly ended: Map<string, boolean>;
  readonly callers: Caller[];
}

/** One statement of what there is to say, and no more: the server plans it anew each time. */
function statementOf(executor: string, { begun, programs, ended }: Notes): [sql: string, values: unknown[]] {
  const values: unknown[] = [];
  const parts: string[] = [];
  const say = (part: string, ...columns: readonly unknown[][]): void => {
    if (columns[0]!.length > 0) parts.push(numbered(values, part, [executor, ...columns]));
  };
  const notes = [...begun.values()];
  const over = [...ended.keys()];
  say(
    BEGUN,
    [...begun.keys()],
    notes.map(({ at }) => at),
    notes.map(({ mayBlockMs }) => mayBlockMs),
  );
  say(
    STARTED,
    programs.map(({ runId }) => runId),
    programs.map(({ group }) => group),
    programs.map(({ number }) => number),
  );
  say(
    ENDED_PROGRAMS,
    over.filter((run) => ended.get(run)),
  );
  say(ENDED, over);
  const last = parts.pop()!;
  const others = parts.map((part, at) => `part${at} as (${part})`);
  return [others.length === 0 ? last : `with ${others.join(', ')}${last}`, values];
}

const none = (): Notes => ({ begun: new Map(), programs: [], ended: new Map(), callers: [] });

/** In order: the next ones go when those before them are there. */
export class ExecutorNotes {
  readonly #port: Port;
  readonly #executor: string;
  #waiting = none();
  /** Runs of which programs were noted: most start none. */
  readonly #withPrograms = new Set<string>();
  #writing: Promise<void> | null = null;
  #isGathering = false;
  /** Another run has begun since the event loop turned last. */
  #hasCome = false;
  #later: NodeJS.Timeout | undefined;
  readonly #turns: Turns;

  /** @param held see `Turns` */
  constructor(port: Port, executor: string, held?: Held) {
    this.#port = port;
    this.#executor = executor;
    this.#turns = new Turns(held);
  }

  /** @returns when others can read it */
  begun(run: string, note: Begun): Promise<void> {
    if (this.#waiting.ended.get(run)) this.#withPrograms.add(run);
    this.#waiting.ended.delete(run);
    this.#waiting.begun.set(run, note);
    return new Promise((resolve, reject) => {
      this.#waiting.callers.push({ resolve, reject });
      this.#hasCome = true;
      this.#gather();
    });
  }

  started(program: ProgramNote): void {
    this.#withPrograms.add(program.runId);
    this.#waiting.programs.push(program);
    this.#soon();
  }

  ended(run: string): void {
    this.#waiting.begun.delete(run);
    this.#waiting.programs = this.#waiting.programs.filter(({ runId }) => runId !== run);
    this.#waiting.ended.set(run, this.#withPrograms.delete(run));
    // Most often the next run begins, and it is said with that.
    this.#later ??= setTimeout(() => this.#soon(), LATER_MS).unref();
  }

  /** All notes until now are there. */
  async flushed(): Promise<void> {
    if (this.#writing !== null) await this.#writing.catch(() => undefined);
    await this.#write();
  }

  #soon(): void {
    // A note that could not be written says less to others; what is on record does not rest on it.
    this.flushed().catch(() => undefined);
  }

  /** Where runs are quick, the next ones begin while these are let go: a statement for each of them would cost more than they do. */
  #gather(): void {
    if (this.#isGathering || this.#writing !== null) return;
    this.#isGathering = true;
    this.#hasCome = false;
    const since = performance.now();
    const turn = (): void => {
      const { length } = this.#waiting.callers;
      const others = this.#hasCome && performance.now() - since < WAITS_MS;
      // It would wait for those that are to go on before it.
      if ((others || this.#turns.waiting > 1) && length < ENOUGH) {
        this.#hasCome = false;
        this.#turns.afterTurn(turn);
        return;
      }
      this.#isGathering = false;
      this.#soon();
    };
    setImmediate(turn);
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
      if (this.#waiting.callers.length > 0) this.#gather();
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    clearTimeout(this.#later);
    this.#later = undefined;
    const notes = this.#waiting;
    const { begun, programs, ended, callers } = notes;
    this.#waiting = none();
    if (ended.size + begun.size + programs.length === 0) return;
    try {
      await this.#port.execute(...statementOf(this.#executor, notes));
    } catch (error) {
      for (const { reject } of callers) reject(error);
      throw error;
    }
    this.#turns.go(callers.map(({ resolve }) => resolve));
  }
}
