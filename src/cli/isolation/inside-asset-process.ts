/**
 * A process that executes assets for a command, one try after the other. It loads the pipeline itself and stages values itself;
 * whatever its code does, the command goes on.
 */
import fs from 'node:fs';
import type { NamedCheck } from '../../definitions/check.ts';
import type { AssetDefinition, Pipeline } from '../../definitions/pipeline.ts';
import type { RunValues } from '../../definitions/staged-values.ts';
import { CHECK_TIMEOUT_MS } from '../../engine/runs/check-value.ts';
import { callTogether, isIterable } from '../../engine/runs/call-together.ts';
import { type Tried, type TryContext, tryOnce } from '../../engine/runs/try-asset.ts';
import { Interruption } from '../../engine/user-code/interruption.ts';
import { PROGRAM_MARK, Programs, RUN_MARK } from '../../engine/user-code/programs.ts';
import { describe } from '../../model/describe-failure.ts';
import { FailureError } from '../../model/failure.ts';
import { describeThrown } from '../../model/thrown.ts';
import { AskedValues } from '../../values/asked-values.ts';
import { loadUserPipeline } from '../load-user-pipeline.ts';
import { openStore, valuesStagedFor } from '../stores.ts';
import { systemClock } from '../system-clock.ts';
import type { FromProcess, MemberMessage, StartMessage, ToProcess, TryMessage } from './asset-messages.ts';
import { exitProcess } from './exit-process.ts';
import { loadProcessGroups } from './load-process-groups.ts';

function tell(message: FromProcess): void {
  // Nobody is there to be told any more: the process is about to end.
  if (process.connected) process.send!(message);
}

interface ValuesOfProcess {
  readonly values: RunValues;
  readonly staging?: Awaited<ReturnType<typeof valuesStagedFor>>;
  readonly asked?: AskedValues;
}

class AssetProcess {
  readonly #start: StartMessage;
  readonly #pipeline: Pipeline;
  readonly #values: ValuesOfProcess;
  #interrupts: readonly Interruption[] = [];
  readonly #catchingUp = new Map<number, () => void>();
  /** Of a call for many keys. */
  #over: Promise<void> | undefined;
  #programs: number;
  /** What the code of this call has started. */
  #started: Programs[] = [];
  /** Calls of user code that have not ended. */
  #running = 0;

  private constructor(start: StartMessage, pipeline: Pipeline, values: ValuesOfProcess) {
    this.#start = start;
    this.#programs = start.number;
    this.#pipeline = pipeline;
    this.#values = values;
  }

  static async begin(start: StartMessage): Promise<AssetProcess> {
    const { pipeline } = await loadUserPipeline(start.pipeline, { onOutput: sayRaw, onStray: endByStray });
    // Here it is this process alone that ends.
    process.exit = exitProcess;
    return new AssetProcess(start, pipeline, await valuesFor(start, pipeline));
  }

  async take(message: ToProcess): Promise<void> {
    switch (message.type) {
      case 'try':
        return this.#try(message);
      case 'abort':
        return this.#interrupts[message.member]?.abort();
      case 'caught-up':
        if (message.isLost) this.#interrupts[message.member]?.lose();
        return this.#catchingUp.get(message.member)?.();
      case 'ping':
        return tell({ type: 'pong' });
      case 'answer':
        return this.#values.asked?.answered(message);
      case 'leave':
        this.#values.staging?.handedOver({ isLast: true });
        return exitProcess(0);
      case 'start':
        throw new Error('it was started already');
    }
  }

