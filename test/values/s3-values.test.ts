/** Values in object storage, over HTTP, by the package that users have. */
import os from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { s3 } from '../../src/index.ts';
import type { OfState } from '../../src/values/s3.ts';
import type { MadeByRun } from '../../src/values/s3-values.ts';
import { findClient } from '../../src/values/s3-client.ts';
import type { RunValues } from '../../src/definitions/staged-values.ts';
import { S3Server, type Trouble } from '../support/s3-server.ts';

let server: S3Server;
const made = new Map<string, string[]>();

beforeEach(async () => {
  server = await S3Server.start();
  made.clear();
});

afterEach(() => server[Symbol.asyncDispose]());

const madeBy: MadeByRun = (runs) => Promise.resolve(new Map([...made].filter(([run]) => runs.includes(run))));

function values(options: { readonly bucket?: string; readonly endpoint?: string } = {}): RunValues {
  const manager = s3({
    bucket: 'reports',
    prefix: 'daily',
    endpoint: server.endpoint,
    credentials: { accessKeyId: 'me', secretAccessKey: 'secret' },
    ...options,
  });
  return (manager as unknown as OfState).ofState(madeBy);
}

/** Of a process that goes on with these runs from these serials of the state. */
function from(serials: Readonly<Record<string, number>>): RunValues {
  const here = values();
  for (const [run, serial] of Object.entries(serials)) here.begins!(run, serial);
  return here;
}

const at = (partitionKey: string | null, id = 'r-1') => ({ asset: 'total', partitionKey, run: { id } });

