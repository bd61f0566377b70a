/** The two places of a move. */
import type { StateDocument } from '../document/state-document.ts';
import type { Clock } from '../../model/time.ts';
import type { StateStore } from '../store.ts';
import type { Belongings } from './belongings.ts';

/** One of the two places. */
export interface Station {
  /** For messages, and for the mark at the other one. */
  readonly place: string;
  readonly store: Pick<StateStore, 'read' | 'commit' | 'runs' | 'readLog' | 'evaluating'> & {
    document(): Promise<StateDocument>;
    restore(copy: StateDocument, keepAs: string | null, keepGeneration: boolean): Promise<unknown>;
  };
  /** Called when the state is frozen. */
  belongings(): Promise<Belongings>;
}

export interface MoveOptions {
  readonly source: Station;
  readonly target: Station;
  readonly values: boolean;
  readonly clock: Clock;
  readonly say: (text: string) => void;
}
