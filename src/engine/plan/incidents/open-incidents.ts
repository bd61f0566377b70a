/** What begins and what ends with a commit or a tick: failures of runs and sensors become incidents. Pure. */
import { firstLine } from '../../../model/first-line.ts';
import {
  type IncidentRecord,
  type Incidents,
  type IncidentKind,
  isSame,
  MOST_NAMES,
} from '../../../model/incident.ts';
import { hasFailed, type TickRecord } from '../../../model/tick.ts';
import { withoutQueries } from '../../../model/without-queries.ts';
import type { FinishedRun, StateChange } from '../../../state/changes.ts';
import type { StateView } from '../../../state/state-view.ts';

/** What is wrong, before it is known whether it was known. */
export type Found = Pick<IncidentRecord, 'kind' | 'asset' | 'sensor' | 'code' | 'message' | 'run'> & {
  readonly names: readonly string[];
};

/** Messages are made fit to be passed on: one line, not too long, without what addresses carry. */
const MESSAGE_LIMIT = 500;

export function messageOf(text: string): string {
  const line = withoutQueries(firstLine(text));
  return line.length <= MESSAGE_LIMIT ? line : `${line.slice(0, MESSAGE_LIMIT).toWellFormed()}…`;
}

/** The changes of a plan, and what they come to for those who want to be told, in the same commit. */
export function withIncidents(
  view: StateView,
  changes: readonly StateChange[],
  at: string,
): readonly StateChange[] {
  const before = view.incidents;
  const after = changes.reduce((incidents, change) => {
    if (change.type === 'runs-finished') return afterRuns(incidents, change.runs, at);
    if (change.type === 'sensor-changed' && change.tick !== undefined)
      return afterTick(incidents, change.tick, at);
    return incidents;
  }, before);
  return after === before ? changes : [...changes, { type: 'incidents', incidents: after }];
}

function afterRuns(before: Incidents, runs: readonly FinishedRun[], at: string): Incidents {
  const found = new Map<string, Found & { readonly names: string[] }>();
  for (const { record } of runs) {
    if (record.status !== 'FAILURE') continue;
    for (const { asset, status, error } of record.assets) {
      if (status !== 'FAILURE') continue;
      const code = error?.code ?? 'failed';
      const name = JSON.stringify([asset, code]);
      const one = found.get(name) ?? {
        kind: 'run-failed' as const,
        asset,
        sensor: null,
        code,
        message: messageOf(error?.message ?? ''),
        run: record.id,
        names: [],
      };
      found.set(name, one);
      if (record.partitionKey !== null) one.names.push(record.partitionKey);
    }
  }
  return [...found.values()].reduce((incidents, one) => opened(incidents, one, at), before);
}

/** Ended by somebody, or held by another process: of the sensor itself that says nothing. */
const SAYS_NOTHING: readonly string[] = ['sensor-interrupted', 'sensor-busy'];

/** What a tick says of its sensor: whatever it was before, one that ticks well is well. */
export function afterTick(before: Incidents, tick: TickRecord, at: string): Incidents {
  const { sensor, status, error, failures } = tick;
  if (status === 'BUSY' || SAYS_NOTHING.includes(error?.code ?? '')) return before;
  const isStuck = error?.code === 'sensor-stuck';
  // One that is evaluated is not stuck any more, and one whose parts fail was evaluated.
  const isOver = ({ kind }: IncidentRecord, code: string): boolean =>
    kind === 'stuck'
      ? !isStuck
      : kind === 'sensor-failed' && status !== 'FAILURE' && code !== codeOfParts(tick);
  const after = closed(before, (one) => one.sensor === sensor && isOver(one, one.code), { at, why: 'well' });
  if (!hasFailed(tick)) return after;
  const about = { asset: null, sensor } as const;
  if (status === 'FAILURE') {
    const kind: IncidentKind = isStuck ? 'stuck' : 'sensor-failed';
    const code = error?.code ?? 'sensor-failed';
    return opened(after, { ...about, kind, code, message: messageOf(error?.message ?? ''), names: [] }, at);
  }
  return opened(
    after,
    {
      ...about,
      kind: 'sensor-failed',
      code: PARTS,
      message: messageOf(failures[0]!.error),
      names: failures.map(({ name }) => name),
    },
    at,
  );
}

/** The code of a tick that could not look at a part of its source. */
const PARTS = 'source-failed';

function codeOfParts({ failures }: TickRecord): string | null {
  return failures.length > 0 ? PARTS : null;
}

/** One that goes on knows of more names; one that was over goes on again. */
export function opened(before: Incidents, found: Found, at: string): Incidents {
  const known = before.list.find((one) => isSame(one, found));
  const names = [...new Set(found.names)];
  if (known === undefined || known.over !== undefined) {
    const { run, ...rest } = found;
    const fresh: IncidentRecord = {
      ...rest,
      since: at,
      names: names.slice(0, MOST_NAMES),
      more: Math.max(0, names.length - MOST_NAMES),
      ...(run !== undefined && { run }),
      told: known?.told ?? {},
    };
    return { ...before, list: [...before.list.filter((one) => one !== known), fresh] };
  }
  const added = names.filter((name) => !known.names.includes(name));
  if (added.length === 0) return before;
  const room = MOST_NAMES - known.names.length;
  // Parts of a source that are not named any more are well again; of runs that is known by their keys.
  const kept = found.code === PARTS ? [] : known.names;
  const all = [...kept, ...(found.code === PARTS ? names : added.slice(0, Math.max(0, room)))];
  const more = found.code === PARTS ? 0 : known.more + Math.max(0, added.length - Math.max(0, room));
  const changed = { ...known, names: all.slice(0, MOST_NAMES), more };
  return { ...before, list: before.list.map((one) => (one === known ? changed : one)) };
}

/** Ends those that are open. Nothing ends before it began: then the clock was set back. */
export function closed(
  before: Incidents,
  isOver: (one: IncidentRecord) => boolean,
  over: NonNullable<IncidentRecord['over']>,
): Incidents {
  const list = before.list.map((one) =>
    one.over === undefined && isOver(one)
      ? { ...one, over: over.at < one.since ? { ...over, at: one.since } : over }
      : one,
  );
  return list.every((one, at) => one === before.list[at]) ? before : { ...before, list };
}