describe('s3', () => {
  it.each<[string, unknown]>([
    ['JSON', { rows: [1, 'ä', null] }],
    ['bytes', new Uint8Array([0, 255, 10])],
    ['no bytes', new Uint8Array()],
    ['nothing', undefined],
  ])('keeps %s', async (_what, value) => {
    await values().save(at('a'), value);
    expect(await values().load(at('a'))).toEqual(value);
  });

  it('keeps the values of odd keys apart', async () => {
    const keys = [
      '../x',
      'a/b',
      'a',
      'A',
      'é',
      '=',
      '%41',
      '&<>+ ?#',
      '🦄',
      'x'.repeat(1024),
      '__proto__',
      null,
    ];
    const here = values();
    for (const key of keys) await here.save(at(key), { key });
    for (const key of keys) expect(await values().load(at(key))).toEqual({ key });
    expect(server.names).toHaveLength(keys.length);
    await here.remove(at('a'));
    expect(server.names).toHaveLength(keys.length - 1);
  });

  it('saves 200 values at once', async () => {
    const here = values();
    const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map(async (key) => here.save(at(key), key)));
    expect(await Promise.all(keys.map((key) => here.load(at(key))))).toEqual(keys);
  });

  it('reads what is on record, and not what came later and does not count', async () => {
    await values().save(at('a', 'r-1'), 'first');
    await values().save(at('a', 'r-2'), 'canceled');
    made.set('r-1', ['total']).set('r-2', []);
    expect(await values().load(at('a'))).toBe('first');
  });

  it('lets a process that is late with the same run overwrite nothing', async () => {
    const late = from({ 'r-1': 10 });
    await from({ 'r-1': 20 }).save(at('a'), 'on record');
    made.set('r-1', ['total']);
    await late.save(at('a'), 'late');
    expect(await values().load(at('a'))).toBe('on record');
    late.settle?.([{ run: 'r-1', assets: [], isOver: true }]);
    await expect.poll(() => server.names).toHaveLength(1);
    expect(await values().load(at('a'))).toBe('on record');
  });

  it.each(['known', 'forgotten'])(
    'of a run that was executed twice reads the second value, be the run %s',
    async (kind) => {
      await from({ 'r-1': 10 }).save(at('a'), 'of one that was killed before its commit');
      await from({ 'r-1': 20 }).save(at('a'), 'of one that was killed behind it');
      if (kind === 'known') made.set('r-1', ['total']);
      expect(await values().load(at('a'))).toBe('of one that was killed behind it');
    },
  );

  it.each(['known', 'forgotten'])(
    'reads what was made last, and not what came of an earlier run after it, be the runs %s',
    async (kind) => {
      const late = from({ 'r-1': 10 });
      const here = from({ 'r-2': 30 });
      await from({ 'r-1': 20 }).save(at('a'), 'replaced');
      await here.save(at('a', 'r-2'), 'on record');
      here.settle!([{ run: 'r-2', assets: ['total'], isOver: true }]);
      await expect.poll(() => server.names).toHaveLength(1);
      await late.save(at('a'), 'late');
      if (kind === 'known') made.set('r-1', ['total']).set('r-2', ['total']);
      expect(await values().load(at('a'))).toBe('on record');
    },
  );

  it('deletes what is late with the next value, and nothing that comes after it, whatever the clock of the server says', async () => {
    const late = from({ 'r-1': 10 });
    const here = from({ 'r-2': 20 });
    const next = from({ 'r-3': 30 });
    await here.save(at('a', 'r-2'), 'two');
    await next.save(at('a', 'r-3'), 'three');
    await late.save(at('a'), 'late');
    made.set('r-2', ['total']).set('r-3', []);
    const [, , three] = server.names;
    server.objects.set(three!, { ...server.objects.get(three!)!, at: 0 });
    here.settle!([{ run: 'r-2', assets: ['total'], isOver: true }]);
    await expect
      .poll(() => server.names)
      .toEqual([expect.stringContaining('/r-2.'), expect.stringContaining('/r-3.')]);
    made.set('r-3', ['total']);
    expect(await values().load(at('a'))).toBe('three');
  });

  it('deletes what a state has left that was there before this one was begun, and nothing of a run that this one knows', async () => {
    await from({ 'old-1': 5000 }).save(at('a', 'old-1'), 'old');
    await from({ 'r-2': 30 }).save(at('a', 'r-2'), 'at work');
    const here = from({ 'r-1': 10 });
    await here.save(at('a'), 'on record');
    made.set('r-1', ['total']).set('r-2', []);
    here.settle!([{ run: 'r-1', assets: ['total'], isOver: true }]);
    await expect
      .poll(() => server.names)
      .toEqual([expect.stringContaining('/r-1.'), expect.stringContaining('/r-2.')]);
    expect(await values().load(at('a'))).toBe('on record');
  });

  it('keeps the value of a second try apart from what comes late of the first', async () => {
    const here = from({ 'r-1': 10 });
    server.trouble = { method: 'PUT', what: { status: 400, code: 'Odd' }, times: 1 };
    await expect(here.save(at('a'), 'first')).rejects.toThrow('Odd');
    const name = /r-1\.\w+\.json/.exec(server.asked.find((asked) => asked.startsWith('PUT '))!)![0];
    await here.save(at('a'), 'second');
    here.settle!([{ run: 'r-1', assets: ['total'], isOver: true }]);
    await here.settled!();
    server.put(`daily/total/a/${name}`, '"first"');
    made.set('r-1', ['total']);
    expect(server.names).toHaveLength(2);
    expect(await values().load(at('a'))).toBe('second');
  });

  it('a skip takes away what was made before, when it is on record, and nothing that is made after it', async () => {
    await from({ 'r-1': 10 }).save(at('a'), 'before');
    const here = from({ 'r-2': 20, 'r-3': 21 });
    here.skip!('r-2', at('a'));
    await here.flush!();
    here.settle!([{ run: 'r-2', assets: [], isOver: true }]);
    await here.settled!();
    expect(server.names).toHaveLength(1);
    here.skip!('r-3', at('a'));
    await here.flush!();
    await from({ 'r-4': 30 }).save(at('a', 'r-4'), 'after');
    here.settle!([{ run: 'r-3', assets: [], skipped: ['total'], isOver: true }]);
    await expect.poll(() => server.names).toEqual([expect.stringContaining('/r-4.')]);
  });

  it('believes an object of a run that the history has forgotten, before one that does not count', async () => {
    await values().save(at('a', 'r-1'), 'old');
    await values().save(at('a', 'r-2'), 'canceled');
    made.set('r-2', []);
    expect(await values().load(at('a'))).toBe('old');
  });

  it('keeps a value that waits for its record when a later run of the same process is canceled', async () => {
    const here = from({ 'r-1': 10, 'r-2': 10 });
    await here.save(at('a', 'r-1'), 'first');
    await here.save(at('a', 'r-2'), 'canceled');
    expect(await here.load(at('a'))).toBe('canceled');
    here.settle?.([
      { run: 'r-1', assets: ['total'], isOver: true },
      { run: 'r-2', assets: [], isOver: true },
    ]);
    await expect.poll(() => server.names).toHaveLength(1);
    expect(await here.load(at('a'))).toBe('first');
  });

  it('drops what the same run saved in another form', async () => {
    const here = values();
    await here.save(at('a'), 'text');
    await here.save(at('a'), undefined);
    await expect.poll(() => server.names).toEqual([expect.stringMatching(/\.none$/)]);
  });

  it('leaves one object when a value is replaced, whatever its form', async () => {
    server.pageOf = 1;
    const here = from({ 'r-1': 10, 'r-2': 20 });
    await here.save(at('a', 'r-1'), 'text');
    here.settle?.([{ run: 'r-1', assets: ['total'], isOver: true }]);
    await here.save(at('a', 'r-2'), new Uint8Array([1]));
    here.settle?.([{ run: 'r-2', assets: ['total'], isOver: true }]);
    await expect.poll(() => server.names).toEqual([expect.stringMatching(/^daily\/total\/a\/r-2\..*\.bin$/)]);
  });

  it('says that a value was deleted by hand', async () => {
    await values().save(at('a'), 1);
    server.objects.clear();
    await expect(values().load(at('a'))).rejects.toMatchObject({
      failure: {
        reason: 'value-damaged',
        file: 's3://reports/daily/total/a/',
        key: 'a',
        cause: 'the object is gone',
      },
    });
  });

  it.each<[string, Trouble, RegExp]>([
    ['InvalidAccessKeyId', { status: 403, code: 'InvalidAccessKeyId' }, /does not know these keys/],
    ['AccessDenied', { status: 403, code: 'AccessDenied' }, /allow them s3:ListBucket/],
    ['RequestTimeTooSkewed', { status: 403, code: 'RequestTimeTooSkewed' }, /clock of this machine/],
    ['EntityTooLarge', { status: 400, code: 'EntityTooLarge' }, /larger than bucket 'reports'/],
    ['another refusal', { status: 400, code: 'Odd' }, /answers 400 Odd: it is Odd/],
    ['a cut line', 'cut', /cannot be reached .*tried several times/],
  ])('says what to do on %s, and keeps nothing', async (_what, what, words) => {
    server.trouble = { method: 'PUT', what, times: 100 };
    await expect(values().save(at('a'), 1)).rejects.toThrow(words);
    expect(server.names).toEqual([]);
  });

  it('says that there is no bucket', async () => {
    await expect(values({ bucket: 'none' }).save(at('a'), 1)).rejects.toThrow(
      "there is no bucket 'none' at http",
    );
  });

  it.each(['PUT', 'GET'])('goes on when a %s is cut once', async (method) => {
    server.trouble = { method, what: 'cut', times: 1 };
    await values().save(at('a'), 'whole');
    expect(await values().load(at('a'))).toBe('whole');
    expect(server.trouble.times).toBeLessThan(1);
  });

  it('reads again what was cut off in its middle', async () => {
    const order = '0'.repeat(26);
    server.put(`daily/total/a/r-1.${order}.json`, '"a whole value"');
    server.put(`daily/total/a/r-0.${order}.json`, '"another"');
    made.set('r-1', ['total']);
    const lists = 1;
    server.trouble = { method: 'GET', what: 'cut-body', times: lists + 1 };
    expect(await values().load(at('a'))).toBe('a whole value');
  });

  it('says how to install the package', () => {
    expect(() => findClient([os.tmpdir()])).toThrow('npm install @aws-sdk/client-s3@3');
  });

  it.each<[unknown, RegExp]>([
    [{}, /name of a bucket/],
    [{ bucket: 'a', buckt: 'b' }, /no option 'buckt'/],
    [{ bucket: 1 }, /bucket of s3 must be a text/],
    [{ bucket: 'a', endpoint: 'minio:9000' }, /must begin with http/],
  ])('refuses %j', (options, words) => {
    expect(() => s3(options as never)).toThrow(words);
  });
});
