/** The sum of runs that a command ends with, as `--json` has it: of nothing but what is said. */
export const summaryOf = (changed: object = {}): object => ({
  total: 0,
  succeeded: 0,
  failed: 0,
  canceled: 0,
  skipped: 0,
  leftOut: 0,
  queued: 0,
  waiting: 0,
  ...changed,
});
