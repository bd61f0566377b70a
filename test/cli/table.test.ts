/** Tables: aligned and no wider than a terminal; elsewhere one record a line. */
import * as fc from '../support/random.ts';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { noPaint, type Paint } from '../../src/cli/render/paint.ts';
import { records, type Table } from '../../src/cli/render/records.ts';
import { writeTable } from '../../src/cli/render/table.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';

async function lines(table: Table, columns = 80, paint: Paint = noPaint): Promise<string[]> {
  const { stdout } = new CapturedTerminal({ isTerminal: true, columns });
  await writeTable(stdout, paint, table);
  return stdout.text.split('\n').slice(0, -1);
}

const two: Table['columns'] = [{ title: 'KEY' }, { title: 'COUNT', align: 'right' }];

describe('a table on a terminal', () => {
  it('has a header and columns in line', async () => {
    expect(
      await lines({
        columns: two,
        rows: [
          ['a', '1'],
          ['longer', '12,000'],
        ],
      }),
    ).toEqual(['KEY      COUNT', 'a            1', 'longer  12,000']);
  });

  it('leaves out what is spare, the last of it first, rather than that a row goes over the end of the line', async () => {
    const table: Table = {
      columns: [
        { title: 'RUN', keeps: 'all' },
        { title: 'ASSETS', spare: true },
        { title: 'CREATED', keeps: 'all', spare: true },
      ],
      rows: [['0mwyg9ltw4ytnos-1', 'a', '18 s ago']],
    };
    expect(await lines(table, 36)).toEqual([
      'RUN                ASSETS  CREATED',
      '0mwyg9ltw4ytnos-1  a       18 s ago',
    ]);
    expect(await lines(table, 34)).toEqual(['RUN                ASSETS', '0mwyg9ltw4ytnos-1  a']);
    expect(await lines(table, 20)).toEqual(['RUN', '0mwyg9ltw4ytnos-1']);
  });

  it('counts the places that wide letters take', async () => {
    const table = await lines({
      columns: two,
      rows: [
        ['日本', '1'],
        ['e\u0301', '2'],
        ['👩‍👩‍👧', '3'],
      ],
    });
    expect(new Set(table.map((line) => stringWidth(line)))).toEqual(new Set([11]));
  });

  it('is never wider than the terminal while columns can give way, and says where something is cut', async () => {
    const texts = fc.array(
      fc.tuple(
        fc.string({ unit: 'grapheme', maxLength: 120 }),
        fc.string({ maxLength: 120 }),
        fc.nat().map(String),
      ),
      { minLength: 1, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 40, max: 200 }), async (rows, columns) => {
        const table = await lines(
          { columns: [{ title: 'ONE' }, { title: 'TWO' }, { title: 'THREE', align: 'right' }], rows },
          columns,
        );
        expect(table).toHaveLength(rows.length + 1);
        for (const line of table) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
    const [, cut] = await lines({ columns: two, rows: [['x'.repeat(100), '7']] });
    expect(cut).toHaveLength(80);
    expect(cut).toMatch(/^x+…  +7$/);
  });

  describe.each([40, 80, 200])('of %i columns', (columns) => {
    const long = 'x'.repeat(150);
    it.each([
      ['begin alike', ['a', 'b', 'c'].map((end) => `s3://bucket/${long}/${end}.json`)],
      ['begin and end alike', ['1', '2', '3'].map((number) => `${long}/${number}/${long}`)],
      ['end alike', ['1', '2', '3'].map((number) => `${number}/${long}`)],
      ['begin alike and are one the beginning of the other', [long, `${long}x`, `${long}xx`]],
      ['begin alike in wide letters', ['1', '2'].map((end) => `${'日本'.repeat(60)}${end}`)],
      ['begin alike in letters with accents', ['1', '2'].map((end) => `${'e\u0301'.repeat(300)}${end}`)],
    ])('shows keys that %s as different ones, within its width', async (_, keys) => {
      const table = await lines(
        {
          columns: [
            { title: 'KEY', keeps: 'difference' },
            { title: 'ADDED', keeps: 'all' },
          ],
          rows: keys.map((key) => [key, '2 min ago']),
        },
        columns,
      );
      expect(new Set(table).size).toBe(keys.length + 1);
      for (const line of table) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    });
  });

  it('is rather too wide than that two keys look the same', async () => {
    const keys = Array.from({ length: 300 }, (_, at) => `${'x'.repeat(at)}y${'x'.repeat(300 - at)}`);
    const rows = keys.map((key) => [key, key]);
    const table = await lines({ columns: [{ title: 'A', keeps: 'difference' }, { title: 'B' }], rows }, 40);
    expect(new Set(table).size).toBe(keys.length + 1);
  });

  it('cuts wide letters whole', async () => {
    const [, cut] = await lines({ columns: two, rows: [['日'.repeat(60), '7']] });
    expect(stringWidth(cut!)).toBeLessThanOrEqual(80);
    expect(cut).toMatch(/^日+…  +7$/);
  });

  it('lets no cell begin a line or a column of its own', async () => {
    const table = await lines({ columns: two, rows: [['a\nb\tc\u001b[31m\u202e', '1']] });
    expect(table).toHaveLength(2);
    for (const bad of ['\t', '\u001b', '\u202e']) expect(table[1]).not.toContain(bad);
    expect(table[0]!.indexOf('COUNT') + 4).toBe(table[1]!.lastIndexOf('1'));
  });

  it('keeps a cell with a tab in line', async () => {
    const table = await lines({
      columns: two,
      rows: [
        ['a\tb', '1'],
        ['abcdef', '1'],
      ],
    });
    expect(table.slice(1).every((line) => !line.includes('\t'))).toBe(true);
    expect(new Set(table.map((line) => line.length)).size).toBe(1);
  });

  it('paints the text of a cell, not the room around it', async () => {
    const paint: Paint = { ...noPaint, bad: (text) => `<${text}>`, dim: (text) => text };
    const table = await lines(
      {
        columns: two,
        rows: [
          ['a', { text: '1', paint: 'bad' }],
          [{ text: 'bbb', paint: 'bad' }, '2'],
        ],
      },
      80,
      paint,
    );
    expect(table).toEqual(['KEY  COUNT', 'a        <1>', '<bbb>      2']);
  });

  it('has nothing but its header when there are no rows', async () => {
    expect(await lines({ columns: two, rows: [] })).toEqual(['KEY  COUNT']);
  });
});

describe('a table elsewhere', () => {
  it('is a record a line, uncut and without a header', async () => {
    const key = 'x'.repeat(100);
    const rows = [
      [key, '1'],
      ['a\nb\tc', '2'],
    ];
    expect(records({ columns: two, rows })).toBe(`${key}\t1\na b c\t2\n`);
  });
});
