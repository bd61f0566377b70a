/**
 * Why something is stale that was made: what differs from what it was made from. With a further reason come its statuses
 * (`partition-status`, and their letters in `state/document/statuses`); the compiler names the words that it needs.
 */

/** Its key's version, its asset's code, or what is upstream of it. */
export type StaleReason = 'version' | 'code' | 'upstream';
