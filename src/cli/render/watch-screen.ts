/** What somebody sees who looks at a watch or a worker on a terminal: sensors, what runs, what waits. Pure: a state and a width → lines. */
import { clean, counted, grouped, printable } from '../../model/text.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { Paint } from './paint.ts';
import { beginning, type Width } from './table.ts';
import { wordsForTick } from './tick-words.ts';

export interface SeenSensor {
  readonly last: TickRecord | null;
  /** When the last tick ended, on the clock that nobody sets (ms). */
  readonly lastAt: number;
  /** How often in a row it failed. */
  readonly failures: number;
  /** It is evaluated since then; `null`: it waits. */
  readonly since: number | null;
  /** Its next tick; `null`: it is stopped; `undefined`: when something changes. */
  readonly nextAt: number | null | undefined;
}

export interface Seen {
  readonly sensors: ReadonlyMap<string, SeenSensor>;
  /** Oldest first. */
  readonly running: readonly {
    readonly assets: readonly string[];
    readonly partitionKey: string | null;
    readonly since: number;
  }[];
  /** Runs in hand that have not begun. */
  readonly queued: number;
  /** Ended since it began. */
  readonly done: number;
  readonly failed: number;
}

export interface Place {
  readonly columns: number;
  readonly rows: number;
  readonly now: number;
  readonly paint: Paint;
  /** How many places a text takes. */
  readonly width: Width;
}

/** So many runs are named. */
const MOST_RUNS = 5;

/** Fewer columns than these have no room for three things beside each other. */
const WIDE = 60;

/** The first line stands behind the sign that it is alive, which takes two places. */
export function screenLines(seen: Seen, place: Place): string[] {
  const { rows, columns, paint } = place;
  const sensors = inOrder(seen.sensors);
  // The title, what is more, and a row that a terminal keeps for what is typed.
  const room = Math.max(1, rows - 3);
  const forRuns = room < 3 ? 0 : Math.min(MOST_RUNS, room - Math.min(sensors.length, room - 1));
  const runs = runLines(seen, forRuns, place);
  const most = Math.max(1, room - runs.length);
  const shown = sensors.length > most ? sensors.slice(0, Math.max(1, most - 1)) : sensors;
  const names = shown.map(([name]) => place.width(clean(name)));
  const width = Math.min(Math.floor(columns / 3), Math.max(0, ...names));
  const more = sensors.length - shown.length;
  return [
    paint.strong(cut(title(seen), columns - 3, place)),
    ...shown.map(([name, sensor]) =>
      sensorLine({ name, label: padded(clean(name), width, place) }, sensor, place),
    ),
    ...(more > 0 && most > 1
      ? [paint.dim(cut(`  ${counted(more, 'more sensor')}`, columns - 1, place))]
      : []),
    ...runs,
  ];
}

function title({ sensors, running, queued, done, failed }: Seen): string {
  const looking = [...sensors.values()].filter(({ since }) => since !== null).length;
  const parts = [
    ...(running.length > 0 ? [`${counted(running.length, 'run')} at work`] : []),
    ...(queued > 0 ? [`${grouped(queued)} queued`] : []),
    ...(looking > 0 ? [`${counted(looking, 'sensor')} looking`] : []),
    ...(running.length + queued + looking === 0 ? ['waiting'] : []),
    ...(done > failed ? [`${grouped(done - failed)} done`] : []),
    ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
  ];
  return parts.join(', ');
}

/** What fails is to be seen first; else the order of the pipeline. */
function inOrder(sensors: ReadonlyMap<string, SeenSensor>): (readonly [string, SeenSensor])[] {
  return [...sensors].toSorted(([, one], [, other]) => Number(other.failures > 0) - Number(one.failures > 0));
}

function sensorLine(
  { name, label }: { readonly name: string; readonly label: string },
  sensor: SeenSensor,
  place: Place,
): string {
  const { columns, now, paint, width } = place;
  const { last, failures } = sensor;
  const style = failures > 0 ? 'bad' : last?.status === 'SUCCESS' ? 'good' : 'dim';
  const next = nextInWords(sensor, now);
  if (columns < WIDE)
    return paint[style](cut(`  ${label}  ${failures > 0 ? 'failed, ' : ''}${next}`, columns - 1, place));
  const often = failures > 1 ? `${grouped(failures)} times ` : '';
  const words =
    last === null
      ? 'no tick yet'
      : `${often}${wordsForTick(last).replace(`sensor '${name}' threw: `, '').replaceAll(/\s+/g, ' ')}`;
  const ago = last === null ? '' : `, ${span(now - sensor.lastAt)} ago`;
  const room = columns - 1 - width(label) - ago.length - next.length - 6;
  const said = cut(words, room, place);
  return `  ${label}  ${paint[style](said)}${ago}${' '.repeat(Math.max(0, room - width(said)))}  ${next}`;
}

function nextInWords({ since, nextAt }: SeenSensor, now: number): string {
  if (since !== null) return now - since < 1000 ? 'looking' : `looking for ${span(now - since)}`;
  if (nextAt === null) return 'stopped';
  if (nextAt === undefined) return 'after changes';
  return nextAt <= now ? 'due' : `next in ${span(nextAt - now + 999)}`;
}

function runLines({ running }: Seen, most: number, place: Place): string[] {
  if (running.length === 0 || most <= 0) return [];
  const shown = running.slice(0, running.length > most ? most - 1 : most);
  const more = running.length - shown.length;
  return [
    ...shown.map(({ assets, partitionKey, since }) => {
      const key = partitionKey === null ? '' : ` for ${printable(partitionKey)}`;
      const line = `  ${span(place.now - since).padStart(6)}  ${clean(assets.join(', '))}${key}`;
      return cut(line, place.columns - 1, place);
    }),
    ...(more > 0
      ? [place.paint.dim(cut(`          and ${grouped(more)} more`, place.columns - 1, place))]
      : []),
  ];
}

/** In one unit: what changes each second elsewhere on the line is enough. */
function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

function cut(text: string, places: number, { width }: Place): string {
  if (width(text) <= places) return text;
  return `${beginning(text, Math.max(0, places - 1), width)}…`;
}

function padded(text: string, places: number, place: Place): string {
  const said = cut(text, places, place);
  return `${said}${' '.repeat(Math.max(0, places - place.width(said)))}`;
}
