/** What the command line would end with, for a test. */
import { describe } from '../model/describe-failure.ts';
import { FailureError } from '../model/failure.ts';

/** Thrown where a command of the tool would end with an error: `code`, message and `hint` are those of `--json`. */
export class DynpartError extends Error {
  override readonly name = 'DynpartError';
  /** Such as `unknown-asset`; `dynpart explain CODE` has the page. */
  readonly code: string;
  readonly hint: string | null;

  constructor({
    code,
    message,
    hint,
  }: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
  }) {
    super(hint === null ? message : `${message} (${hint})`);
    this.code = code;
    this.hint = hint;
  }
}

/** Failures of dynpart in words; whatever else is thrown stays as it is. */
export async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FailureError) throw new DynpartError(describe(error.failure));
    throw error;
  }
}
