/** The default I/O manager: a value comes back as it was kept, whole, and only the last one of a key. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import fs from 'node:fs';
import * as fc from '../support/random.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { whyNotJson } from '../../src/model/json-value.ts';
import { FileValues } from '../../src/values/file-values.ts';
import type { SaveContext } from '../../src/definitions/io-manager.ts';
import { processTag } from '../../src/files/process-owner.ts';
import { anyKey } from '../support/arbitraries.ts';
import { TemporaryFolder } from '../support/json-rig.ts';

describe('values in files', () => {
  let folder: TemporaryFolder;
  let values: FileValues;

  beforeEach(() => {
    folder = new TemporaryFolder();
    values = new FileValues(folder.path);
  });

  afterEach(() => folder[Symbol.dispose]());

  const audio = (partitionKey: string | null): { asset: string; partitionKey: string | null } => ({
    asset: 'audio',
    partitionKey,
  });
  const by = (partitionKey: string | null, run = 'g-1'): SaveContext => ({
    ...audio(partitionKey),
    run: { id: run },
  });
  /** As a commit does it that records all of it. */
  const put = async (of: FileValues, run = 'g-1'): Promise<void> => {
    await of.flush();
    of.settle([{ run, assets: ['audio'], isOver: true }]);
  };
  const fresh = (): FileValues => new FileValues(folder.path);
  /** Without the sign that this boot's leftovers were looked for. */
  const temporaries = (): string[] =>
    (fs.existsSync(folder.file('values', '.tmp'))
      ? fs.readdirSync(folder.file('values', '.tmp'))
      : []
    ).filter((name) => !name.startsWith('boot-'));
  const files = (asset = 'audio'): string[] => fs.readdirSync(folder.file('values', asset)).sort();

  it('what could not be read again is refused in words, before anything is written', () => {
    const many = Array.from({ length: 600 }, () => 'x'.repeat(1024 * 1024));
    // As bytes the second is longer than as letters.
    for (const value of [many, 'é'.repeat(300 * 1024 * 1024)])
      expect(() => values.save(by('a'), value)).toThrow(
        'what it returned is larger than the 512 MiB that can be read as one JSON text: write it to a file',
      );
    expect(fs.existsSync(folder.file('values'))).toBe(false);
  });

  it.each<readonly [string, unknown, string]>([
    ['an object', { path: 'x', bytes: [1, 2.5, null, true, 'é😀'], 'odd name': {} }, 'a.json'],
    ['a text', 'text', 'a.json'],
    ['null', null, 'a.json'],
    ['false', false, 'a.json'],
    ['0', 0, 'a.json'],
    ['an empty text', '', 'a.json'],
    ['bytes', new Uint8Array([0, 255, 10, 13]), 'a.bin'],
    ['no bytes', new Uint8Array(), 'a.bin'],
    ['nothing', undefined, 'a.none'],
  ])('brings back %s, before and after it is flushed', async (_, value, name) => {
    values.save(by('a'), value);
    expect(await values.load(audio('a'))).toEqual(value);
    await put(values);
    expect(await values.load(audio('a'))).toEqual(value);
    expect(await fresh().load(audio('a'))).toEqual(value);
    expect(files()).toEqual([name]);
  });

  it.skipIf(process.platform === 'win32').each([
    ['of the same kind', { n: 2 }, 'a.json'],
    ['of another kind', new Uint8Array([1]), 'a.bin'],
    ['of no content', undefined, 'a.none'],
  ])('keeps the permissions of the value in whose place it is put: one %s', async (_, value, name) => {
    const umask = process.umask(0o022);
    try {
      for (const mode of [0o600, 0o660]) {
        values.save(by('a', `first-${mode}`), { n: 1 });
        await put(values, `first-${mode}`);
        fs.chmodSync(folder.file('values', 'audio', 'a.json'), mode);
        values.save(by('a', `next-${mode}`), value);
        values.save(by('b', `next-${mode}`), value);
        const staged = files().find((file) => file.includes(`next-${mode}`) && file.startsWith('a'));
        expect(fs.statSync(folder.file('values', 'audio', staged ?? name)).mode & 0o777).toBe(mode);
        await put(values, `next-${mode}`);
        expect(fs.statSync(folder.file('values', 'audio', name)).mode & 0o777).toBe(mode);
        expect(fs.statSync(folder.file('values', 'audio', name.replace('a', 'b'))).mode & 0o777).toBe(0o644);
      }
    } finally {
      process.umask(umask);
    }
  });

  it('brings back a Buffer as the bytes that it holds', async () => {
    values.save(by('a'), Buffer.from('hello').subarray(1, 3));
    await put(values);
    expect(Buffer.from((await fresh().load(audio('a'))) as Uint8Array).toString()).toBe('el');
  });

  it('shows others nothing before it is flushed', async () => {
    values.save(by('a'), 1);
    await expect(fresh().load(audio('a'))).rejects.toThrow();
    await put(values);
    expect(await fresh().load(audio('a'))).toBe(1);
  });

  it('keeps the last of several values, of whatever kind', async () => {
    const kinds: readonly unknown[] = [{ json: 1 }, new Uint8Array([1]), undefined, 'json'];
    for (const first of kinds) {
      for (const second of kinds) {
        values.save(by('a'), first);
        await put(values);
        values.save(by('a'), second);
        expect(await values.load(audio('a'))).toEqual(second);
        await put(values);
        expect(await fresh().load(audio('a'))).toEqual(second);
        expect(files()).toHaveLength(1);
      }
    }
  });

  it('keeps the last of several values that were saved before one flush', async () => {
    values.save(by('a'), 1);
    values.save(by('a'), new Uint8Array([2]));
    values.save(by('a'), 3);
    await put(values);
    expect(await fresh().load(audio('a'))).toBe(3);
    expect(files()).toEqual(['a.json']);
    expect(temporaries()).toEqual([]);
  });

  it('keeps what another run saves while the first value is being flushed, and each comes with its record', async () => {
    values.save(by('a'), 'first');
    values.save(by('b'), 'other');
    const flushing = values.flush();
    values.save(by('a', 'g-2'), 'second');
    await flushing;
    values.settle([{ run: 'g-1', assets: ['audio'], isOver: true }]);
    expect(await values.load(audio('a'))).toBe('second');
    expect(await fresh().load(audio('a'))).toBe('first');
    expect(await fresh().load(audio('b'))).toBe('other');
    await put(values, 'g-2');
    expect(await fresh().load(audio('a'))).toBe('second');
    expect(temporaries()).toEqual([]);
  });

  it('drops what does not count, and leaves the value that is on record', async () => {
    values.save(by('a'), 'on record');
    await put(values);
    values.save(by('a', 'g-2'), 'canceled');
    values.save(by('b', 'g-2'), 'canceled');
    await values.flush();
    expect(await fresh().load(audio('a'))).toBe('on record');
    values.settle([{ run: 'g-2', assets: [], isOver: true }]);
    expect(await values.load(audio('a'))).toBe('on record');
    await expect(values.load(audio('b'))).rejects.toThrow();
    expect(files()).toEqual(['a.json']);
    expect(temporaries()).toEqual([]);
  });

  it('puts in place what a run has made on its way, and keeps what it makes meanwhile for its end', async () => {
    values.save(by('a'), 'made');
    await values.flush();
    const text = { asset: 'text', partitionKey: 'a' };
    values.save({ ...text, run: { id: 'g-1' } }, 'not on record yet');
    values.settle([{ run: 'g-1', assets: ['audio'], isOver: false }]);
    expect(await fresh().load(audio('a'))).toBe('made');
    await expect(fresh().load(text)).rejects.toThrow();
    await values.flush();
    values.settle([{ run: 'g-1', assets: ['audio', 'text'], isOver: true }]);
    expect(await fresh().load(text)).toBe('not on record yet');
    expect(temporaries()).toEqual([]);
  });

  it('removes what another process has staged: a value that was purged does not come back', async () => {
    values.save(by('a'), 'secret');
    const journal = folder.file('values', '.tmp', processTag());
    fs.renameSync(journal, folder.file('values', '.tmp', 'another'));
    fresh().remove(audio('a'));
    await put(values);
    expect(files()).toEqual([]);
    await expect(values.load(audio('a'))).rejects.toThrow();
  });

  it('of one session of a process stay in its journal when another session has nothing left to place', async () => {
    const other = fresh();
    values.save(by('c', 'g-0'), 'of before');
    await put(values, 'g-0');
    // From now on journals alone tell what is left.
    await other.recover();
    values.save(by('a'), 'of this session');
    other.save(by('b', 'g-2'), 'of the other');
    await values.flush();
    await put(other, 'g-2');
    // Killed here, between the record of the run and the last step.
    for (const name of temporaries())
      fs.renameSync(
        folder.file('values', '.tmp', name),
        folder.file('values', '.tmp', name.replace(/^\d+-\d+/, '4194999-1')),
      );
    const later = new FileValues(folder.path, () => Promise.resolve({ assets: ['audio'], isOver: true }));
    await later.recover();
    expect(files()).toEqual(['a.json', 'b.json', 'c.json']);
  });

  describe('that are to go with their keys', () => {
    /** Whether the keys have left: what the next process finds on record. */
    const next = (hasLeft: boolean): FileValues =>
      new FileValues(folder.path, (_, purged) =>
        Promise.resolve({
          assets: [],
          skipped: hasLeft && purged !== undefined ? [purged.asset] : [],
          isOver: purged !== undefined,
        }),
      );
    const killed = async (): Promise<void> => {
      for (const key of ['a', 'b']) values.save(by(key), key);
      await put(values);
      await values.purging('x1').stage([audio('a'), audio('none')]);
      expect(files()).toEqual(['a.gone~purge-x1', 'a.json', 'b.json']);
      const journal = temporaries().find((name) => name.endsWith('.purge-x1'))!;
      fs.renameSync(
        folder.file('values', '.tmp', journal),
        folder.file('values', '.tmp', journal.replace(/^\d+-\d+/, '4194999-1')),
      );
    };

    it('go when the keys have left and the process was killed then, and stay when it was killed before', async () => {
      await killed();
      await next(false).recover();
      expect([files(), temporaries()]).toEqual([['a.json', 'b.json'], []]);
      await killed();
      await next(true).recover();
      expect([files(), temporaries()]).toEqual([['b.json'], []]);
    });

    it('go after a loss of power, too, of which no journal is left', async () => {
      await killed();
      fs.rmSync(folder.file('values', '.tmp'), { recursive: true });
      await next(true).recover();
      expect(files()).toEqual(['b.json']);
    });

    it('stay the business of a process that lives', async () => {
      for (const key of ['a', 'b', 'c']) values.save(by(key), key);
      await put(values);
      const purging = values.purging('x1');
      await purging.stage([audio('a'), audio('b')]);
      // What it has staged for runs has a journal of its own.
      values.save(by('d', 'g-2'), 'd');
      await next(true).recover();
      expect(await fresh().load(audio('a'))).toBe('a');
      purging.settle(({ partitionKey }) => partitionKey === 'a');
      expect(files()).toEqual(['b.json', 'c.json', 'd.json~g-2']);
      expect(temporaries()).toEqual([processTag()]);
    });
  });

  it('is not taken for purged when the disk does not say whether it is there', async () => {
    values.save(by('a'), 'made');
    await values.flush();
    const staged = folder.file('values', 'audio', 'a.json~g-1');
    const { statSync } = fs;
    const refusing = vi.spyOn(fs, 'statSync').mockImplementation(((
      file: string,
      options: fs.StatSyncOptions,
    ) => {
      if (file === staged) throw Object.assign(new Error('EIO: i/o error, stat'), { code: 'EIO', errno: -5 });
      return statSync(file, options);
    }) as typeof fs.statSync);
    try {
      expect(() => values.settle([{ run: 'g-1', assets: ['audio'], isOver: true }])).toThrow('state-io');
    } finally {
      refusing.mockRestore();
    }
    expect(files()).toEqual(['a.json~g-1']);
    values.settle([]);
    expect(files()).toEqual(['a.json']);
    expect(await fresh().load(audio('a'))).toBe('made');
  });

  describe('that a process left when it was killed', () => {
    const GONE = `4194999-1-${processTag().split('-')[2]!}`;
    const made: Record<string, readonly string[]> = {
      'g-1': ['audio'],
      'g-2': [],
      'g-4': ['audio'],
    };
    /** Runs that go on with what is on record of them. */
    const onTheWay: Record<string, readonly string[]> = { 'g-5': ['audio'] };
    const later = (): FileValues =>
      new FileValues(folder.path, (run) =>
        Promise.resolve({ assets: made[run] ?? onTheWay[run] ?? [], isOver: made[run] !== undefined }),
      );

    beforeEach(() => {
      values.save(by('a'), 'made');
      values.save(by('b', 'g-2'), 'canceled');
      values.save(by('c', 'g-3'), 'to be made again');
      values.save(by('a', 'g-4'), new Uint8Array([1]));
      values.save(by('d', 'g-5'), 'made on the way');
      fs.renameSync(folder.file('values', '.tmp', processTag()), folder.file('values', '.tmp', GONE));
    });

    it('is found where it lies, if it is on record', async () => {
      const before = folder.content();
      expect(await later().load(audio('a'))).toEqual(new Uint8Array([1]));
      await expect(later().load(audio('b'))).rejects.toThrow();
      await expect(later().load(audio('c'))).rejects.toThrow();
      expect(await later().load(audio('d'))).toBe('made on the way');
      expect(folder.content()).toEqual(before);
    });

    it.each(['its journal', 'no journal, after a loss of power'])(
      'is put in place, or dropped, by the next one, from %s',
      async (from) => {
        if (from !== 'its journal') fs.rmSync(folder.file('values', '.tmp', GONE));
        await later().recover();
        // Whose it is that no journal names, a living process's perhaps, nobody knows before the run is over.
        const left = from === 'its journal' ? [] : ['c.json~g-3'];
        expect(files()).toEqual(['a.bin', ...left, 'd.json']);
        expect(await fresh().load(audio('a'))).toEqual(new Uint8Array([1]));
        expect(temporaries()).toEqual([]);
        await later().recover();
        expect(files()).toEqual(['a.bin', ...left, 'd.json']);
      },
    );

    it('stays where somebody lives whose it is: who executes the run again by now, and who adopted it', async () => {
      const another = fresh();
      another.save(by('c', 'g-3'), 'made again');
      await later().recover();
      expect(files()).toEqual(['a.bin', 'c.json~g-3', 'd.json']);
      await put(another, 'g-3');
      expect(await fresh().load(audio('c'))).toBe('made again');

      fresh().save(by('e', 'g-3'), 'of a process that staged it for one that lives');
      const [pid, start] = [process.ppid, fs.readFileSync(`/proc/${process.ppid}/stat`, 'utf8')];
      const parent = `${pid}-${start.slice(start.lastIndexOf(')')).split(' ')[20]}-${GONE.split('-')[2]}`;
      for (const name of temporaries())
        fs.renameSync(
          folder.file('values', '.tmp', name),
          folder.file('values', '.tmp', `${GONE}.${parent}`),
        );
      await later().recover();
      expect(files()).toContain('e.json~g-3');
    });

    it('leaves no name that it had on the way to its place, which a loss of power may keep beside or without it', async () => {
      fs.rmSync(folder.file('values', '.tmp', GONE));
      for (const name of ['a.bin~g-4~', 'e.json~g-6~'])
        fs.writeFileSync(folder.file('values', 'audio', name), 'on its way');
      await later().recover();
      expect(files()).toEqual(['a.bin', 'c.json~g-3', 'd.json']);
    });
  });

  describe('that ends since its key was skipped', () => {
    const DEAD = `4194999-1-${processTag().split('-')[2]!}`;
    const skippedBy = (run: string, isOver = true) => ({ run, assets: [], skipped: ['audio'], isOver });

    beforeEach(async () => {
      values.save(by('a'), 'made');
      await put(values);
    });

    it('stays until the skip is on record, and then goes', async () => {
      values.skip('g-2', audio('a'));
      await values.flush();
      expect(await fresh().load(audio('a'))).toBe('made');
      expect(files()).toEqual(['a.gone~g-2', 'a.json']);
      values.settle([skippedBy('g-2')]);
      expect(files()).toEqual([]);
      expect(temporaries()).toEqual([]);
    });

    it('stays where the skip does not count, or another run makes it again behind it', async () => {
      values.skip('g-2', audio('a'));
      values.settle([{ run: 'g-2', assets: [], isOver: true }]);
      expect(files()).toEqual(['a.json']);
      values.skip('g-3', audio('a'));
      values.save(by('a', 'g-4'), new Uint8Array([1]));
      await values.flush();
      values.settle([skippedBy('g-3'), { run: 'g-4', assets: ['audio'], isOver: true }]);
      expect(files()).toEqual(['a.bin']);
    });

    it('goes also where it was made a moment before, and is not in its place yet', async () => {
      values.save(by('b', 'g-2'), 'made');
      values.skip('g-3', audio('b'));
      await values.flush();
      values.settle([{ run: 'g-2', assets: ['audio'], isOver: true }, skippedBy('g-3')]);
      expect(files()).toEqual(['a.json']);
    });

    it('costs nothing where there is none', () => {
      values.skip('g-2', audio('b'));
      values.skip('g-2', { asset: 'other', partitionKey: 'b' });
      expect(temporaries()).toEqual([]);
      expect(fs.readdirSync(folder.file('values'))).not.toContain('other');
    });

    it.each(['its journal', 'no journal, after a loss of power'])(
      'goes with the next process where the one that skipped it was killed, from %s',
      async (from) => {
        values.save(by('b', 'g-2'), 'interrupted');
        values.skip('g-2', audio('a'));
        values.save(by('c', 'g-3'), 'made');
        await put(values, 'g-3');
        values.skip('g-4', audio('c'));
        await values.flush();
        fs.renameSync(folder.file('values', '.tmp', processTag()), folder.file('values', '.tmp', DEAD));
        if (from !== 'its journal') fs.rmSync(folder.file('values', '.tmp', DEAD));
        // What was skipped by g-4 was made again since.
        const later = new FileValues(folder.path, (run) =>
          Promise.resolve({ assets: [], skipped: run === 'g-2' ? ['audio'] : [], isOver: true }),
        );
        expect(await later.load(audio('c'))).toBe('made');
        await later.recover();
        expect(files()).toEqual(['c.json']);
        expect(temporaries()).toEqual([]);
      },
    );
  });

  describe('that ends since somebody marked its key as skipped', () => {
    const DEAD = `4194999-1-${processTag().split('-')[2]!}`;
    const killed = (): void =>
      fs.renameSync(
        folder.file(
          'values',
          '.tmp',
          temporaries().find((name) => name.startsWith(processTag()))!,
        ),
        folder.file('values', '.tmp', DEAD),
      );
    const later = (...skipped: readonly string[]): FileValues =>
      new FileValues(folder.path, () => Promise.resolve({ assets: ['audio'], isOver: true }), {
        skippedOf: (asset, keys) =>
          Promise.resolve(
            new Set(keys.filter((key) => asset === 'audio' && key !== null && skipped.includes(key))),
          ),
        makeLast: () => Promise.resolve(),
      });

    it('goes with the next process where that one was killed, if it is on record by then', async () => {
      for (const key of ['a', 'b', 'c', 'd']) values.save(by(key), key);
      await put(values);
      await fresh().skipByHand('audio', ['a', 'b', 'd', 'never made']);
      killed();
      // The commit that was to come never came for b; d was made again since.
      await later('a', 'never made').recover();
      expect(files()).toEqual(['b.json', 'c.json', 'd.json']);
      expect(temporaries()).toEqual([]);
    });

    it('goes also where another killed process had not put it in place yet', async () => {
      values.save(by('a'), 'a');
      await values.flush();
      fs.renameSync(
        folder.file('values', '.tmp', processTag()),
        folder.file('values', '.tmp', `4194998-1-${DEAD.split('-')[2]!}`),
      );
      await fresh().skipByHand('audio', ['a']);
      killed();
      await later('a').recover();
      expect(files()).toEqual([]);
      expect(temporaries()).toEqual([]);
    });

    it('is told in no file where there is none', async () => {
      await values.skipByHand('audio', ['a', null]);
      expect(folder.content()).toEqual({});
    });
  });

  it('removes a value that is being flushed', async () => {
    values.save(by('a'), 'first');
    const flushing = values.flush();
    values.remove(audio('a'));
    await flushing;
    await put(values);
    await expect(fresh().load(audio('a'))).rejects.toThrow();
  });

  it('flushes many at once, and nothing where there is nothing', async () => {
    await put(values);
    expect(folder.content()).toEqual({});
    for (let at = 0; at < 300; at++) values.save(by(`k${at}`), at);
    await put(values);
    const other = fresh();
    expect(await Promise.all(Array.from({ length: 300 }, (_, at) => other.load(audio(`k${at}`))))).toEqual(
      Array.from({ length: 300 }, (_, at) => at),
    );
  });

  it('tells the value without a key from every key’s', async () => {
    values.save(by(null), 'none');
    values.save(by('='), 'equals');
    values.save(by('null'), 'null');
    await put(values);
    expect(await Promise.all([null, '=', 'null'].map((key) => fresh().load(audio(key))))).toEqual([
      'none',
      'equals',
      'null',
    ]);
  });

  it('keeps the values of all keys apart, whatever they are called', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(anyKey, { minLength: 1, maxLength: 20 }), async (keys) => {
        using place = new TemporaryFolder();
        const saving = new FileValues(place.path);
        keys.forEach((key, at) => saving.save(by(key), at % 2 === 0 ? key : Buffer.from(key)));
        await put(saving);
        const loading = new FileValues(place.path);
        const loaded = await Promise.all(keys.map((key) => loading.load(audio(key))));
        expect(
          loaded.map((value) =>
            typeof value === 'string' ? value : Buffer.from(value as Uint8Array).toString(),
          ),
        ).toEqual(keys);
        expect(fs.readdirSync(place.file('values')).sort()).toEqual(['.tmp', 'audio']);
      }),
      { numRuns: 30 },
    );
  });

  it('brings back every value that passes for JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect(whyNotJson(value)).toBeNull();
        values.save(by('a'), value);
        await put(values);
        expect(await fresh().load(audio('a'))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 50 },
    );
  });

  it('removes values, saved or flushed, and those that never were', async () => {
    values.save(by('a'), 1);
    values.save(by('b'), new Uint8Array([1]));
    await put(values);
    values.save(by('c'), 1);
    for (const key of ['a', 'b', 'c', 'never']) values.remove(audio(key));
    await put(values);
    expect(files()).toEqual([]);
    expect(temporaries()).toEqual([]);
  });

  it('says which value is gone, and which cannot be read', async () => {
    await expect(values.load(audio('a'))).rejects.toEqual(
      expect.objectContaining({
        failure: expect.objectContaining({
          reason: 'value-damaged',
          asset: 'audio',
          key: 'a',
          cause: 'the file is gone',
        }) as object,
      }) as Error,
    );
    values.save(by('a'), { whole: true });
    await put(values);
    fs.writeFileSync(folder.file('values', 'audio', 'a.json'), '{"whole":');
    await expect(fresh().load(audio('a'))).rejects.toEqual(
      expect.objectContaining({
        failure: expect.objectContaining({
          reason: 'value-damaged',
          file: folder.file('values', 'audio', 'a.json'),
        }) as object,
      }) as Error,
    );
  });

  it('sweeps what killed processes of an older dynpart had not flushed, and nothing of living ones', async () => {
    const place = processTag().split('-')[2]!;
    const folderOfThem = folder.file('values', '.tmp');
    fs.mkdirSync(folderOfThem, { recursive: true });
    for (const name of [`4194999-1-${place}.1`, '1-1-elsewhere.1', '1-1-elsewhere.2'])
      fs.writeFileSync(`${folderOfThem}/${name}`, 'x');
    // From before the machine was started again, or of a container that is long gone.
    fs.utimesSync(`${folderOfThem}/1-1-elsewhere.2`, new Date(0), new Date(0));
    await values.recover();
    expect(temporaries()).toEqual(['1-1-elsewhere.1']);
  });
});