  async #try({ asset: name, members, lent }: TryMessage): Promise<void> {
    const { values, staging } = this.#values;
    // What was staged before was adopted before this one was asked for.
    staging?.handedOver({ isLast: false });
    staging?.lend(lent);
    this.#interrupts = members.map(() => new Interruption());
    await Promise.all(
      this.#tried(name, members).map(async (trying, member) => {
        try {
          const tried = await trying;
          tell({ type: 'tried', member, tried, staged: values.staged?.(members[member]!.task.id) ?? [] });
        } catch (error) {
          const failure = error instanceof FailureError ? error.failure : null;
          tell({ type: 'failed', member, failure, message: String((error as Error)?.stack ?? error) });
        }
      }),
    );
    await this.#over;
    // Code that waits for a program that does not hear ends with that, and not with this process.
    if (this.#running > 0) await Promise.all(this.#started.map((programs) => programs.end()));
    tell({ type: 'over', isLeft: this.#running > 0, memory: process.memoryUsage.rss() });
  }

  #tried(name: string, members: readonly MemberMessage[]): readonly Promise<Tried>[] {
    this.#over = undefined;
    this.#started = [];
    const found = this.#pipeline.assets.get(name);
    if (found === undefined)
      return members.map(() => Promise.reject(new FailureError({ reason: 'unknown-asset', asset: name })));
    const asset = this.#counted(found);
    const tries = members.map(({ task, attempt, carried, gathered }, at) => {
      const interrupt = this.#interrupts[at]!;
      const programs = this.#programsOf(task.id);
      const context = this.#contextOf(at);
      return { task, attempt: { context, interrupt, programs, attempt, carried, gathered } };
    });
    if (asset.batch === null) return tries.map(({ task, attempt }) => tryOnce(asset, task, attempt));
    const { tried, over } = callTogether(asset, tries, tries[0]!.attempt.programs);
    this.#over = over;
    return tried;
  }

  #contextOf(member: number): TryContext {
    return {
      pipeline: this.#pipeline,
      ioManager: this.#values.values,
      clock: systemClock,
      emit: () => undefined,
      appendLog: (run, lines) => tell({ type: 'lines', run, lines }),
      // The command may stand still while this process does not: it is waited for.
      catchUp: () =>
        new Promise((resolve) => {
          this.#catchingUp.set(member, resolve);
          tell({ type: 'catch-up', member });
        }),
    };
  }

  /** Whether code of it is left is told with its end. */
  #counted(asset: AssetDefinition): AssetDefinition {
    const ms = asset.timeoutMs ?? CHECK_TIMEOUT_MS;
    const counted =
      (ask: NamedCheck): NamedCheck =>
      (given) => {
        if (asset.batch === null) tell({ type: 'checks', ms });
        return this.#count(() => ask(given));
      };
    return {
      ...asset,
      materialize:
        asset.batch === null
          ? (context) => this.#count(() => asset.materialize(context))
          : this.#countedCall(asset),
      checks: new Map([...asset.checks].map(([name, ask]) => [name, counted(ask)])),
    };
  }

  /** Its code runs until all that it yields was taken. */
  #countedCall(asset: AssetDefinition): AssetDefinition['materialize'] {
    const count = <T>(userCode: () => Promise<T>): Promise<T> => this.#count(userCode);
    return async (context) => {
      const made: unknown = await asset.materialize(context);
      if (!isIterable(made)) return made;
      const iterator = Symbol.asyncIterator in made ? made[Symbol.asyncIterator]() : made[Symbol.iterator]();
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => count(async () => iterator.next()),
          return: () => count(async () => iterator.return?.() ?? { done: true, value: undefined }),
        }),
      };
    };
  }

  async #count<T>(userCode: () => T | Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await userCode();
    } finally {
      this.#running--;
    }
  }

  #programsOf(run: string): Programs {
    const programs = new Programs({
      processes: () => loadProcessGroups({ onLeaderEnd: ended, onEnd: ended }),
      marks: {
        of: { [RUN_MARK]: run },
        starter: this.#start.starter,
        count: () => ++this.#programs,
        note: (program) => tell({ type: 'program', ...program }),
      },
    });
    this.#started.push(programs);
    return programs;
  }
}

function ended(group: number): void {
  tell({ type: 'program-ended', group });
}

async function valuesFor({ pipeline: user, state, values, parent }: StartMessage, pipeline: Pipeline) {
  // Edited since: then it has one now.
  const { ioManager } = pipeline;
  // One that asks the state is the command's: what waits for its record is known there.
  const isAsked = ioManager !== null && 'ofState' in ioManager;
  if (ioManager !== null && !isAsked) return { values: ioManager };
  if (isAsked || values !== 'files') {
    const asked = new AskedValues((question) => tell({ type: 'question', ...question }));
    return { values: asked, asked };
  }
  const { version } = user;
  const store = openStore({ clock: systemClock, version, file: state, warn: () => undefined });
  const staging = await valuesStagedFor(parent, store);
  return { values: staging, staging };
}

/** What no try can be named for: the command has it from the stream. */
function sayRaw(text: string): void {
  fs.writeSync(2, `${text}\n`);
}

/** An error that nothing waited for, and that belongs to no try. */
function endByStray(error: unknown): void {
  tell({ type: 'stray', message: describeThrown(error).message });
  exitProcess(1);
}

function main(): void {
  let begun: Promise<AssetProcess> | undefined;
  // For the user's code its environment is that of the command.
  for (const mark of [RUN_MARK, PROGRAM_MARK]) delete process.env[mark];
  // The command has ended, whatever it ended by.
  process.on('disconnect', () => exitProcess(0));
  process.on('message', (message: ToProcess) => {
    if (message.type === 'start') {
      begun = AssetProcess.begin(message);
      begun.then(
        () => tell({ type: 'ready' }),
        (error: unknown) => tell({ type: 'unusable', message: wordsFor(error) }),
      );
      return;
    }
    void begun?.then((process) => process.take(message));
  });
}

function wordsFor(error: unknown): string {
  return error instanceof FailureError ? describe(error.failure).message : String(error);
}

main();
