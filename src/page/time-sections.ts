/** The parts of the page about time: ticks of the sensors, and how long runs took, with what the last failures wrote. */
import { clean, counted, duration } from '../model/text.ts';
import type { PageData, PageRun, PageSensor, PageTick } from '../report/page-data.ts';
import { button, command, h, said, svg, table, time, wordsOf } from './dom.ts';
import { linesOf } from './details.ts';
import { errorsOf, took } from './key-standing.ts';

const STRIP = { width: 720, height: 48 } as const;

/** So many ticks and runs are told one by one. */
const TOLD = 20;

/** So many failures are shown with what they wrote. */
const FAILURES = 5;

/** So many runs are drawn. */
const DRAWN = 240;

export function sensorsSection({ sensors }: PageData): HTMLElement {
  return h(
    'section',
    { 'aria-labelledby': 'sensors' },
    h('h2', { id: 'sensors' }, 'Sensors'),
    ...(sensors.length === 0 ? [h('p', {}, 'There is no sensor.')] : sensors.map(sensorOf)),
  );
}

function sensorOf({ sensor, status, ticks }: PageSensor): HTMLElement {
  const heading = h('h3', {}, said(sensor), status === 'STOPPED' ? ' (stopped)' : '');
  const start =
    status === 'STOPPED' ? h('p', { class: 'mend' }, command(`dynpart sensor start ${sensor}`)) : null;
  const [last] = ticks;
  if (last === undefined) return h('div', {}, heading, start, h('p', {}, 'No tick yet.'));
  const ticked = table({
    caption: `The last ${counted(Math.min(TOLD, ticks.length), 'tick')} of ${clean(sensor)}`,
    titles: ['Started', 'Outcome', 'Took', 'Added', 'Removed', 'Runs', 'What'],
    numbers: [2, 3, 4, 5],
    rows: ticks
      .slice(0, TOLD)
      .map((tick) => [
        time(tick.startedAt),
        h('span', { class: tick.status }, tick.status),
        duration(lengthOf(tick)),
        String(tick.added),
        String(tick.removed),
        String(tick.runs),
        h('span', { class: 'words' }, said(tick.said)),
      ]),
  });
  return h(
    'div',
    {},
    heading,
    start,
    last.status === 'FAILURE'
      ? h(
          'div',
          { class: 'mend' },
          h('pre', { class: 'error', tabindex: 0 }, clean(last.said)),
          command(`dynpart sensor tick ${sensor}`),
        )
      : null,
    strip(ticks),
    h('details', {}, h('summary', {}, `Last: ${last.status}, `, time(last.finishedAt)), ticked),
  );
}

/** Who executes runs now, on whatever machine. */
export function workersSection({ workers }: PageData): HTMLElement {
  return h(
    'section',
    { 'aria-labelledby': 'workers' },
    h('h2', { id: 'workers' }, 'Workers'),
    workers.length === 0
      ? h('p', {}, 'Nobody executes runs now.')
      : table({
          caption: counted(workers.length, 'process', 'processes'),
          titles: ['Machine', 'Process', 'Since', 'Heard of', 'Runs'],
          numbers: [1, 4],
          rows: workers.map(({ host, pid, since, lastSeen, runs }) => [
            said(host),
            String(pid),
            time(since),
            time(lastSeen),
            String(runs),
          ]),
        }),
  );
}

function lengthOf({ startedAt, finishedAt }: PageTick): number {
  return Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt));
}

/** Ticks over time, higher the longer they took. */
function strip(ticks: readonly PageTick[]): HTMLElement {
  const times = ticks.map(({ startedAt }) => Date.parse(startedAt));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const failed = ticks.filter(({ status }) => status === 'FAILURE').length;
  return chart(
    `${counted(ticks.length, 'tick')}, ${failed} failed, the longest took ${duration(Math.max(...ticks.map(lengthOf)))}`,
    ticks.map((tick, at) => ({
      x: to === from ? 1 : (times[at]! - from) / (to - from),
      ms: lengthOf(tick),
      kind: tick.status,
    })),
  );
}

interface Bar {
  /** From 0 to 1. */
  readonly x: number;
  readonly ms: number;
  readonly kind: string;
}

