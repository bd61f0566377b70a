/** Where an asset is tried that has a process of its own: what the engine asks of such processes, and what they answer. */
import type { RunTask } from '../plan/executors/owned-run.ts';
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import type { Interrupt } from '../user-code/interruption.ts';
import type { Programs } from '../user-code/programs.ts';
import type { CallTogether, Member } from './call-together.ts';
import type { Attempt, Tried } from './try-asset.ts';

/** Where one try is made. */
export interface Room {
  readonly tryOnce: (asset: AssetDefinition, task: RunTask, attempt: Attempt) => Promise<Tried>;
  /** It is not needed: no try is made. */
  readonly leave?: () => void;
}

/** One process, for one call. It is let go of with the end of that. */
export interface ProcessRoom extends Room {
  /** @param programs of the call: they end with it */
  readonly tryAll: (asset: AssetDefinition, members: readonly Member[], programs: Programs) => CallTogether;
  readonly leave: () => void;
}

export interface Isolated {
  /** Waits for a process that is free. `null`: interrupted before there was one. */
  enter(asset: AssetDefinition, interrupt: Interrupt): Promise<ProcessRoom | null>;
  /** Ends all of them. */
  end(): Promise<void>;
}

/** Makes the processes of an executor: its id is in their environment. */
export type Isolate = (starter: string) => Isolated;
