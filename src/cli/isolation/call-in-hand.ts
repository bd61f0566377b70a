/** A call that a process has in hand, for one key or for many: what became of each, and whether all are to be ended. */
import { upstreamPartition } from '../../definitions/mapping.ts';
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import type { StagedValue } from '../../definitions/staged-values.ts';
import type { Member } from '../../engine/runs/call-together.ts';
import type { Tried } from '../../engine/runs/try-asset.ts';
import { isLost } from '../../engine/user-code/interruption.ts';
import { LineWriter } from '../../engine/user-code/output.ts';
import type { ProcessGroup, Programs } from '../../engine/user-code/programs.ts';
import { describe } from '../../model/describe-failure.ts';
import type { Failure } from '../../model/failure.ts';
import type { RunLogLine } from '../../state/store.ts';
import type { MemberMessage } from './asset-messages.ts';

export interface OfKey {
  readonly run: string;
  readonly asset: string;
  readonly key: string | null;
}

/** A member, as long as it has no end. */
interface Open {
  readonly at: number;
  readonly member: Member;
  readonly resolve: (tried: Tried) => void;
  readonly reject: (error: unknown) => void;
  /** It ended at its timeout: whether its code did is told later. */
  isLate: boolean;
}

export class CallInHand {
  readonly asset: AssetDefinition;
  readonly programs: Programs;
  readonly tried: readonly Promise<Tried>[];
  readonly over: Promise<void>;
  /** Of programs that its code has started. */
  readonly groups = new Map<number, ProcessGroup>();
  /** Gets what the process prints, but not by way of its log. */
  readonly writer: LineWriter;
  readonly #members: readonly Member[];
  readonly #open = new Map<number, Open>();
  readonly #all = new AbortController();
  readonly #abort: (member: number) => void;
  readonly #stop: (() => void)[] = [];
  #isOver!: () => void;

  /** @param abort tells the process to end a member */
  constructor(
    asset: AssetDefinition,
    members: readonly Member[],
    { programs, abort }: { readonly programs: Programs; readonly abort: (member: number) => void },
  ) {
    this.asset = asset;
    this.programs = programs;
    this.#abort = abort;
    this.#members = members;
    this.over = new Promise((resolve) => (this.#isOver = resolve));
    this.tried = members.map(
      (member, at) =>
        new Promise((resolve, reject) => this.#open.set(at, { at, member, resolve, reject, isLate: false })),
    );
    for (const [at, { attempt }] of members.entries()) {
      const { interrupt } = attempt;
      const onAbort = (): void => {
        if (this.#open.has(at)) abort(at);
        this.#look();
      };
      interrupt.addEventListener('abort', onAbort);
      this.#stop.push(() => interrupt.removeEventListener('abort', onAbort));
    }
    this.writer = this.#writerFor(members[0]!);
    this.#look();
  }

  /** The process has it. What was to be ended before is told now. */
  begins(): void {
    for (const { at, member } of this.#open.values()) if (member.attempt.interrupt.aborted) this.#abort(at);
  }

  /** Aborted when nothing of it is wanted any more. */
  get interrupt(): AbortSignal {
    return this.#all.signal;
  }

  get context() {
    return this.#members[0]!.attempt.context;
  }

  get messages(): readonly MemberMessage[] {
    return this.#members.map(
      ({ task: { id, partitionKey, tags }, attempt: { attempt, carried, gathered } }) => ({
        task: { id, partitionKey, tags },
        attempt,
        carried,
        gathered,
      }),
    );
  }

  /** Values that it may ask for and that wait for their place. */
  get lent(): readonly StagedValue[] {
    const { ioManager, pipeline } = this.context;
    if (ioManager.waiting === undefined) return [];
    const inputs = [...this.asset.inputs.values()];
    return ioManager.waiting(
      this.#members.flatMap(({ task }) =>
        inputs.map((asset) => ({
          asset,
          partitionKey: upstreamPartition(pipeline, asset, task.partitionKey).key,
        })),
      ),
    );
  }

  /** @returns whether the member's run is another's by now */
  async caughtUp(at: number): Promise<boolean> {
    const { task, attempt } = this.#members[at]!;
    await attempt.context.catchUp?.(task.id);
    return isLost(attempt.interrupt);
  }

  /** Lines of one of its runs; also what the code prints that was left behind. */
  log(run: string, lines: readonly RunLogLine[]): void {
    const { name } = this.asset;
    const { task } = this.#members.find((member) => member.task.id === run) ?? this.#members[0]!;
    const { appendLog, emit } = this.context;
    appendLog(run, lines);
    const source = task.partitionKey === null ? name : `${name}@${task.partitionKey}`;
    for (const line of lines) emit({ type: 'output', source, line });
  }

  took(at: number, tried: Tried): void {
    const open = this.#open.get(at);
    if (open === undefined) return;
    open.isLate = typeof tried === 'object' && 'failure' in tried && tried.failure.reason === 'asset-timeout';
    if (open.isLate) return;
    this.#open.delete(at);
    open.resolve(tried);
    this.#look();
  }

  broke(at: number, error: unknown): void {
    this.#open.get(at)?.reject(error);
    this.#open.delete(at);
  }

  /** What of dynpart's own files fails, as on a full disk, is thrown by all tries that have no end. */
  fails(error: unknown): void {
    for (const at of this.#open.keys()) this.broke(at, error);
  }

  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fails(error);
    }
  }

  /** @param endOf what is said of those that have none; `null`: their code has ended, and those that are late ended in time for that */
  ends(endOf: ((of: OfKey) => Failure) | 'interrupted' | null): void {
    const asset = this.asset.name;
    this.guard(() => {
      this.writer.end();
      for (const { at, member, resolve } of this.#open.values()) {
        const of = { run: member.task.id, asset, key: member.task.partitionKey };
        if (endOf === 'interrupted') resolve('interrupted');
        else if (endOf === null)
          resolve({ failure: { reason: 'asset-timeout', ...of, ms: this.asset.timeoutMs! } });
        else resolve({ failure: this.#told(member, endOf(of)) });
        this.#open.delete(at);
      }
    });
    for (const stop of this.#stop) stop();
    this.#isOver();
  }

  #told(member: Member, failure: Failure): Failure {
    this.#writerFor(member).line('stderr', describe(failure).message);
    return failure;
  }

  #writerFor({ task, attempt }: Member): LineWriter {
    const asset = this.asset.name;
    return new LineWriter(
      (line) => this.log(task.id, [{ ...line, asset, attempt: attempt.attempt }]),
      attempt.context.clock,
    );
  }

  #look(): void {
    const left = [...this.#open.values()];
    if (left.length > 0 && left.every(({ member }) => member.attempt.interrupt.aborted)) this.#all.abort();
  }
}
