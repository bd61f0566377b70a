/** One process that executes assets for this command: given a try, watched, and ended where it does not end by itself. */
import { type ChildProcess, fork } from 'node:child_process';
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import { upstreamPartition } from '../../definitions/mapping.ts';
import type { RunTask } from '../../engine/runs/execute-run.ts';
import type { Attempt, Tried } from '../../engine/runs/try-asset.ts';
import { LineWriter } from '../../engine/user-code/output.ts';
import {
  ANY_RUN,
  type ProcessGroup,
  type Processes,
  PROGRAM_MARK,
  RUN_MARK,
} from '../../engine/user-code/programs.ts';
import { startTimer } from '../../engine/user-code/timer.ts';
import { describe } from '../../model/describe-failure.ts';
import { type Failure, FailureError } from '../../model/failure.ts';
import { answerTo } from '../../values/asked-values.ts';
import type { FromProcess, StartMessage, ToProcess } from './asset-messages.ts';
import { type EndedFor, Ending } from './end-in-time.ts';
import { failureOfEnd } from './how-it-ended.ts';
import { hasSaidAll } from './last-words.ts';

/** To load a pipeline takes less; what takes longer waits for something that does not come. */
const STARTS_WITHIN_MS = 60_000;

/** So much of what it printed last is kept, to see why it died. */
const MOST_SAID = 4000;

export interface ChildOptions extends Omit<StartMessage, 'type'> {
  readonly script: string;
  readonly memoryMb: number | null;
  /** Process groups that are killed at once, and those of programs, which are asked first. */
  readonly groups: { readonly killed: Processes; readonly asked: Processes };
}

type Finished = Tried | { readonly thrown: unknown };

/** A try that the process has in hand. */
interface InHand {
  readonly asset: AssetDefinition;
  readonly task: RunTask;
  readonly attempt: Attempt;
  /** Gets what the process prints, but not by way of its log. */
  readonly writer: LineWriter;
  readonly groups: Map<number, ProcessGroup>;
  readonly finish: (finished: Finished) => void;
}

export class AssetChild {
  readonly #options: ChildOptions;
  readonly #process: ChildProcess;
  readonly #group: ProcessGroup;
  readonly #onEnd: () => void;
  readonly #start: Promise<string | null>;
  #started: (unusable: string | null) => void = () => undefined;
  /** Also of the try that it had in hand last: what that left behind may print. */
  #log: Pick<InHand, 'task' | 'attempt' | 'asset'> | undefined;
  #inHand: InHand | undefined;
  #said = '';
  #strayed: string | undefined;
  /** Why it was killed from here. */
  #killedFor: { readonly why: EndedFor; readonly ms: number } | undefined;
  #ending: Ending | undefined;
  /** Tries that it has taken. */
  tries = 0;
  /** Bytes that it took when it was looked at last. */
  memory = 0;
  /** Whether it may be given a try. */
  isUsable = true;

  constructor(options: ChildOptions, onEnd: () => void) {
    const { script, memoryMb, groups, starter, number } = options;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#process = fork(script, [], {
      // A group and session of its own: Ctrl-C is for the command, which tells it in words.
      detached: groups.killed.haveGroups,
      env: { ...process.env, [RUN_MARK]: ANY_RUN, [PROGRAM_MARK]: `${starter}.${number}` },
      execArgv: [...process.execArgv, ...(memoryMb === null ? [] : [`--max-old-space-size=${memoryMb}`])],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#group = groups.killed.watch(this.#process.pid ?? 0);
    this.#start = new Promise((resolve) => (this.#started = resolve));
    for (const name of ['stdout', 'stderr'] as const)
      this.#process[name]!.on('data', (chunk: Buffer) => this.#hear(name, chunk));
    this.#process.on('message', (message) => this.#told(message as FromProcess));
    this.#process.on('error', (error) => this.#started(error.message));
    this.#process.once('exit', (code, signal) => void this.#ended(code, signal));
    const { pipeline, state, values, parent } = options;
    this.#tell({ type: 'start', pipeline, state, values, parent, starter, number });
  }

  /** Tries an asset. @throws FailureError where one of dynpart's own files failed there */
  async tryOnce(asset: AssetDefinition, task: RunTask, attempt: Attempt): Promise<Tried> {
    const { context, interrupt, programs } = attempt;
    this.#log = { asset, task, attempt };
    const writer = new LineWriter(
      (line) => this.#take(task.id, [{ ...line, asset: asset.name, attempt: attempt.attempt }]),
      context.clock,
    );
    const unusable = await this.#startsInTime();
    if (unusable !== null) {
      this.kill();
      return failed(writer, { reason: 'process-unusable', ...of(asset, task), message: unusable });
    }
    if (interrupt.aborted) return 'interrupted';
    this.tries++;
    this.#said = '';
    // Found by it after a kill of this process.
    programs.noteProcess({ group: this.#process.pid!, number: this.#options.number });
    const finished = await new Promise<Finished>((finish) => {
      this.#inHand = { asset, task, attempt, writer, groups: new Map(), finish };
      this.#ending = new Ending({
        timeoutMs: asset.timeoutMs,
        interrupt,
        tell: (message) => this.#tell(message),
        kill: (why, ms) => this.kill({ why, ms }),
      });
      const { id, partitionKey, tags } = task;
      const lent = context.ioManager.waiting?.(upstreamValues(asset, task, attempt)) ?? [];
      const { attempt: number, carried, gathered } = attempt;
      const given = { id, partitionKey, tags };
      this.#tell({ type: 'try', asset: asset.name, task: given, attempt: number, carried, gathered, lent });
    });
    this.#ending?.over();
    this.#inHand = undefined;
    writer.end();
    if (typeof finished === 'object' && 'thrown' in finished) throw finished.thrown;
    if (typeof finished === 'object' && 'failure' in finished && isOfProcess(finished.failure))
      writer.line('stderr', describe(finished.failure).message);
    return finished;
  }

