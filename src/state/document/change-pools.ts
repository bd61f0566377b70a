/** What an executor has of pools, and the calls that still count. Pure. */
import type { StateChange } from '../changes.ts';
import type { StateDocument } from './state-document.ts';

type PoolsChange = Extract<StateChange, { readonly type: 'pools' }>;

/** What is nothing is not in the document. */
export function changePools(
  document: StateDocument,
  { executor: id, shares, starts }: PoolsChange,
): StateDocument {
  const { poolStarts: _, ...rest } = document;
  const executors = document.executors.map((entry) => {
    if (entry.id !== id) return entry;
    const { pools: __, ...plain } = entry;
    return isEmpty(shares) ? plain : { ...plain, pools: shares };
  });
  return { ...rest, executors, ...(!isEmpty(starts) && { poolStarts: starts }) };
}

function isEmpty(entries: object): boolean {
  return Object.keys(entries).length === 0;
}
