/** What was asked for. Reading a command line only finds that out; `main` does it. */
import type { Context } from '../context.ts';
import type { Result } from '../json-results.ts';
import type { GlobalOptions } from './global-options.ts';

export interface Invocation {
  readonly options: GlobalOptions;
  readonly run: (context: Context) => Promise<Result | null>;
}
