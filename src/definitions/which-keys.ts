/** Which keys of an upstream asset are taken, and what one of them means that is not there. */

/**
 * What a key of the upstream asset means that is not there: the run fails (`upstream-missing`), does without it, or is not even
 * queued before the key is there.
 */
export type OnMissing = 'fail' | 'skip' | 'wait';

export interface GatherOptions<On extends OnMissing = OnMissing> {
  /** What an upstream key means that is missing, or has failed and never was there. Default `'fail'`. Skipped keys are always left out. */
  readonly onMissing?: On;
}

/** Which keys of the upstream asset. */
export type WhichKeys =
  | { readonly kind: 'all' }
  /** So many that were added last. */
  | { readonly kind: 'last'; readonly count: number }
  /** Those that a function names for each key. */
  | { readonly kind: 'mapped'; readonly map: (key: string) => string | readonly string[] };
