import fs from 'node:fs';
import { array, assert, constantFrom, integer, property, string } from '../support/random.ts';
import { afterAll, describe, expect, it } from 'vitest';
import { linesFrom } from '../../src/files/line-pieces.ts';
import { TemporaryFolder } from '../support/json-rig.ts';

const never = (): boolean => false;

describe('the lines of a file, a piece at a time', () => {
  const folder = new TemporaryFolder();
  afterAll(() => folder[Symbol.dispose]());
  const file = folder.file('lines');

  function readAll(bytes: number, mostOfALine: number, isWhole = never): string[] {
    const found: string[] = [];
    for (let from = 0; ;) {
      const { lines, next, isEnd } = linesFrom(file, from, { bytes, mostOfALine }, isWhole);
      found.push(...lines);
      if (isEnd) return found;
      expect(next).toBeGreaterThan(from);
      from = next;
    }
  }

  it('are all of them, each once, whatever a piece cuts in two', () => {
    assert(
      property(
        array(string({ unit: constantFrom('a', 'é', '😀', '\r', ' ') })),
        integer({ min: 1, max: 40 }),
        (lines, bytes) => {
          fs.writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
          expect(readAll(bytes, 1_000_000)).toEqual(lines);
        },
      ),
    );
  });

  it('wait for their end, unless they are whole without it', () => {
    fs.writeFileSync(file, 'one\ntw');
    const bounds = { bytes: 100, mostOfALine: 100 };
    expect(linesFrom(file, 0, bounds, never)).toEqual({ lines: ['one'], next: 4, isEnd: true });
    expect(linesFrom(file, 4, bounds, never)).toEqual({ lines: [], next: 4, isEnd: true });
    expect(linesFrom(file, 4, bounds, () => true)).toEqual({ lines: ['tw'], next: 6, isEnd: true });
    fs.appendFileSync(file, 'o\nthree\n');
    expect(linesFrom(file, 4, bounds, never)).toEqual({ lines: ['two', 'three'], next: 14, isEnd: true });
    expect(linesFrom(file, 14, bounds, never)).toEqual({ lines: [], next: 14, isEnd: true });
  });

  it('are found behind what is too long for a line', () => {
    fs.writeFileSync(file, `one\n${'x'.repeat(1000)}\ntwo\n`);
    expect(readAll(8, 64).filter((line) => !line.includes('x'))).toEqual(['one', 'two']);
  });

  it('are none where there is no file', () => {
    expect(linesFrom(folder.file('nowhere'), 7, { bytes: 8, mostOfALine: 8 }, never)).toEqual({
      lines: [],
      next: 7,
      isEnd: true,
    });
  });
});
