/** How much of the past a pipeline wants to be kept. Each field that is not given leaves it to the size of the files. */
export interface HistoryRetention {
  /** Finished runs with their logs, and ticks, that are older may go. */
  readonly days?: number | undefined;
  /** At least so many finished runs are kept, with their logs. */
  readonly runs?: number | undefined;
  /** At least so many ticks of each sensor are kept. */
  readonly ticks?: number | undefined;
}
