/** The screen of a watch: in every width, and on a real terminal. */
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { expect, it } from 'vitest';
import { noPaint } from '../../src/cli/render/paint.ts';
import { type Seen, screenLines, type SeenSensor } from '../../src/cli/render/watch-screen.ts';
import { tickRecord } from '../support/builders.ts';
import { become, hasScript, onTerminal } from '../support/on-terminal.ts';
import { Project } from '../support/project.ts';

const NOW = 10_000_000;

const sensor = (seen: Partial<SeenSensor>): SeenSensor => ({
  last: tickRecord({ sensor: 'feed', status: 'SKIPPED', skipReason: 'all known' }),
  lastAt: NOW - 12_000,
  failures: 0,
  since: null,
  nextAt: NOW + 48_000,
  ...seen,
});

const failed = tickRecord({
  sensor: 'broken',
  status: 'FAILURE',
  error: { code: 'sensor-threw', message: "sensor 'broken' threw: HTTP 503\n    at x", hint: null },
});

const seen: Seen = {
  sensors: new Map([
    ['feed', sensor({})],
    ['orders 日本語', sensor({ since: NOW - 4_000, last: null })],
    ['broken', sensor({ last: failed, failures: 3, nextAt: NOW - 5 })],
    ['off', sensor({ last: null, nextAt: null })],
    ['automation', sensor({ nextAt: undefined, lastAt: NOW - 7_200_000 })],
  ]),
  running: Array.from({ length: 7 }, (_, at) => ({
    assets: ['made'],
    partitionKey: `key ${at} ${'日'.repeat(40)}`,
    since: NOW - 130_000,
  })),
  queued: 1200,
  done: 12,
  failed: 2,
};

const lines = (columns: number, rows = 24, of = seen): string[] =>
  screenLines(of, { columns, rows, now: NOW, paint: noPaint, width: stringWidth });

it('shows what fails first, when each sensor ticks next, what runs and how much waits', () => {
  expect(lines(80).map((line) => line.replaceAll(/日{9,}…?/g, '日'))).toEqual([
    '7 runs at work, 1,200 queued, 1 sensor looking, 10 done, 2 failed',
    '  broken         3 times failed: HTTP 503 at x, 12 s ago                    due',
    '  feed           nothing new (all known), 12 s ago                 next in 48 s',
    '  orders 日本語  no tick yet                                    looking for 4 s',
    '  off            no tick yet                                            stopped',
    '  automation     nothing new (all known), 2 h ago                 after changes',
    ...[0, 1, 2, 3].map((at) => `   2 min  made for key ${at} 日`),
    '          and 3 more',
  ]);
});

it.each([10, 20, 40, 59, 60, 80, 200])('fits into %i columns, and into few rows', (columns) => {
  for (const line of lines(columns)) expect([stringWidth(line) < columns, line]).toEqual([true, line]);
  for (const rows of [4, 6, 9]) expect(lines(columns, rows).length).toBeLessThan(rows);
});

it('names as many sensors as there is room for, those that fail before the others', () => {
  const sensors = new Map(
    Array.from({ length: 40 }, (_, at) => [`s${at}`, sensor(at === 30 ? { last: failed, failures: 1 } : {})]),
  );
  const shown = lines(80, 10, { ...seen, running: [], sensors });
  expect(shown).toHaveLength(8);
  expect(shown[1]).toContain('s30');
  expect(shown.at(-1)).toBe('  34 more sensors');
});

it.skipIf(!hasScript).each([['once'], ['twice']])(
  'is drawn on a terminal below what is said, and Ctrl-C %s gives the cursor back (needs `script`)',
  async (times) => {
    await using project = new Project({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
        const keys = dynamicPartitions('keys');
        const made = asset({ name: 'made', partitions: keys, async materialize({ signal }) {
          await new Promise((resolve) => { setTimeout(resolve, 600_000); ${times === 'once' ? "signal.addEventListener('abort', resolve);" : ''} });
        } });
        export default definePipeline({ assets: [made], sensors: [sensor({ name: 'feed', assets: [made], evaluate: () => ({
          dynamicPartitionsRequests: [keys.buildAddRequest(['a'])], runRequests: [{ partitionKey: 'a', runKey: 'a' }] }) })] });`,
    });
    const { child, seen: written, ended } = onTerminal(project, become('sensor watch'));
    const saw = async (what: string): Promise<void> => {
      while (!stripVTControlCharacters(written()).includes(what))
        await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await saw('made for a');
    expect(stripVTControlCharacters(written())).toContain('feed: 1 key added, 1 run queued');
    const drawn = written();
    expect(drawn).toContain('\u001B[?25l');
    expect(drawn.lastIndexOf('\u001B[?25l')).toBeGreaterThan(drawn.lastIndexOf('\u001B[?25h'));
    child.stdin.write('\u0003');
    await saw('Ctrl-C again leaves at once');
    if (times === 'twice') child.stdin.write('\u0003');
    expect(await ended).toBe(times === 'once' ? 0 : 130);
    const text = written();
    expect(text.lastIndexOf('\u001B[?25h')).toBeGreaterThan(text.lastIndexOf('\u001B[?25l'));
  },
);
