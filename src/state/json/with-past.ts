/** A view of the state with what it is asked of the past, both of one moment. Most looks ask nothing of it, and do not load this. */
import { selectRuns } from '../run-query.ts';
import type { Needs } from '../needs.ts';
import { type Past, pastNow } from '../past.ts';
import type { StateView } from '../state-view.ts';
import type { StateDocument } from '../document/state-document.ts';
import type { RunRecord } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';

/** So often a view is read again when others committed while its past was read. */
const MOST_READINGS = 5;

export interface PastTools {
  readonly read: () => Promise<StateDocument>;
  readonly isAsSeen: () => boolean;
  readonly viewOf: (document: StateDocument, past?: Past) => StateView;
  readonly newestFirst: (document: StateDocument) => Iterable<RunRecord>;
  readonly ticks: (document: StateDocument, sensor: string, limit: number) => readonly TickRecord[];
}

/** @param change what is to be seen as if it were made */
export async function viewWithPast(
  needs: Needs,
  tools: PastTools,
  change: (document: StateDocument) => StateDocument,
): Promise<StateView> {
  for (let readings = 1; ; readings++) {
    const document = await tools.read();
    const past = pastOf(document, needs, tools);
    if (tools.isAsSeen()) return tools.viewOf(change(document), past);
    // Others commit all the time: what ended after this document was written is left to the next look.
    if (readings === MOST_READINGS)
      return tools.viewOf(change(document), pastOf(document, needs, tools, document.writtenBy.at));
  }
}

/** @param endedBy runs that ended later are not of it */
function pastOf(document: StateDocument, needs: Needs, tools: PastTools, endedBy?: string): Past {
  return pastNow(needs, {
    runPage: (query) => selectRuns(query, endedSo(tools.newestFirst(document), endedBy)),
    ticks: ({ sensor, limit }) => tools.ticks(document, sensor, limit),
  });
}

function* endedSo(runs: Iterable<RunRecord>, endedBy = '9'): Generator<RunRecord> {
  for (const run of runs) if ((run.finishedAt ?? '') <= endedBy) yield run;
}
