/** What the state knows of pools: who has how much of them, and when calls of those with a rate began. */

/** Of a pool: how many runs an executor may have started, and how many more wait for it. */
export type PoolShare = readonly [taken: number, waits: number];

/** So many calls were granted at that time (milliseconds since 1970), oldest first. */
export type PoolStarts = readonly (readonly [at: number, calls: number])[];
