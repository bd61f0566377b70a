/** One process that executes assets for this command: given a try, watched, and ended where it does not end by itself. */
import { type ChildProcess, fork } from 'node:child_process';
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import type { Member } from '../../engine/runs/call-together.ts';
import {
  ANY_RUN,
  type ProcessGroup,
  type Processes,
  PROGRAM_MARK,
  type Programs,
  RUN_MARK,
} from '../../engine/user-code/programs.ts';
import { startTimer } from '../../engine/user-code/timer.ts';
import { FailureError } from '../../model/failure.ts';
import { answerTo } from '../../values/asked-values.ts';
import { CallInHand } from './call-in-hand.ts';
import type { FromProcess, StartMessage, ToProcess } from './asset-messages.ts';
import { type EndedFor, Ending } from './end-in-time.ts';
import { failureOfEnd, type ProcessEnd } from './how-it-ended.ts';
import { hasSaidAll } from './last-words.ts';

/** To load a pipeline takes less; what takes longer waits for something that does not come. */
const STARTS_WITHIN_MS = 60_000;

/** So much of what it printed last is kept, to see why it died. */
const MOST_SAID = 4000;

export interface ChildOptions extends Omit<StartMessage, 'type'> {
  readonly script: string;
  /** MiB of heap that its code may take; `null`: what Node gives it. */
  readonly memoryMb: number | null;
  /** Process groups that are killed at once, and those of programs, which are asked first. */
  readonly groups: { readonly killed: Processes; readonly asked: Processes };
}

