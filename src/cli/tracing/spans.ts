/** Makes spans of the events of a command: one a tick, below that one a run of its runs, and below that one a try of an asset. */
import type * as ApiModule from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { AttemptEnded, Event, RunLetGo, RunStarted } from '../../engine/event.ts';
import { firstLine } from '../../model/first-line.ts';
import type { Problem } from '../../model/problem.ts';
import type { RunRecord } from '../../model/run.ts';
import { hasFailed, type TickRecord } from '../../model/tick.ts';
import { withoutQueries } from '../../model/without-queries.ts';
import type { Clock } from '../../model/time.ts';

/** What is used of `@opentelemetry/api`. */
export type Api = Pick<typeof ApiModule, 'trace' | 'context' | 'SpanStatusCode'>;

interface OpenRun {
  readonly span: Span;
  readonly context: Context;
  /** Its code has come to its end; that is not on record yet. */
  ended: Date | null;
}

/** Of so many ticks it is remembered which runs are theirs: the latest. Runs of older ones begin a trace of their own. */
const MOST_TICKS = 1000;

export class Spans {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #runs = new Map<string, OpenRun>();
  /** By what the ids of a tick's runs begin with. */
  readonly #ticks = new Map<string, Context>();

  constructor(api: Api, tracer: Tracer, clock: Pick<Clock, 'now'>) {
    this.#api = api;
    this.#tracer = tracer;
    this.#clock = clock;
  }

  see(event: Event): void {
    if (event.type === 'tick-finished') this.#tick(event.tick);
    else if (event.type === 'run-started') this.#begin(event);
    else if (event.type === 'attempt-ended') this.#attempt(event);
    else if (event.type === 'run-ended') this.#isOver(event.run.id);
    else if (event.type === 'run-let-go') this.#letGo(event);
    else if (event.type === 'run-finished') this.#end(event.run);
  }

  /** Runs that did not come to an end here, or whose end is on no record of this process: they are executed again. */
  end(): void {
    for (const id of this.#runs.keys()) this.#isQueued(id);
  }

  #isQueued(id: string): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    this.#runs.delete(id);
    run.span.setAttribute('dynpart.status', 'QUEUED');
    run.span.end(run.ended ?? this.#now());
  }

  #isOver(id: string): void {
    const run = this.#runs.get(id);
    if (run !== undefined) run.ended = this.#now();
  }

  #letGo({ id, why }: RunLetGo): void {
    // One that was interrupted may be recorded as canceled when this process leaves.
    if (why === 'interrupted') this.#isOver(id);
    else this.#isQueued(id);
  }

  #now(): Date {
    return new Date(this.#clock.now());
  }

  #tick(tick: TickRecord): void {
    const added = tick.partitions.reduce((sum, one) => sum + one.added.length, 0);
    const span = this.#tracer.startSpan(`tick ${tick.sensor}`, {
      startTime: new Date(tick.startedAt),
      attributes: {
        'dynpart.sensor': tick.sensor,
        'dynpart.status': tick.status,
        'dynpart.keys_added': added,
        'dynpart.runs_queued': tick.runs.length,
      },
    });
    this.#remember(tick, span);
    const at = new Date(tick.finishedAt);
    if (tick.error !== null && tick.status === 'FAILURE') this.#failed(span, tick.error, at);
    else if (hasFailed(tick))
      for (const { name, error } of tick.failures)
        this.#failed(span, { code: 'source-failed', message: `${name}: ${error}` }, at);
    span.end(at);
  }

  /** The runs that it has queued are executed behind its end, by this process or by another one: what follows here comes below it. */
  #remember({ runs: [first] }: TickRecord, span: Span): void {
    if (!first?.id) return;
    const { trace, context } = this.#api;
    this.#ticks.set(groupOf(first.id), trace.setSpan(context.active(), span));
    const [oldest] = this.#ticks.keys();
    if (this.#ticks.size > MOST_TICKS) this.#ticks.delete(oldest!);
  }

  #begin({ id, partitionKey, assets }: RunStarted): void {
    const span = this.#tracer.startSpan(
      `run ${assets.join(', ')}`,
      {
        startTime: this.#now(),
        attributes: {
          'dynpart.run_id': id,
          'dynpart.asset': assets.length === 1 ? assets[0]! : [...assets],
          ...ofKey(partitionKey),
        },
      },
      this.#ticks.get(groupOf(id)),
    );
    const { trace, context } = this.#api;
    this.#runs.set(id, { span, context: trace.setSpan(context.active(), span), ended: null });
  }

  #attempt({ run, asset, partitionKey, attempt, startedAt, status, problem }: AttemptEnded): void {
    const span = this.#tracer.startSpan(
      `asset ${asset}`,
      {
        startTime: new Date(startedAt),
        attributes: {
          'dynpart.asset': asset,
          'dynpart.run_id': run,
          'dynpart.attempt': attempt,
          'dynpart.status': status,
          ...ofKey(partitionKey),
        },
      },
      this.#runs.get(run)?.context,
    );
    const at = this.#now();
    if (problem !== null) this.#failed(span, problem, at);
    span.end(at);
  }

  #end(record: RunRecord): void {
    const { id, sensor, cause, status, error } = record;
    const run = this.#runs.get(id);
    // It was canceled before it began.
    if (run === undefined) return;
    this.#runs.delete(id);
    const { span, ended } = run;
    const at = ended ?? this.#now();
    span.setAttributes({
      'dynpart.status': status,
      'dynpart.cause': cause,
      ...(sensor !== null && { 'dynpart.sensor': sensor }),
    });
    if (status === 'FAILURE' && error !== null) this.#failed(span, error, at);
    span.end(at);
  }

  /** What leaves the machine has neither passwords nor queries of addresses in it. */
  #failed(span: Span, { code, message: said }: Pick<Problem, 'code' | 'message'>, at: Date): void {
    const message = withoutQueries(firstLine(said));
    span.recordException({ name: code, message }, at);
    span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message });
  }
}

/** Of the id of a run, what all runs have that were queued with it. */
function groupOf(run: string): string {
  return run.slice(0, run.lastIndexOf('-'));
}

function ofKey(partitionKey: string | null): Attributes {
  return partitionKey === null ? {} : { 'dynpart.partition_key': partitionKey };
}
