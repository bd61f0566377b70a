/** What `npm run bench -- --check` takes for a change, on made-up figures. */
import { describe, expect, test } from 'vitest';
import { compare, noiseOf, recordInto, recordOf, type Row, verdictInWords } from '../../bench/compare.mjs';

/** A row with this ratio, its quartiles so far to each side. */
function row(ratio: number, { half = 0.05, count = 40, id = 'start-up.tick' } = {}): Row {
  return { id, what: `row ${id}`, of: 'ratio', ratio, q1: ratio - half, q3: ratio + half, count };
}

function memory(measured: number): Row {
  const [q1, q3] = [measured - 5, measured + 5];
  return { id: 'discovery.memory', what: 'memory', of: 'measured', measured, q1, q3, count: 3 };
}

function verdict(now: Row, before: Row): string | undefined {
  return compare([now], { [before.id]: recordOf(before) }).compared[0]?.verdict;
}

describe('a row', () => {
  test('that is what it was is the same', () => {
    expect(verdict(row(2), row(2))).toBe('same');
  });

  test('is slower, or faster, when its ratio moved by more than the noise of both sides', () => {
    expect(verdict(row(2.2), row(2))).toBe('slower');
    expect(verdict(row(1.8), row(2))).toBe('faster');
  });

  test('is the same when the noise of either side could be the reason', () => {
    expect(verdict(row(2.2, { half: 0.4 }), row(2))).toBe('same');
    expect(verdict(row(2.2), row(2, { half: 0.4 }))).toBe('same');
  });

  test('needs a larger change with fewer rounds', () => {
    expect(verdict(row(2.2, { half: 0.1, count: 40 }), row(2, { half: 0.1, count: 40 }))).toBe('slower');
    expect(verdict(row(2.2, { half: 0.1, count: 5 }), row(2, { half: 0.1, count: 40 }))).toBe('same');
  });

  test('is not slower by what two runs of the same code differ, however quiet the machine was', () => {
    expect(verdict(row(2.07, { half: 0 }), row(2, { half: 0 }))).toBe('same');
    expect(verdict(row(2.09, { half: 0 }), row(2, { half: 0 }))).toBe('slower');
  });

  test('of one or two rounds knows no noise of its own: only a large change counts', () => {
    expect(verdict(row(2.4, { half: 0, count: 1 }), row(2, { half: 0, count: 1 }))).toBe('same');
    expect(verdict(row(3.2, { half: 0, count: 1 }), row(2, { half: 0, count: 1 }))).toBe('slower');
  });

  test('says when it is too noisy to tell, instead of that nothing changed', () => {
    expect(verdict(row(2.1, { half: 1.5 }), row(2))).toBe('too noisy to tell');
  });

  test('that got slower by more than even such noise is slower', () => {
    expect(verdict(row(8, { half: 1.5 }), row(2))).toBe('slower');
  });

  test('whose aim is about the figure itself is compared by the figure', () => {
    expect(verdict(memory(700), memory(600))).toBe('slower');
    expect(verdict(memory(610), memory(600))).toBe('same');
  });
});

test('noise shrinks with the root of the number of rounds', () => {
  const [few, many] = [10, 40].map((count) => noiseOf({ q1: 1, q3: 2, count }));
  expect(few! / many!).toBeCloseTo(2);
  expect(many).toBeCloseTo(0.44, 2);
});

describe('a comparison', () => {
  const before = recordInto({}, [row(2, { id: 'a' }), row(2, { id: 'b' })]);

  test('fails when one of many got slower, and names it with both figures', () => {
    const { lines, failed } = verdictInWords(compare([row(2, { id: 'a' }), row(3, { id: 'b' })], before));
    expect(failed).toBe(true);
    expect(lines).toEqual([
      expect.stringMatching(/^slower: row b: 2 → 3, noise ±/),
      '2 compared: 1 got slower',
    ]);
  });

  test('passes when some got faster and the rest stayed', () => {
    const { lines, failed } = verdictInWords(compare([row(1, { id: 'a' }), row(2, { id: 'b' })], before));
    expect(failed).toBe(false);
    expect(lines.at(-1)).toBe('2 compared: nothing got slower');
  });

  test('names what only one side has', () => {
    const { lines, failed } = verdictInWords(compare([row(2, { id: 'a' }), row(2, { id: 'c' })], before));
    expect(failed).toBe(false);
    expect(lines).toEqual([
      'not recorded, not compared: c',
      'recorded, not measured now: b',
      '1 compared: nothing got slower',
    ]);
  });

  test('in which noise hides everything is a failure, and one in which it hides some names these', () => {
    const noisy = row(2, { id: 'a', half: 1.5 });
    expect(verdictInWords(compare([noisy], before))).toMatchObject({ failed: true });
    const { lines, failed } = verdictInWords(compare([noisy, row(2, { id: 'b' })], before));
    expect(failed).toBe(false);
    expect(lines).toEqual([
      expect.stringMatching(/^too noisy to tell: row a: /),
      '1 compared, 1 too noisy to tell: nothing got slower',
    ]);
  });

  test('of nothing is a failure: it would pass for ever', () => {
    expect(verdictInWords(compare([row(2, { id: 'c' })], before)).failed).toBe(true);
    expect(verdictInWords(compare([], {})).failed).toBe(true);
  });
});

test('recording replaces the rows that were measured and keeps the others', () => {
  const before = recordInto({}, [row(2, { id: 'a' }), row(2, { id: 'b' })]);
  const after = recordInto(before, [row(3, { id: 'b' }), row(4, { id: 'c' })]);
  expect(Object.entries(after).map(([id, { value }]) => [id, value])).toEqual([
    ['a', 2],
    ['b', 3],
    ['c', 4],
  ]);
});