export class AssetChild {
  readonly #options: ChildOptions;
  readonly #process: ChildProcess;
  /** `undefined`: the system has started none. */
  readonly #group: ProcessGroup | undefined;
  readonly #onEnd: () => void;
  readonly #start: Promise<string | null>;
  #started: (unusable: string | null) => void = () => undefined;
  #inHand: CallInHand | undefined;
  /** Also the one before: what that left behind may print. */
  #last: CallInHand | undefined;
  #said = '';
  #strayed: string | undefined;
  /** Why it was killed from here. */
  #killedFor: { readonly why: EndedFor; readonly ms: number } | undefined;
  #ending: Ending | undefined;
  #end: ProcessEnd | undefined;
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
    const { pid } = this.#process;
    this.#group = pid === undefined ? undefined : groups.killed.watch(pid);
    this.#start = new Promise((resolve) => (this.#started = resolve));
    for (const name of ['stdout', 'stderr'] as const)
      this.#process[name]?.on('data', (chunk: Buffer) => this.#guard(() => this.#hear(name, chunk)));
    this.#process.on('message', (message) => this.#guard(() => this.#told(message as FromProcess)));
    this.#process.on('error', (error) => {
      this.#started(error.message);
      // It has no exit.
      if (pid === undefined) onEnd();
    });
    this.#process.once('exit', (code, signal) => void this.#ended(code, signal));
    const { pipeline, state, values, parent } = options;
    this.#tell({ type: 'start', pipeline, state, values, parent, starter, number });
  }

  /** For one key, or for all of a batch. What fails of dynpart's own files there is thrown by the try. */
  call(asset: AssetDefinition, members: readonly Member[], programs: Programs): CallInHand {
    const abort = (member: number): void => this.#tell({ type: 'abort', member });
    const call = new CallInHand(asset, members, { programs, abort });
    this.#last = call;
    this.#begin(call).catch((error: unknown) => {
      call.fails(error);
      call.ends(null);
    });
    return call;
  }

  /** Also what somebody prints who was left behind is logged, and may find a disk full. */
  #guard(work: () => void): void {
    if (this.#last === undefined) work();
    else this.#last.guard(work);
  }

  async #begin(call: CallInHand): Promise<void> {
    const unusable = await inTime(this.#start, this.#started);
    if (unusable !== null) {
      this.kill();
      return call.ends((of) => ({ reason: 'process-unusable', ...of, message: unusable }));
    }
    if (call.interrupt.aborted) return call.ends('interrupted');
    const end = this.#end;
    // It was given out while it lived.
    if (end !== undefined) return call.ends((of) => failureOfEnd(of, end));
    const { asset, programs, interrupt, messages: members, lent } = call;
    this.tries++;
    this.#said = '';
    // Found by it after a kill of this process.
    programs.noteProcess({ group: this.#process.pid!, number: this.#options.number });
    this.#inHand = call;
    this.#ending = new Ending({
      timeoutMs: asset.timeoutMs,
      interrupt,
      ping: () => this.#tell({ type: 'ping' }),
      kill: (why, ms) => this.kill({ why, ms }),
    });
    this.#tell({ type: 'try', asset: asset.name, members, lent });
    call.begins();
  }

  #over(endOf: Parameters<CallInHand['ends']>[0]): void {
    const call = this.#inHand;
    this.#inHand = undefined;
    this.#ending?.over();
    call?.ends(endOf);
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
        return this.#last?.log(message.run, message.lines);
      case 'program':
        return this.#noteProgram(message);
      case 'program-ended':
        return this.#inHand?.groups.get(message.group)?.leaderEnded();
      case 'question':
        return void this.#answer(message).catch((error: unknown) => this.#inHand?.fails(error));
      case 'catch-up':
        return void this.#catchUp(message.member).catch((error: unknown) => this.#inHand?.fails(error));
      case 'tried': {
        const { member, tried, staged } = message;
        this.#inHand?.context.ioManager.adopt?.(staged);
        return this.#inHand?.took(member, tried);
      }
      case 'failed': {
        const { failure, member, message: words } = message;
        return this.#inHand?.broke(member, failure === null ? new Error(words) : new FailureError(failure));
      }
      case 'over':
        return this.#codeEnded(message);
    }
  }

  /** Code that does not heed its signal would go on beside the next try. */
  #codeEnded({ isLeft, memory }: FromProcess & { readonly type: 'over' }): void {
    this.memory = memory;
    const ms = this.#inHand?.asset.timeoutMs ?? 0;
    if (isLeft) this.kill();
    this.#over(isLeft ? (of) => ({ reason: 'process-killed', ...of, ms }) : null);
  }

  #noteProgram({ group, number }: { readonly group: number; readonly number: number }): void {
    if (this.#inHand === undefined) return;
    const { programs, groups } = this.#inHand;
    const { asked } = this.#options.groups;
    groups.set(group, programs.startedElsewhere({ group, number }, asked));
  }

  async #answer(question: FromProcess & { readonly type: 'question' }): Promise<void> {
    if (this.#inHand === undefined) return;
    const answer = await this.#ending!.whileAnswered(answerTo(question, this.#inHand.context.ioManager));
    this.#tell({ type: 'answer', question: question.question, answer });
  }

  async #catchUp(member: number): Promise<void> {
    if (this.#inHand === undefined) return;
    const isLost = await this.#ending!.whileAnswered(this.#inHand.caughtUp(member));
    this.#tell({ type: 'caught-up', member, isLost });
  }

  #hear(name: 'stdout' | 'stderr', chunk: Buffer): void {
    this.#said = (this.#said + chunk.toString('utf8')).slice(-MOST_SAID);
    this.#inHand?.writer.write(name, chunk);
  }

  async #ended(code: number | null, signal: string | null): Promise<void> {
    this.isUsable = false;
    this.#group?.leaderEnded();
    // What the code started in the group of its process.
    await Promise.all([this.#group?.end(), hasSaidAll(this.#process)]);
    const said = this.#said;
    const end = (this.#end = { code, signal, said, strayed: this.#strayed });
    this.#started(
      `its process ended while it was loaded (${signal ?? `exit code ${code}`})${said === '' ? '' : `: ${said.trimEnd()}`}`,
    );
    this.#onEnd();
    const killed = this.#killedFor;
    if (killed?.why === 'interrupt') return this.#over('interrupted');
    this.#over((of) =>
      killed === undefined ? failureOfEnd(of, end) : { reason: 'process-killed', ...of, ms: killed.ms },
    );
  }

  #tell(message: ToProcess): void {
    // What cannot be told is told by its end.
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }
}

/** Waits for a start. @param late says why it is waited for no longer */
async function inTime(start: Promise<string | null>, late: (why: string) => void): Promise<string | null> {
  const why = 'it was not ready within a minute: something that the pipeline file waits for does not come';
  const stop = startTimer(STARTS_WITHIN_MS, () => late(why));
  const unusable = await start;
  stop();
  return unusable;
}
