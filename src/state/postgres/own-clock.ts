/** The clock of this process, beside that of the database: clocks of several machines may differ by minutes, and that one is the same for all. */
import type { Clock } from '../../model/time.ts';

export interface OwnClock {
  readonly clock: Clock;
  /** It does not show the time of this world, as that of some tests: how far the database's is ahead of it says nothing. Default: it does. */
  readonly hasOwnTime?: boolean;
}