/** Bars whose height is the logarithm of a duration: what takes seconds is to be seen beside what takes hours. */
function chart(words: string, bars: readonly Bar[]): HTMLElement {
  const most = Math.log10(Math.max(10, ...bars.map(({ ms }) => ms)) + 1);
  const width = 4;
  const drawn = bars.map(({ x, ms, kind }) => {
    const height = Math.max(4, (Math.log10(ms + 1) / most) * STRIP.height);
    return svg('rect', {
      class: `bar ${kind}`,
      x: x * (STRIP.width - width),
      y: STRIP.height - height,
      width: width - 1,
      height,
    });
  });
  return h(
    'figure',
    {},
    svg(
      'svg',
      {
        class: 'strip',
        role: 'img',
        'aria-label': words,
        viewBox: `0 0 ${STRIP.width} ${STRIP.height}`,
        preserveAspectRatio: 'none',
      },
      ...drawn,
    ),
    h('figcaption', {}, words),
  );
}

/** @param open opens the key of a run */
export function runsSection(data: PageData, open: (run: PageRun) => void): HTMLElement {
  const { runs, at } = data;
  const name = (run: PageRun): HTMLElement => button(wordsOf(run.key), () => open(run), { class: 'link' });
  return h(
    'section',
    { 'aria-labelledby': 'runs' },
    h('h2', { id: 'runs' }, 'Runs'),
    ...(runs.length === 0
      ? [h('p', {}, 'There is no run yet.')]
      : [
          durations(data),
          ...failures(data, name),
          table({
            caption: `The newest ${counted(Math.min(TOLD, runs.length), 'run')}`,
            titles: ['Key', 'Assets', 'Status', 'Took', 'Begun', 'Cause'],
            numbers: [3],
            rows: runs
              .slice(0, TOLD)
              .map((run) => [
                name(run),
                said(run.assets.map(({ asset }) => asset).join(', ')),
                h('span', { class: run.status }, run.status),
                tookWords(run, at),
                time(run.startedAt),
                run.cause,
              ]),
          }),
        ]),
  );
}

function tookWords(run: PageRun, now: string): string {
  const ms = took(run, now);
  return ms === null ? '–' : duration(ms);
}

function durations({ runs, at }: PageData): HTMLElement | null {
  const drawn = runs
    .flatMap((run) => {
      const ms = took(run, at);
      return ms === null ? [] : [{ ms, kind: run.status }];
    })
    .slice(0, DRAWN)
    .reverse();
  if (drawn.length === 0) return null;
  const sorted = drawn.map(({ ms }) => ms).sort((one, other) => one - other);
  const part = (of: number): string => duration(sorted[Math.floor((sorted.length - 1) * of)]!);
  return chart(
    `How long the last ${counted(drawn.length, 'run')} took: half of them up to ${part(0.5)}, 95 % up to ${part(0.95)}, the longest ${part(1)}`,
    drawn.map((one, place) => ({ ...one, x: drawn.length === 1 ? 1 : place / (drawn.length - 1) })),
  );
}

/** The last failures, with what they wrote. */
function failures({ runs, logs }: PageData, name: (run: PageRun) => HTMLElement): Node[] {
  const all = runs.filter(({ status }) => status === 'FAILURE');
  const failed = all.slice(0, FAILURES);
  if (failed.length === 0) return [];
  return [
    h('h3', {}, 'Failed last'),
    ...failed.map((run) => {
      const lines = logs[run.id] ?? [];
      return h(
        'div',
        { class: 'failure' },
        h('p', {}, name(run), ' ', time(run.finishedAt)),
        ...errorsOf(run).map((why) => h('pre', { class: 'error', tabindex: 0 }, clean(why))),
        lines.length === 0 ? null : h('details', {}, h('summary', {}, 'what it wrote last'), linesOf(lines)),
        command(`dynpart runs retry ${run.id}`),
      );
    }),
    ...(all.length > FAILURES
      ? [
          h(
            'p',
            { class: 'dim' },
            `${counted(all.length - FAILURES, 'earlier failure')}: `,
            command('dynpart runs list --status FAILURE'),
          ),
        ]
      : []),
  ];
}
