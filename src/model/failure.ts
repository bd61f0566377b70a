/** Everything that can go wrong without being a bug of dynpart: data first, words later. */
import type { PipelineFailure } from './failures/pipeline.ts';
import type { RunFailure } from './failures/run.ts';
import type { SensorFailure } from './failures/sensor.ts';
import type { StateFailure } from './failures/state.ts';
import type { UsageFailure } from './failures/usage.ts';

/** What went wrong, told apart by `reason`. `failures/` has one file a subject: the data, and the words beside them. */
export type Failure = UsageFailure | PipelineFailure | SensorFailure | RunFailure | StateFailure;

/** Carries a failure up to where it is worded. The edge of the program prints it without a stack. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.reason);
    this.failure = failure;
  }
}

/** Ends the present work with a failure. */
export function fail(failure: Failure): never {
  throw new FailureError(failure);
}
