/** Executes runs for a command: what came of them is said, and is the command's result, whatever happened in between. */
import { RunSession, type RunSessionOptions } from '../engine/runs/run-session.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import type { Emit } from '../engine/event.ts';
import type { RunRecord } from '../model/run.ts';
import { steadyTime } from '../model/time.ts';
import type { Context } from './context.ts';
import { loadProcessGroups } from './isolation/load-process-groups.ts';
import { moreThreads } from './isolation/more-threads.ts';
import type { Output } from './output.ts';
import { EventRenderer } from './render/event-renderer.ts';
import { isLookedAt } from './render/progress-line.ts';
import type { Result } from './json-results.ts';
import type { Counts, Executed } from './json-results-of-runs.ts';
import { hasLeftValues, valuesOf } from './stores.ts';
import { Telling } from './telling.ts';
import type { Tracing } from './tracing/tracing.ts';

export interface SessionChoices {
  readonly concurrency: number | undefined;
  readonly failFast?: boolean;
  /** For so long runs may begin, from now (ms). Default: without a bound. */
  readonly forMs?: number | undefined;
  /** For so long what runs may go on when the command is told to end (ms). Default 0. */
  readonly graceMs?: number | undefined;
  readonly onInterrupt: RunSessionOptions['onInterrupt'];
  /** Whether the result lists the runs. */
  readonly keepsRuns: boolean;
  /** Nothing is changed, and nobody is told. */
  readonly isDryRun?: boolean;
  /** The command ends when it is told to: with `--json` it prints a line for each tick and run. */
  readonly lasts?: boolean;
}

/** What the work of a command has to do with. */
export interface Session {
  readonly session: RunSession;
  readonly options: RunSessionOptions;
  /** By the code as it was loaded last. */
  readonly optionsNow: () => Promise<RunSessionOptions>;
  /** Of the runs that have ended until now. */
  readonly counts: Counts;
  /** Aborted when the command is told to end and what runs may go on: nothing new is to begin. */
  readonly ending: AbortSignal;
}

/** @param resultOf what the command comes to, in the end or when it fails: asked with the runs that have ended */
export async function withSession<Made extends Result | null>(
  context: Context,
  choices: SessionChoices,
  work: (session: Session) => Promise<void>,
  resultOf: (ended: { readonly runs: readonly RunRecord[]; readonly counts: Counts }) => Made,
): Promise<Made> {
  const { output } = context;
  const screen =
    choices.lasts && isLookedAt(output)
      ? new (await import('./render/live-screen.ts')).LiveScreen(output)
      : null;
  const renderer = new EventRenderer(output, {
    ...choices,
    isToldToEnd: () => context.interrupts.code !== null,
    screen,
  });
  const ending = await listening(context, choices.graceMs);
  const telling = choices.isDryRun ? null : new Telling(context);
  let tracing: Tracing | null = null;
  const emit: Emit = (event) => {
    renderer.emit(event);
    tracing?.see(event);
  };
  const optionsNow = async (): Promise<RunSessionOptions> => {
    const options = await sessionOptions(context, choices, emit);
    return telling === null ? options : telling.withStore(options);
  };
  const options = await optionsNow();
  if (!choices.isDryRun && isTraced(context.terminal.env))
    tracing = (await import('./tracing/tracing.ts')).beginTracing(context);
  const session = new RunSession(options);
  const { counts, runs } = renderer;
  const made = (): Made => resultOf({ runs, counts });
  try {
    await work({ session, options, optionsNow, counts, ending });
  } finally {
    renderer.end();
    const before = made();
    if (before !== null) output.soFar(before);
    await session.leave().finally(() => renderer.sayUnrecorded());
    await telling?.end();
    await tracing?.end();
  }
  if (choices.lasts) output.drained();
  return made();
}

/** Whether somebody has said where spans go: by the variables of OpenTelemetry. One that is empty is not set. */
function isTraced(env: Readonly<Record<string, string | undefined>>): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_SDK_DISABLED } = env;
  return (
    Boolean(OTEL_EXPORTER_OTLP_ENDPOINT || OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) && OTEL_SDK_DISABLED !== 'true'
  );
}

async function listening({ interrupts, output }: Context, graceMs = 0): Promise<AbortSignal> {
  if (graceMs > 0) return (await import('./grace.ts')).listenWithGrace(interrupts, graceMs, output);
  interrupts.listen();
  return new AbortController().signal;
}

/** The result of a command that is about runs only. @param summaryOnly leaves their list out */
export function executed(
  { runs, counts }: { readonly runs: readonly RunRecord[]; readonly counts: Counts },
  summaryOnly = false,
): Executed {
  return { ...(summaryOnly ? {} : { runs }), summary: counts };
}

async function sessionOptions(
  { output, project, clock, interrupts, ownFolder }: Context,
  { concurrency, failFast = false, forMs = Infinity, onInterrupt, lasts = false }: SessionChoices,
  emit: Emit,
): Promise<RunSessionOptions> {
  const startsUntil = steadyTime(clock) + forMs;
  moreThreads();
  const pipeline = await project.pipeline();
  return {
    store: project.store,
    pipeline,
    known: await project.loadedAsKnown(),
    ioManager: (executor) => valuesOf(pipeline, project.store, executor),
    hasLeftValues: () => hasLeftValues(pipeline, project.store),
    clock,
    emit: lasts && output.options.json ? printing(output, emit) : emit,
    concurrency: concurrency ?? pipeline.concurrency,
    failFast,
    startsUntil,
    onInterrupt,
    lasts,
    interrupt: interrupts.signal,
    processes: loadProcessGroups,
    ...(await isolation({ project, ownFolder }, pipeline)),
  };
}

/** Where assets of the pipeline have a process of their own. */
async function isolation(
  { project, ownFolder }: Pick<Context, 'project' | 'ownFolder'>,
  pipeline: Pipeline,
): Promise<Pick<RunSessionOptions, 'isolate'>> {
  if ([...pipeline.assets.values()].every(({ isIsolated }) => !isIsolated)) return {};
  const { isolateWith } = await import('./isolation/isolate-with.ts');
  return { isolate: await isolateWith(project, ownFolder, pipeline) };
}

/** Beside what is said: a document a line for each tick and run. */
function printing(output: Output, emit: Emit): Emit {
  return (event) => {
    emit(event);
    if (event.type === 'tick-finished') output.printLine({ tick: event.tick });
    if (event.type === 'run-finished') output.printLine({ run: event.run });
  };
}
