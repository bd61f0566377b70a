/** The default I/O manager: a value comes back as it was kept, whole, and only the last one of a key. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import fs from 'node:fs';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whyNotJson } from '../../src/model/json-value.ts';
import { FileValues } from '../../src/values/file-values.ts';
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
  const fresh = (): FileValues => new FileValues(folder.path);
  const files = (asset = 'audio'): string[] => fs.readdirSync(folder.file('values', asset)).sort();

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
    values.save(audio('a'), value);
    expect(values.load(audio('a'))).toEqual(value);
    await values.flush();
    expect(values.load(audio('a'))).toEqual(value);
    expect(fresh().load(audio('a'))).toEqual(value);
    expect(files()).toEqual([name]);
  });

  it('brings back a Buffer as the bytes that it holds', async () => {
    values.save(audio('a'), Buffer.from('hello').subarray(1, 3));
    await values.flush();
    expect(Buffer.from(fresh().load(audio('a')) as Uint8Array).toString()).toBe('el');
  });

  it('shows others nothing before it is flushed', async () => {
    values.save(audio('a'), 1);
    expect(() => fresh().load(audio('a'))).toThrow();
    await values.flush();
    expect(fresh().load(audio('a'))).toBe(1);
  });

  it('keeps the last of several values, of whatever kind', async () => {
    const kinds: readonly unknown[] = [{ json: 1 }, new Uint8Array([1]), undefined, 'json'];
    for (const first of kinds) {
      for (const second of kinds) {
        values.save(audio('a'), first);
        await values.flush();
        values.save(audio('a'), second);
        expect(values.load(audio('a'))).toEqual(second);
        await values.flush();
        expect(fresh().load(audio('a'))).toEqual(second);
        expect(files()).toHaveLength(1);
      }
    }
  });

  it('keeps the last of several values that were saved before one flush', async () => {
    values.save(audio('a'), 1);
    values.save(audio('a'), new Uint8Array([2]));
    values.save(audio('a'), 3);
    await values.flush();
    expect(fresh().load(audio('a'))).toBe(3);
    expect(files()).toEqual(['a.json']);
    expect(fs.readdirSync(folder.file('values', '.tmp'))).toEqual([]);
  });

  it('keeps what is saved again while the first value is being flushed', async () => {
    values.save(audio('a'), 'first');
    values.save(audio('b'), 'other');
    const flushing = values.flush();
    values.save(audio('a'), 'second');
    await flushing;
    expect(values.load(audio('a'))).toBe('second');
    expect(fresh().load(audio('b'))).toBe('other');
    await values.flush();
    expect(fresh().load(audio('a'))).toBe('second');
    expect(fs.readdirSync(folder.file('values', '.tmp'))).toEqual([]);
  });

  it('removes a value that is being flushed', async () => {
    values.save(audio('a'), 'first');
    const flushing = values.flush();
    values.remove(audio('a'));
    await flushing;
    await values.flush();
    expect(() => fresh().load(audio('a'))).toThrow();
  });

  it('flushes many at once, and nothing where there is nothing', async () => {
    await values.flush();
    expect(folder.content()).toEqual({});
    for (let at = 0; at < 300; at++) values.save(audio(`k${at}`), at);
    await values.flush();
    const other = fresh();
    expect(Array.from({ length: 300 }, (_, at) => other.load(audio(`k${at}`)))).toEqual(
      Array.from({ length: 300 }, (_, at) => at),
    );
  });

  it('tells the value without a key from every key’s', async () => {
    values.save(audio(null), 'none');
    values.save(audio('='), 'equals');
    values.save(audio('null'), 'null');
    await values.flush();
    expect([null, '=', 'null'].map((key) => fresh().load(audio(key)))).toEqual(['none', 'equals', 'null']);
  });

  it('keeps the values of all keys apart, whatever they are called', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(anyKey, { minLength: 1, maxLength: 20 }), async (keys) => {
        using place = new TemporaryFolder();
        const saving = new FileValues(place.path);
        keys.forEach((key, at) => saving.save(audio(key), at % 2 === 0 ? key : Buffer.from(key)));
        await saving.flush();
        const loading = new FileValues(place.path);
        const loaded = keys.map((key) => loading.load(audio(key)));
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
        values.save(audio('a'), value);
        await values.flush();
        expect(fresh().load(audio('a'))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 50 },
    );
  });

  it('removes values, saved or flushed, and those that never were', async () => {
    values.save(audio('a'), 1);
    values.save(audio('b'), new Uint8Array([1]));
    await values.flush();
    values.save(audio('c'), 1);
    for (const key of ['a', 'b', 'c', 'never']) values.remove(audio(key));
    await values.flush();
    expect(files()).toEqual([]);
    expect(fs.readdirSync(folder.file('values', '.tmp'))).toEqual([]);
  });

  it('says which value is gone, and which cannot be read', async () => {
    expect(() => values.load(audio('a'))).toThrow(
      expect.objectContaining({
        failure: expect.objectContaining({
          reason: 'value-damaged',
          asset: 'audio',
          key: 'a',
          cause: 'the file is gone',
        }) as object,
      }) as Error,
    );
    values.save(audio('a'), { whole: true });
    await values.flush();
    fs.writeFileSync(folder.file('values', 'audio', 'a.json'), '{"whole":');
    expect(() => fresh().load(audio('a'))).toThrow(
      expect.objectContaining({
        failure: expect.objectContaining({
          reason: 'value-damaged',
          file: folder.file('values', 'audio', 'a.json'),
        }) as object,
      }) as Error,
    );
  });

  it('sweeps what killed processes had not flushed, and nothing of living ones', () => {
    const place = processTag().split('-')[2]!;
    const temporaries = folder.file('values', '.tmp');
    fs.mkdirSync(temporaries, { recursive: true });
    for (const name of [`4194999-1-${place}.1`, '1-1-elsewhere.1', '1-1-elsewhere.2'])
      fs.writeFileSync(`${temporaries}/${name}`, 'x');
    // From before the machine was started again, or of a container that is long gone.
    fs.utimesSync(`${temporaries}/1-1-elsewhere.2`, new Date(0), new Date(0));
    values.save(audio('a'), 1);
    expect(fs.readdirSync(temporaries).sort()).toEqual(['1-1-elsewhere.1', `${processTag()}.1`].sort());
  });
});