  /** It is not needed any more. Resolves when it has ended. */
  async leave(withinMs: number): Promise<void> {
    this.isUsable = false;
    const ended = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    if (this.#hasEnded) return;
    this.#tell({ type: 'leave' });
    const stop = startTimer(withinMs, () => this.kill());
    await ended;
    stop();
  }

  /** With all of its group. */
  kill(why?: { readonly why: EndedFor; readonly ms: number }): void {
    this.isUsable = false;
    this.#killedFor ??= why;
    this.#process.kill('SIGKILL');
  }

  get #hasEnded(): boolean {
    return (
      this.#process.exitCode !== null || this.#process.signalCode !== null || this.#process.pid === undefined
    );
  }

  async #startsInTime(): Promise<string | null> {
    const stop = startTimer(STARTS_WITHIN_MS, () =>
      this.#started(
        'it was not ready within a minute: something that the pipeline file waits for does not come',
      ),
    );
    const unusable = await this.#start;
    stop();
    return unusable;
  }

  #told(message: FromProcess): void {
    switch (message.type) {
      case 'ready':
        return this.#started(null);
      case 'unusable':
        return this.#started(message.message);
      case 'stray':
        return void (this.#strayed = message.message);
      case 'pong':
        return this.#ending?.heard();
      case 'checks':
        return this.#ending?.begins(message.ms);
      case 'lines':
        return this.#take(message.run, message.lines);
      case 'program':
        return this.#noteProgram(message);
      case 'program-ended':
        return this.#inHand?.groups.get(message.group)?.leaderEnded();
      case 'question':
        return void this.#answer(message);
      case 'tried':
        return this.#tried(message);
      case 'failed': {
        const { failure, message: words } = message;
        return this.#inHand?.finish({
          thrown: failure === null ? new Error(words) : new FailureError(failure),
        });
      }
    }
  }

  #tried({ tried, staged, isLeft, memory }: FromProcess & { readonly type: 'tried' }): void {
    const inHand = this.#inHand;
    if (inHand === undefined) return;
    this.memory = memory;
    const { asset, task, attempt, finish } = inHand;
    attempt.context.ioManager.adopt?.(staged);
    // Code that does not heed its signal would go on beside the next try.
    if (isLeft) this.kill();
    const isLate =
      typeof tried === 'object' && 'failure' in tried && tried.failure.reason === 'asset-timeout';
    if (!isLeft || !isLate) return finish(tried);
    finish({ failure: { reason: 'process-killed', ...of(asset, task), ms: asset.timeoutMs! } });
  }

  #noteProgram({ group, number }: { readonly group: number; readonly number: number }): void {
    if (this.#inHand === undefined) return;
    const { attempt, groups } = this.#inHand;
    const { asked } = this.#options.groups;
    groups.set(group, attempt.programs.startedElsewhere({ group, number }, asked));
  }

  async #answer(question: FromProcess & { readonly type: 'question' }): Promise<void> {
    if (this.#inHand === undefined) return;
    const { task, attempt } = this.#inHand;
    const answer = await answerTo(question, attempt.context.ioManager, task);
    this.#tell({ type: 'answer', question: question.question, answer });
  }

  #take(run: string, lines: (FromProcess & { readonly type: 'lines' })['lines']): void {
    if (this.#log === undefined) return;
    const { asset, task, attempt } = this.#log;
    const { appendLog, emit } = attempt.context;
    const source = task.partitionKey === null ? asset.name : `${asset.name}@${task.partitionKey}`;
    appendLog(run, lines);
    for (const line of lines) emit({ type: 'output', source, line });
  }

  #hear(name: 'stdout' | 'stderr', chunk: Buffer): void {
    this.#said = (this.#said + chunk.toString('utf8')).slice(-MOST_SAID);
    this.#inHand?.writer.write(name, chunk);
  }

  async #ended(code: number | null, signal: string | null): Promise<void> {
    this.isUsable = false;
    this.#group.leaderEnded();
    // What the code started in the group of its process.
    await Promise.all([this.#group.end(), hasSaidAll(this.#process)]);
    const said = this.#said;
    const end = { code, signal, said, strayed: this.#strayed };
    this.#started(
      `its process ended while it was loaded (${signal ?? `exit code ${code}`})${said === '' ? '' : `: ${said.trimEnd()}`}`,
    );
    this.#onEnd();
    if (this.#inHand === undefined) return;
    const { asset, task, finish } = this.#inHand;
    if (this.#killedFor?.why === 'interrupt') return finish('interrupted');
    const named = of(asset, task);
    if (this.#killedFor !== undefined)
      return finish({ failure: { reason: 'process-killed', ...named, ms: this.#killedFor.ms } });
    finish({ failure: failureOfEnd(named, end) });
  }

  #tell(message: ToProcess): void {
    // What cannot be told is told by its end.
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }
}

function of(
  { name }: AssetDefinition,
  { partitionKey }: RunTask,
): { readonly asset: string; readonly key: string | null } {
  return { asset: name, key: partitionKey };
}

function upstreamValues(asset: AssetDefinition, { partitionKey }: RunTask, { context }: Attempt) {
  return [...asset.inputs.values()].map((upstream) => ({
    asset: upstream,
    partitionKey: upstreamPartition(context.pipeline, upstream, partitionKey).key,
  }));
}

function isOfProcess({ reason }: Failure): boolean {
  return reason.startsWith('process-');
}

function failed(writer: LineWriter, failure: Failure): Tried {
  writer.line('stderr', describe(failure).message);
  return { failure };
}
