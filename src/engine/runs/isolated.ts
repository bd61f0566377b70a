/** Where an asset is tried that has a process of its own: what the engine asks of such processes, and what they answer. */
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import type { ExecutionContext, RunTask } from './execute-run.ts';
import type { Attempt, Tried } from './try-asset.ts';

/** One process, for one try. */
export interface Room {
  /** Tries the asset, and lets go of the process. */
  readonly tryOnce: (asset: AssetDefinition, task: RunTask, attempt: Attempt) => Promise<Tried>;
}

export interface Isolated {
  /** Waits for a process that is free. `null`: interrupted before there was one. */
  enter(asset: AssetDefinition, interrupt: AbortSignal): Promise<Room | null>;
  /** Ends all of them. */
  end(): Promise<void>;
}

/** Makes the processes of an executor: its id is in their environment. */
export type Isolate = (starter: string) => Isolated;

/** What a try needs of what surrounds its run. */
export type TryContext = Pick<ExecutionContext, 'pipeline' | 'ioManager' | 'clock' | 'emit' | 'appendLog'>;
