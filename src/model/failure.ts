/** Everything that can go wrong without being a bug of dynpart: data first, words later. */

/** A key that cannot be one, and where it was read. */
export interface BadKey {
  readonly key: string;
  readonly why: string;
  /** Line of the keys file, from 1. */
  readonly line?: number;
}

/** One thing that is wrong with a pipeline, and where it stands in the user's file. */
export interface PipelineProblem {
  readonly code: string;
  readonly message: string;
  /** `file:line`, or `null` when it is not known. */
  readonly place: string | null;
}

export type NamedThing = 'set' | 'sensor' | 'asset' | 'run';

/** What went wrong, told apart by `reason`. */
export type Failure =
  // Usage: exit code 2
  | { readonly reason: 'usage'; readonly message: string; readonly hint: string }
  | {
      readonly reason: 'unknown-name';
      readonly thing: NamedThing;
      readonly names: readonly string[];
      readonly nearest: readonly string[];
      readonly known: number;
      /** The set that has the first of the names as a key. */
      readonly keyOf?: string | undefined;
    }
  | {
      readonly reason: 'unknown-keys';
      readonly sets: readonly string[];
      readonly keys: readonly string[];
      readonly nearest: readonly string[];
    }
  | {
      readonly reason: 'ambiguous-keys';
      readonly keys: readonly string[];
      readonly sets: readonly string[];
      /** Whether the sets have the keys, or one of them is to get them. */
      readonly known: boolean;
    }
  | {
      readonly reason: 'asset-without-key';
      readonly asset: string;
      /** `null`: the asset is not partitioned. */
      readonly set: string | null;
      readonly keys: readonly string[];
    }
  | { readonly reason: 'invalid-keys'; readonly source: string; readonly keys: readonly BadKey[] }
  | { readonly reason: 'keys-file'; readonly file: string; readonly cause: string }
  // The pipeline file: exit code 2
  | { readonly reason: 'pipeline-not-found'; readonly file: string; readonly given: boolean }
  | { readonly reason: 'pipeline-unreadable'; readonly file: string; readonly cause: string }
  | {
      readonly reason: 'pipeline-syntax';
      readonly file: string;
      readonly place: string;
      readonly message: string;
      readonly excerpt: string;
    }
  | {
      readonly reason: 'pipeline-import-missing';
      readonly file: string;
      readonly place: string | null;
      readonly specifier: string;
    }
  | {
      readonly reason: 'pipeline-threw';
      readonly file: string;
      readonly message: string;
      readonly frames: readonly string[];
    }
  | {
      readonly reason: 'foreign-state';
      readonly state: string;
      /** The pipeline file that it belongs to, or that shares it; `null`: not known. */
      readonly owner: string | null;
      /** The pipeline file that is used now. */
      readonly file: string;
      /** `shared`: an older dynpart let several pipelines use it, so that it is not clear whose it is. */
      readonly why: 'another' | 'nothing-in-common' | 'shared';
    }
  | { readonly reason: 'pipeline-unsettled' }
  | { readonly reason: 'pipeline-stray'; readonly message: string; readonly frames: readonly string[] }
  | { readonly reason: 'pipeline-no-default'; readonly file: string; readonly exports: readonly string[] }
  | { readonly reason: 'pipeline-not-one'; readonly file: string; readonly what: string }
  | {
      readonly reason: 'pipeline-invalid';
      readonly file: string;
      readonly problems: readonly PipelineProblem[];
    }
  // A sensor: exit code 3
  | {
      readonly reason: 'sensor-threw';
      readonly sensor: string;
      readonly message: string;
      readonly frames: readonly string[];
    }
  | { readonly reason: 'sensor-timeout'; readonly sensor: string; readonly seconds: number }
  | { readonly reason: 'sensor-result'; readonly sensor: string; readonly problems: readonly string[] }
  | {
      readonly reason: 'sensor-stuck';
      readonly sensor: string;
      readonly pid: number;
      readonly host: string;
      readonly since: string;
      readonly seconds: number;
    }
  | { readonly reason: 'sensor-interrupted'; readonly sensor: string }
  | {
      readonly reason: 'sensor-busy';
      readonly sensor: string;
      readonly pid: number;
      readonly host: string;
      readonly since: string;
    }
  // A run: exit code 1
  | {
      readonly reason: 'asset-threw';
      readonly asset: string;
      readonly key: string | null;
      readonly message: string;
      readonly frames: readonly string[];
    }
  | {
      readonly reason: 'asset-timeout';
      readonly asset: string;
      readonly key: string | null;
      readonly ms: number;
    }
  | {
      readonly reason: 'value-not-json';
      readonly asset: string;
      readonly key: string | null;
      readonly path: string;
      readonly why: string;
    }
  | {
      readonly reason: 'upstream-missing';
      readonly asset: string;
      readonly key: string | null;
      readonly upstream: string;
    }
  | { readonly reason: 'upstream-failed'; readonly asset: string; readonly upstream: string }
  | { readonly reason: 'unknown-asset'; readonly asset: string }
  | { readonly reason: 'interrupted'; readonly executions: number }
  | { readonly reason: 'canceled'; readonly why: string }
  | { readonly reason: 'runs-lost'; readonly count: number }
  | {
      readonly reason: 'run-blocked';
      readonly pid: number;
      readonly host: string;
      readonly since: string;
      /** What it has in hand. */
      readonly runs: readonly {
        readonly id: string;
        readonly assets: readonly string[];
        readonly key: string | null;
      }[];
    }
  // dynpart's own files: exit code 5
  | { readonly reason: 'state-empty'; readonly file: string }
  | { readonly reason: 'state-missing'; readonly file: string }
  | { readonly reason: 'state-not-json'; readonly file: string; readonly cause: string }
  | {
      readonly reason: 'state-misshapen';
      readonly file: string;
      readonly place: string;
      readonly expected: string;
    }
  | {
      readonly reason: 'state-newer';
      readonly file: string;
      readonly schema: number;
      readonly supported: number;
    }
  | {
      readonly reason: 'state-older';
      readonly file: string;
      readonly schema: number;
      readonly oldest: number;
    }
  | { readonly reason: 'commit-unsure'; readonly file: string; readonly serial: number }
  | { readonly reason: 'file-in-the-way'; readonly file: string; readonly why: string }
  | { readonly reason: 'state-mounted'; readonly file: string }
  | { readonly reason: 'state-too-large'; readonly file: string }
  | { readonly reason: 'clock-unusable'; /** Since 1970. */ readonly ms: number }
  | { readonly reason: 'state-io'; readonly file: string; readonly action: string; readonly cause: string }
  | {
      readonly reason: 'value-damaged';
      readonly file: string;
      readonly asset: string;
      readonly key: string | null;
      readonly cause: string;
    }
  | { readonly reason: 'copy-unusable'; readonly file: string; readonly why: string }
  | { readonly reason: 'state-problems'; readonly file: string; readonly count: number };

/** Carries a failure up to whoever words it. The one at the edge prints it without a stack. */
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
