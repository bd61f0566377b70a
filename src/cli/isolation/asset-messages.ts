/** What a command and a process that executes an asset for it tell each other: plain data. */
import type { RunTask } from '../../engine/plan/executors/owned-run.ts';
import type { StagedValue } from '../../definitions/staged-values.ts';
import type { GatheredKeys } from '../../engine/plan/gather/keys-there.ts';
import type { Tried } from '../../engine/runs/try-asset.ts';
import type { Carried } from '../../model/carried.ts';
import type { Failure } from '../../model/failure.ts';
import type { ProgramNote } from '../../state/state-view.ts';
import type { RunLogLine } from '../../state/store.ts';
import type { Answer, Question } from '../../values/asked-values.ts';
import type { UserPipeline } from '../load-user-pipeline.ts';

/** Where such a process keeps and finds values: in files, which it stages itself; by the pipeline's own I/O manager; by way of the command. */
export type ValuesWay = 'files' | 'own' | 'command';

export interface StartMessage {
  readonly type: 'start';
  readonly pipeline: UserPipeline;
  /** Its file, or the address of a database. */
  readonly state: string;
  readonly values: ValuesWay;
  /** The tag of the command's process: see `Journal`. */
  readonly parent: string;
  /** The executor, and which of its programs this process is. */
  readonly starter: string;
  readonly number: number;
}

export interface MemberMessage {
  readonly task: Pick<RunTask, 'id' | 'partitionKey' | 'tags'>;
  readonly attempt: number;
  readonly carried: Carried;
  readonly gathered: readonly GatheredKeys[];
}

export interface TryMessage {
  readonly type: 'try';
  readonly asset: string;
  /** Several where the asset makes many keys in one call. */
  readonly members: readonly MemberMessage[];
  /** Values that it may ask for and that wait for their place. */
  readonly lent: readonly StagedValue[];
}

export type ToProcess =
  | StartMessage
  | TryMessage
  /** The try of this member is to be ended. */
  | { readonly type: 'abort'; readonly member: number }
  /** What others have done to the run of this member until it asked is known. */
  | { readonly type: 'caught-up'; readonly member: number; readonly isLost: boolean }
  /** Whether its thread is free. */
  | { readonly type: 'ping' }
  | { readonly type: 'answer'; readonly question: number; readonly answer: Answer }
  /** All that it has staged is adopted; it is not needed any more. */
  | { readonly type: 'leave' };

export type FromProcess =
  | { readonly type: 'ready' }
  | { readonly type: 'unusable'; readonly message: string }
  | { readonly type: 'pong' }
  /** A check begins, which has so long. */
  | { readonly type: 'checks'; readonly ms: number }
  /** An error came up that belongs to no try: the process ends. */
  | { readonly type: 'stray'; readonly message: string }
  | { readonly type: 'lines'; readonly run: string; readonly lines: readonly RunLogLine[] }
  | ({ readonly type: 'program' } & Omit<ProgramNote, 'runId'>)
  /** Of a program that leads a group: it has ended; nothing of its group is left. */
  | { readonly type: 'program-ended'; readonly group: number }
  | ({ readonly type: 'question' } & Question)
  /** Something of this member is to be kept, if its run is still the command's. */
  | { readonly type: 'catch-up'; readonly member: number }
  | {
      readonly type: 'tried';
      readonly member: number;
      readonly tried: Tried;
      readonly staged: readonly StagedValue[];
    }
  | {
      /** All members were tried, and the code has ended or is not waited for any more. */
      readonly type: 'over';
      /** Code of the asset still runs. */
      readonly isLeft: boolean;
      /** Bytes that the process takes. */
      readonly memory: number;
    }
  /** One of dynpart's own files, or dynpart itself, failed. */
  | {
      readonly type: 'failed';
      readonly member: number;
      readonly failure: Failure | null;
      readonly message: string;
    };
