/** What a hook is told, in words and as data. Pure. */
import type { Incident } from '../../definitions/notify.ts';
import type { IncidentRecord } from '../../model/incident.ts';
import { AUTOMATION } from '../../model/run.ts';
import { clean, counted, printable, shellQuoted } from '../../model/text.ts';
import { shortTime, type Millis } from '../../model/time.ts';
import { withoutQueries } from '../../model/without-queries.ts';
import type { Due } from '../plan/incidents/tell.ts';

/** So many keys are named, then how many more there are. */
const NAMED = 20;

/** One line, and what all incidents are in words. @param from whose they are */
export function wordsOf(
  incidents: readonly Incident[],
  from: string,
): { readonly subject: string; readonly text: string } {
  const titles = incidents.map(({ text }) => text.split('\n')[0]!);
  const [first = ''] = titles;
  const subject = incidents.length === 1 ? first : `${first} (and ${incidents.length - 1} more)`;
  const lines = [...incidents.map(({ text }) => text), ...(from === '' ? [] : [from])];
  return { subject: cut(subject, 200), text: `${lines.join('\n')}\n` };
}

export function incidentOf({ incident, occasion }: Due, now: Millis): Incident {
  const { kind, asset, sensor, code, message, since, over, run = null } = incident;
  const keys = incident.names.slice(0, NAMED).map((name) => withoutQueries(name));
  const keyCount = incident.names.length + incident.more;
  const command = over === undefined ? commandOf(incident) : null;
  const more = keyCount - keys.length;
  const text = [
    title(incident, { occasion, keyCount, now }),
    ...(over === undefined
      ? [
          ...keys.map((key) => `  ${printable(key)}`),
          ...(more > 0 ? [`  and ${counted(more, 'more', 'more')}`] : []),
        ]
      : []),
    ...(command === null ? [] : [`  ${command}`]),
  ].join('\n');
  const overSince = over?.at ?? null;
  return {
    kind,
    occasion,
    asset,
    sensor,
    code,
    message,
    since,
    overSince,
    keys,
    keyCount,
    run,
    command,
    text,
  };
}

function title(
  { kind, asset, sensor, code, message, since, over }: IncidentRecord,
  {
    occasion,
    keyCount,
    now,
  }: { readonly occasion: Due['occasion']; readonly keyCount: number; readonly now: Millis },
): string {
  const who = asset ?? `sensor ${sensor}`;
  const isOfKeys = keyCount > 0 && kind !== 'sensor-failed';
  const what = {
    'run-failed': `failed${isOfKeys ? ` for ${counted(keyCount, 'key')}` : ''}`,
    'sensor-failed': code === 'source-failed' ? partly(sensor, keyCount) : 'failed',
    stuck: 'is stuck',
    overdue: 'is overdue',
  }[kind];
  const said = message === '' ? '' : `: ${cut(clean(message), 300)}`;
  if (over !== undefined) {
    const took = roughly(Date.parse(over.at) - Date.parse(since));
    const end = over.why === 'gone' ? 'is not waited for any more' : wellAgain(kind, asset);
    return `${who} ${end}: it ${past({ kind, code, sensor })} from ${shortTime(since)}, for ${took}${said}`;
  }
  if (occasion !== 'reminder') return `${who} ${what}${said}`;
  const still = what.startsWith('is ') ? `is still ${what.slice(3)}` : `still ${what}`;
  return `${who} ${still}, for ${roughly(now - Date.parse(since))} now${said}`;
}

function wellAgain(kind: IncidentRecord['kind'], asset: string | null): string {
  if (kind !== 'overdue') return 'is well again';
  return asset === null ? 'brings keys again' : 'is fresh again';
}

/** `12 s`, `45 min`, `2 h 30 min`, `3 d 4 h`: the largest parts, and none that is nothing. */
function roughly(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** What a tick did not do of much; of automation it is a rule of a set that would take out too many keys. */
function partly(sensor: string | null, count: number): string {
  if (sensor === AUTOMATION) return count === 1 ? 'left a set as it is' : `left ${count} sets as they are`;
  return `could not look at ${count === 1 ? 'a part' : `${count} parts`} of its source`;
}

function past({ kind, code, sensor }: Pick<IncidentRecord, 'kind' | 'code' | 'sensor'>): string {
  if (kind === 'run-failed') return 'failed';
  if (kind === 'sensor-failed' && code === 'source-failed')
    return sensor === AUTOMATION ? 'left sets as they are' : 'could not look at all of its source';
  if (kind === 'sensor-failed') return 'failed';
  return kind === 'stuck' ? 'was stuck' : 'was overdue';
}

function commandOf({ kind, asset, sensor, run }: IncidentRecord): string {
  if (run !== undefined) return `dynpart runs logs ${run}`;
  if (sensor !== null) return `dynpart sensor history ${sensor} --limit 3`;
  return kind === 'stuck'
    ? 'dynpart runs list --status STARTED'
    : `dynpart why ${shellQuoted(asset!, 'ASSET')}`;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
