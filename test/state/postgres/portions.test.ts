/** Long answers, a portion at a time: all of each, whatever their length, and nothing of one that broke off. */
import { expect, it } from 'vitest';
import type { Port, Row } from '../../../src/state/postgres/port.ts';
import { eachPortion, PORTION } from '../../../src/state/postgres/read/portions.ts';

/** Has so many rows, and fails when it is asked for a portion with this number. */
function portWith(length: number, failing = -1): { readonly port: Port; readonly said: string[] } {
  const said: string[] = [];
  let at = 0;
  let portions = 0;
  const execute = (sql: string): Promise<readonly Row[]> => {
    said.push(sql.split(' ')[0]!);
    if (!sql.startsWith('fetch')) return Promise.resolve([]);
    if (portions++ === failing) return Promise.reject(new Error('the line broke off'));
    const rows = Array.from({ length: Math.min(PORTION, length - at) }, (_, n) => ({ n: at + n }));
    at += rows.length;
    return Promise.resolve(rows);
  };
  return { port: { execute }, said };
}

it.each([0, 1, PORTION - 1, PORTION, PORTION + 1, 2 * PORTION])(
  'takes all of %d rows, in order',
  async (length) => {
    const { port, said } = portWith(length);
    const taken: number[] = [];
    await eachPortion<{ readonly n: number }>(port, 'some', 'select', (rows) => {
      for (const { n } of rows) taken.push(n);
    });
    expect(taken).toEqual(Array.from({ length }, (_, n) => n));
    expect(said.at(-1)).toBe('close');
  },
);

it('fails where a portion does not come', async () => {
  const { port } = portWith(3 * PORTION, 1);
  await expect(eachPortion(port, 'some', 'select', () => undefined)).rejects.toThrow('the line broke off');
});
