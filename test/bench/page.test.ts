/** The tables of docs/performance.md, and their places in it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { intoPage, page, type Result } from '../../bench/page.mjs';
import type { Row } from '../../bench/table.mjs';

const machine = {
  node: 'v20.20.2',
  platform: 'linux',
  cpus: '2 × some',
  memoryGb: 8,
  folder: '/tmp',
  fileSystem: 'ext4',
  load: [0.1, 0, 0],
};

function resultOf(...rows: Row[]): Result {
  return {
    at: '2026-01-02T03:04:05.000Z',
    machine,
    benchmarks: [{ name: 'start-up', title: 'Start-up', rows }],
  };
}

const version: Row = {
  id: 'start-up.version',
  what: '--version',
  of: 'ratio',
  unit: 'ms',
  measured: 13,
  baseline: 'node -e 0',
  baselineMeasured: 12.5,
  ratio: 1.04,
  q1: 1.02,
  q3: 1.06,
  count: 40,
  aim: 1.2,
};

test('a row has its median, its baseline, the ratio with its quartiles, and whether the aim is met', () => {
  const text = page(resultOf(version, { ...version, what: '--help', ratio: 1.6, aim: 1.5 }));
  expect(text).toContain('| --version | 13.0 ms | node -e 0 | 12.5 ms | 1.04 | 1.02–1.06 | 40 | ≤ 1.2 ✓ |');
  expect(text).toContain('| 1.60 | 1.02–1.06 | 40 | ≤ 1.5 ✗ |');
  expect(text).toContain('1 of 2 aims met');
  expect(text).toContain('2026-01-02');
});

test('a figure of its own has its aim in its own unit', () => {
  const memory: Row = {
    id: 'd.m',
    what: 'memory',
    of: 'measured',
    unit: 'MB',
    measured: 812.3,
    q1: 810,
    q3: 815,
    count: 3,
    aim: 1000,
  };
  expect(page(resultOf(memory))).toContain('| memory | 812 MB | 810–815 | 3 | ≤ 1,000 MB ✓ |');
});

test('every row of a table has as many cells as its head', () => {
  const rows = page(resultOf(version, { id: 'x', what: 'other', skipped: 'it is not there' }))
    .split('\n')
    .filter((line) => line.startsWith('|'));
  expect(new Set(rows.map((line) => line.split('|').length)).size).toBe(1);
  expect(rows.at(-1)).toContain('skipped: it is not there');
});

test('tables replace those of the same release line and touch nothing else', () => {
  const before =
    'A\n<!-- node 20 -->\nold\n<!-- end of node 20 -->\nB\n<!-- node 26 -->\nkept\n<!-- end of node 26 -->\n';
  const after = intoPage(before, resultOf(version));
  expect(after).not.toContain('old');
  expect(after).toMatch(/^A\n<!-- node 20 -->\n\nNode\.js 20\.20\.2/);
  expect(after).toContain('B\n<!-- node 26 -->\nkept\n<!-- end of node 26 -->\n');
  expect(intoPage(after, resultOf(version))).toBe(after);
});

test('a page without the place is refused', () => {
  expect(() => intoPage('no place', resultOf(version))).toThrow('the page has no place for node 20');
});

test('the page in docs has a place for the floor, for the current LTS and for the peers', () => {
  const text = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8');
  for (const place of ['node 20', 'node 26', 'peers']) {
    expect(text).toContain(`<!-- ${place} -->\n`);
    expect(text).toContain(`<!-- end of ${place} -->`);
  }
});
