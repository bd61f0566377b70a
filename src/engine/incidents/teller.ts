/** Calls the hooks of a pipeline: looks at what is wrong, says in the state that it calls, calls, and says what came of it. */
import type { NotifyDefinition } from '../../definitions/notify.ts';
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { Failure } from '../../model/failure.ts';
import type { Incidents } from '../../model/incident.ts';
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import type { Clock, Millis } from '../../model/time.ts';
import type { StateChange } from '../../state/changes.ts';
import type { StateStore } from '../../state/store.ts';
import { lookForIncidents, needsOfLook } from '../plan/incidents/look.ts';
import { type Called, callHooks, type Message, tidied, toldBy, untoldBy } from '../plan/incidents/tell.ts';
import { callHook } from './call-hook.ts';
import { incidentOf } from './message.ts';

/** While a command goes on, it is asked so often whether there is something to tell; and so long an incident gathers its keys. */
const ASK_EVERY_MS = 1000;
const GATHER_MS = 5000;

export interface TellerOptions {
  /** As it is, without what tells. */
  readonly store: StateStore;
  readonly clock: Clock;
  readonly interrupt: AbortSignal;
  /** Whose incidents they are, for the last line of a text; empty: nothing is said of that. */
  readonly from: string;
  /** A hook did not take what it was given; not called again before it has taken something. */
  readonly onFailed: (failure: Failure) => void;
}

export class Teller {
  readonly #options: TellerOptions;
  #hooks: readonly NotifyDefinition[] = [];
  #known: KnownPipeline | undefined;
  #hasNews = true;
  #nextAt: Millis | null = null;
  readonly #over = new AbortController();
  #asking: Promise<void> | null = null;
  /** What keeps from telling is thrown at the end: until then it may pass. */
  #telling: Promise<void> = Promise.resolve();

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  /** From now on these hooks are called; of a pipeline that was edited the new ones. */
  use({ notify }: Pick<Pipeline, 'notify'>, known: KnownPipeline): void {
    this.#hooks = notify;
    this.#known = known;
    this.#hasNews = true;
  }

  readonly news = (): void => {
    this.#hasNews = true;
  };

  /** Tells while a command goes on. */
  begin(): void {
    this.#asking ??= this.#ask();
  }

  async #ask(): Promise<void> {
    const { clock, interrupt } = this.#options;
    const over = AbortSignal.any([this.#over.signal, interrupt]);
    for (;;) {
      await clock.sleep(ASK_EVERY_MS, over);
      if (over.aborted) return;
      const isTime = this.#nextAt !== null && clock.now() >= this.#nextAt;
      if (this.#hasNews || isTime) await this.tell(GATHER_MS).catch(() => undefined);
    }
  }

  /** Tells the rest, at the end of a command. What is left when it was interrupted is told by the next one. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#asking;
    if (!this.#options.interrupt.aborted) await this.tell(0);
  }

  /** @param gatherMs so long an incident is left to gather what belongs to it */
  tell(gatherMs: number): Promise<void> {
    const told = this.#telling.catch(() => undefined).then(() => this.#tell(gatherMs));
    this.#telling = told;
    return told;
  }

  async #tell(gatherMs: number): Promise<void> {
    const { store } = this.#options;
    const known = this.#known;
    if (known === undefined) return;
    this.#hasNews = false;
    const { incidents: seen } = await store.read({});
    const needs = needsOfLook({ known, seen });
    const look = (view: Parameters<typeof lookForIncidents>[0]): Called => {
      const now = this.#options.clock.now();
      const looked = tidied(lookForIncidents(view, { known, seen, now }), { hooks: this.#hooks, now });
      return callHooks(looked, { hooks: this.#hooks, now, gatherMs });
    };
    const before = await store.read(needs);
    let called = look(before);
    // Mostly there is nothing: then nothing is committed.
    if (called.incidents !== before.incidents)
      called = await store.commit(needs, (view) => {
        const now = look(view);
        return { changes: changed(view.incidents, now.incidents), outcome: now };
      });
    this.#nextAt = called.nextAt;
    await Promise.all(called.messages.map((message) => this.#call(message)));
  }

  async #call(message: Message): Promise<void> {
    const { store, clock, interrupt, from, onFailed } = this.#options;
    const hook = this.#hooks.find(({ name }) => name === message.hook)!;
    const incidents = message.due.map((due) => incidentOf(due, clock.now()));
    const called = await callHook(hook, incidents, { clock, interrupt, from });
    const commit = (change: (before: Incidents) => Incidents): Promise<void> =>
      store.commit({}, ({ incidents: before }) => ({
        changes: changed(before, change(before)),
        outcome: undefined,
      }));
    if (called.type === 'taken') return commit((before) => toldBy(before, message, clock.now()));
    this.news();
    if (called.type === 'interrupted') return;
    const { why } = called;
    let isNew = false;
    await commit((before) => {
      const after = untoldBy(before, message.hook);
      isNew = after !== before;
      return after;
    });
    if (isNew) onFailed({ reason: 'notify-failed', hook: message.hook, why });
  }
}

function changed(before: Incidents, after: Incidents): readonly StateChange[] {
  return before === after ? [] : [{ type: 'incidents', incidents: after }];
}
