/** The process around a command, as far as commands know of it. */
import type { Clock } from '../model/time.ts';
import type { Interrupts } from './interrupts.ts';
import type { Terminal } from './terminal.ts';

export interface Surroundings {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly interrupts: Interrupts;
  readonly version: string;
  /** Where dynpart itself was started from. */
  readonly ownFolder: string;
}
