/** The append-only log in segments: newest first, bounded, and undisturbed by what was torn. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import fs from 'node:fs';
import path from 'node:path';
import * as fc from '../support/random.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordsOf, SegmentedLog } from '../../src/files/segmented-log.ts';
import { TemporaryFolder } from '../support/json-rig.ts';

const CHUNK = 64 * 1024;

describe('a segmented log', () => {
  let folder: TemporaryFolder;
  let dropped: string[];

  beforeEach(() => {
    folder = new TemporaryFolder();
    dropped = [];
  });

  afterEach(() => folder[Symbol.dispose]());

  const log = (name = 'runs', segmentBytes = 100, segments = 3): SegmentedLog =>
    new SegmentedLog({
      folder: folder.path,
      name,
      segmentBytes,
      segments,
      onDrop: (file) => dropped.push(file),
    });
  const all = (of = log()): unknown[] => [...of.newestFirst()];
  const names = (): string[] => fs.readdirSync(folder.path).sort();

  it('is empty, and makes no folder, where nothing was written', () => {
    const none = new SegmentedLog({
      folder: folder.file('none'),
      name: 'runs',
      segmentBytes: 1,
      segments: 1,
    });
    none.append([], true);
    expect(all(none)).toEqual([]);
    expect(names()).toEqual([]);
  });

  it('gives records newest first, also those of one write', () => {
    log().append([1, 2], true);
    log().append([{ three: 3 }], false);
    expect(all()).toEqual([{ three: 3 }, 2, 1]);
  });

  it('passes over a torn line, and begins the next record on a line of its own', () => {
    log().append([{ at: 1 }], true);
    fs.appendFileSync(folder.file('runs.000001.jsonl'), '{"at":2,"te');
    expect(all()).toEqual([{ at: 1 }]);
    log().append([{ at: 3 }], true);
    expect(all()).toEqual([{ at: 3 }, { at: 1 }]);
    log().append([{ at: 4 }], true);
    expect(all()).toEqual([{ at: 4 }, { at: 3 }, { at: 1 }]);
  });

  it('syncs the name of a file before anything stands in it: a record may not be lost with its file', () => {
    const done: string[] = [];
    const paths = new Map<number, string>();
    const { openSync, fsyncSync, writeSync } = fs;
    vi.spyOn(fs, 'openSync').mockImplementation((file, ...rest) => {
      const fd = openSync(file, ...rest);
      paths.set(fd, String(file) === folder.path ? 'the folder' : path.basename(String(file)));
      return fd;
    });
    vi.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
      fsyncSync(fd);
      done.push(`synced ${paths.get(fd)}`);
    });
    vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, bytes: Uint8Array) => {
      done.push(`wrote ${paths.get(fd)}`);
      return writeSync(fd, bytes);
    }) as typeof writeSync);
    for (let at = 0; at < 3; at++) log('runs', 10).append([{ at, text: 'long enough' }], true);
    log('runs', 1000).append([{ at: 3 }], true);
    vi.restoreAllMocks();
    // The folder itself was found empty: its name is made safe, too.
    expect(done.shift()).toBe(`synced ${path.basename(path.dirname(folder.path))}`);
    expect(done).toEqual([
      ...['runs.000001.jsonl', 'runs.000002.jsonl', 'runs.000003.jsonl'].flatMap((file) => [
        'synced the folder',
        `wrote ${file}`,
        `synced ${file}`,
      ]),
      'wrote runs.000003.jsonl',
      'synced runs.000003.jsonl',
    ]);
  });

  it('begins a new file when one has grown, and drops the oldest', () => {
    for (let at = 0; at < 10; at++) log().append([{ at, filler: 'x'.repeat(100) }], false);
    expect(names()).toEqual(['runs.000008.jsonl', 'runs.000009.jsonl', 'runs.000010.jsonl']);
    expect(all().map((record) => (record as { at: number }).at)).toEqual([9, 8, 7]);
    expect(dropped).toEqual([1, 2, 3, 4, 5, 6, 7].map((number) => folder.file(`runs.00000${number}.jsonl`)));
  });

  it('never has a file that is longer than its bound, but for one record, also where one write brings many', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 8 }), { maxLength: 8 }),
        (writes) => {
          using fresh = new TemporaryFolder();
          const one = new SegmentedLog({ folder: fresh.path, name: 'l', segmentBytes: 200, segments: 99 });
          const written = writes.map((sizes, at) => sizes.map((size) => ({ at, filler: 'é'.repeat(size) })));
          for (const records of written) one.append(records, false);
          expect([...one.newestFirst()]).toEqual(written.flat().reverse());
          for (const file of fs.readdirSync(fresh.path)) {
            const text = fs.readFileSync(fresh.file(file), 'utf8');
            expect(Buffer.byteLength(text) <= 200 || text.indexOf('\n') === text.length - 1).toBe(true);
          }
        },
      ),
    );
  });

  describe('that keeps so many records', () => {
    it.each([1, 3, 10, 100])('keeps the last %i, and not many more', (records) => {
      const few = new SegmentedLog({
        folder: folder.path,
        name: 'few',
        segmentBytes: 1e6,
        segments: 4,
        keep: () => ({ records }),
      });
      for (let at = 0; at < 250; at += 2) few.append([at, at + 1], false);
      const kept = [...few.newestFirst()] as number[];
      expect(kept).toEqual(Array.from({ length: kept.length }, (_, back) => 249 - back));
      expect(kept.length).toBeGreaterThanOrEqual(records);
      // As the pages say: a third more at most.
      expect(kept.length).toBeLessThanOrEqual(records + Math.ceil(records / 3));
    });

    it('counts what other processes have added', () => {
      const open = (): SegmentedLog =>
        new SegmentedLog({
          folder: folder.path,
          name: 'few',
          segmentBytes: 1e6,
          segments: 2,
          keep: () => ({ records: 5 }),
        });
      const [one, other] = [open(), open()];
      for (let at = 0; at < 40; at++) (at % 2 === 0 ? one : other).append([at], false);
      expect([...one.newestFirst()]).toHaveLength(10);
    });

    it('keeps them, too, where files went on to the next one before they had their share', () => {
      const open = (segmentBytes: number): SegmentedLog =>
        new SegmentedLog({
          folder: folder.path,
          name: 'few',
          segmentBytes,
          segments: 8,
          keep: () => ({ records: 6 }),
        });
      for (let at = 0; at < 5; at++) open(2).append([at], false);
      for (let at = 5; at < 9; at++) open(1e6).append([at], false);
      expect([...open(1e6).newestFirst()]).toEqual([8, 7, 6, 5, 4, 3, 2]);
    });
  });

  describe('that keeps records by age', () => {
    const DAY = 24 * 60 * 60_000;
    const open = (at: number, olderThanMs?: number): SegmentedLog =>
      new SegmentedLog({
        folder: folder.path,
        name: 'aging',
        segmentBytes: 1e6,
        segments: 4,
        keep: () => ({ olderThanMs }),
        clock: { now: () => at, timeOf: (record) => (record as { at: number }).at },
        onDrop: (file) => dropped.push(file),
      });
    const kept = (): number[] =>
      [...open(0).newestFirst()].map((record) => (record as { at: number }).at / DAY);

    it('drops what is older, and keeps what is not', () => {
      for (let day = 1; day <= 50; day++) open(day * DAY, 8 * DAY).append([{ at: day * DAY }], false);
      expect(kept().slice(0, 9)).toEqual([50, 49, 48, 47, 46, 45, 44, 43, 42]);
      expect(kept().at(-1)).toBeGreaterThanOrEqual(50 - 8 - 3);
      expect(dropped.length).toBeGreaterThan(10);
    });

    it('keeps the last record, however old it is', () => {
      open(DAY, 8 * DAY).append([{ at: DAY }], false);
      open(500 * DAY, 8 * DAY).append([], false);
      expect(kept()).toEqual([1]);
      open(500 * DAY, 8 * DAY).append([{ at: 500 * DAY }], false);
      expect(kept()).toEqual([500, 1]);
      open(502.5 * DAY, 8 * DAY).append([{ at: 502.5 * DAY }], false);
      expect(kept()).toEqual([502.5, 500]);
    });

    it('drops nothing where no age is asked for, or records tell no time', () => {
      for (let day = 1; day <= 50; day++) open(day * DAY).append([{ at: day * DAY }], false);
      expect(kept()).toHaveLength(50);
      open(9000 * DAY, DAY).append(['no time'], false);
      open(9001 * DAY, DAY).append([{ at: 9001 * DAY }], false);
      expect(dropped).toEqual([]);
    });
  });

  it('still has a file when it says that it drops it', () => {
    const seen: unknown[] = [];
    const reading = new SegmentedLog({
      folder: folder.path,
      name: 'runs',
      segmentBytes: 1,
      segments: 1,
      onDrop: (file) => seen.push(...recordsOf(file)),
    });
    for (const record of ['a', 'b', 'c']) reading.append([record], false);
    expect(seen).toEqual(['a', 'b']);
    expect(all(reading)).toEqual(['c']);
  });

  it('keeps every record of a bounded past: all but those of the files that were dropped', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 30 }), (sizes) => {
        using fresh = new TemporaryFolder();
        const one = new SegmentedLog({ folder: fresh.path, name: 'l', segmentBytes: 200, segments: 4 });
        const written = sizes.map((size, at) => ({ at, filler: 'é'.repeat(size) }));
        for (const record of written) one.append([record], false);
        const kept = [...one.newestFirst()];
        expect(kept).toEqual(written.slice(written.length - kept.length).reverse());
        expect(fs.existsSync(fresh.path) ? fs.readdirSync(fresh.path).length : 0).toBeLessThanOrEqual(4);
        if (written.length > 0) expect(kept.length).toBeGreaterThan(0);
      }),
    );
  });

  it('is not confused by other logs and files in its folder', () => {
    log('runs').append([1], false);
    log('runs.000001').append([2], false);
    log('run').append([3], false);
    fs.writeFileSync(folder.file('runs.00000x.jsonl'), '4\n');
    fs.writeFileSync(folder.file('runs.000001.jsonl.bak'), '5\n');
    expect(all(log('runs'))).toEqual([1]);
    expect(all(log('runs.000001'))).toEqual([2]);
    expect(all(log('run'))).toEqual([3]);
  });

  it('goes on where another process drops the oldest file while it is being read', () => {
    for (let at = 0; at < 3; at++) log().append([{ at, filler: 'x'.repeat(100) }], false);
    const reading = log().newestFirst();
    const read = [reading.next().value as { at: number }];
    log().append([{ at: 3, filler: 'x'.repeat(100) }], false);
    for (const record of reading) read.push(record as { at: number });
    expect(read.map(({ at }) => at)).toEqual([2, 1]);
  });
});

describe('the records of a file', () => {
  let folder: TemporaryFolder;

  beforeEach(() => {
    folder = new TemporaryFolder();
  });

  afterEach(() => folder[Symbol.dispose]());

  const recordsIn = (text: string | Uint8Array): unknown[] => {
    fs.writeFileSync(folder.file('log'), text);
    return [...recordsOf(folder.file('log'))];
  };

  it('are whole where a character of several bytes lies across the border of two chunks', () => {
    // Each shift puts the border at another byte of the four.
    for (let shift = 0; shift < 8; shift++) {
      const records = ['😀'.repeat(20_000), `${'x'.repeat(shift)}😀`, 'é'.repeat(10)];
      const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
      expect(Buffer.byteLength(text)).toBeGreaterThan(CHUNK);
      expect(recordsIn(text)).toEqual(records.toReversed());
    }
  });

  it('are whole where a line is longer than several chunks', () => {
    const records = ['first', 'x'.repeat(3 * CHUNK), 'y', 'z'.repeat(2 * CHUNK)];
    expect(recordsIn(records.map((record) => `${JSON.stringify(record)}\n`).join(''))).toEqual(
      records.toReversed(),
    );
  });

  it('are whole where a line begins or ends exactly at the border of a chunk', () => {
    for (const length of [CHUNK - 1, CHUNK, CHUNK + 1]) {
      // Quotes and the line's end take three bytes.
      const last = 'b'.repeat(length - 3);
      expect(recordsIn(`"a"\n${JSON.stringify(last)}\n`)).toEqual([last, 'a']);
    }
  });

  it('are those of the whole lines where the last one was torn, however long it was', () => {
    for (const torn of [10, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]) {
      expect(recordsIn(`"a"\n"b"\n"${'c'.repeat(torn)}`)).toEqual(['b', 'a']);
    }
  });

  it('are the same as of an ordinary reading, whatever the lines are', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ unit: 'grapheme' }),
            fc.integer({ min: 0, max: 40_000 }).map((n) => 'é'.repeat(n)),
          ),
          { maxLength: 8 },
        ),
        (records) => {
          expect(recordsIn(records.map((record) => `${JSON.stringify(record)}\n`).join(''))).toEqual(
            records.toReversed(),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it('need no more than the end of the file for the newest one', () => {
    const file = folder.file('log');
    fs.writeFileSync(file, `${'"a"\n'.repeat(100_000)}"newest"\n`);
    const reading = recordsOf(file);
    expect(reading.next().value).toBe('newest');
    reading.return(undefined);
  });
});
