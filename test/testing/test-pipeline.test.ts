/** A pipeline under test: each question and each deed of `dynpart/testing`, on a pipeline that has everything. */
import { asset, definePipeline, dynamicPartitions, sensor, skip } from 'dynpart';
import { DynpartError, testPipeline } from 'dynpart/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { Gate } from '../support/engine-rig.ts';

interface Order {
  readonly id: string;
  readonly total: number;
}

const orders = dynamicPartitions<Order>('orders');

const rates = asset({ name: 'rates', materialize: () => ({ eur: 2 }) });

const invoice = asset({
  name: 'invoice',
  partitions: orders,
  inputs: { rates },
  materialize({ item, inputs, addMetadata }) {
    if (item.total === 0) return skip('nothing to pay');
    if (item.total < 0) throw new Error(`order ${item.id} owes ${item.total}`);
    addMetadata({ total: item.total });
    return { id: item.id, eur: item.total * inputs.rates.eur };
  },
});

const letter = asset({
  name: 'letter',
  partitions: orders,
  inputs: { invoice },
  materialize: ({ inputs }) => new TextEncoder().encode(`pay ${inputs.invoice.eur}`),
});

const shop = sensor({
  name: 'shop',
  assets: [invoice, letter],
  minimumIntervalSeconds: 60,
  async evaluate({ cursor, lastTickAt, partitions, signal }) {
    const response = await fetch(`https://shop.example/orders?after=${cursor ?? ''}`, { signal });
    if (!response.ok) throw new Error(`the shop answers ${response.status}`);
    const found = ((await response.json()) as Order[]).map((order) => ({
      key: order.id,
      version: `${order.total}`,
      item: order,
    }));
    const changed = await partitions(orders).changed(found);
    if (changed.length === 0) return { skipReason: `nothing since ${lastTickAt?.toISOString()}` };
    return {
      cursor: changed.at(-1)!.key,
      dynamicPartitionsRequests: [orders.buildAddRequest(changed)],
      runRequests: changed.map(({ key, version }) => ({ partitionKey: key, runKey: `${key} ${version}` })),
    };
  },
});

const pipeline = definePipeline({ assets: [rates, invoice, letter], sensors: [shop] });

/** A shop that has these orders. */
function shopWith(...first: Order[]) {
  const shop = { orders: first, asked: [] as string[] };
  const test = testPipeline(pipeline, {
    now: '2026-03-01T12:00:00Z',
    fetch(request) {
      shop.asked.push(request.url);
      return Response.json(shop.orders);
    },
  });
  return { shop, test };
}

describe('tick', () => {
  it('evaluates, commits and executes by the rules of the tool, and returns what --json prints', async () => {
    const { shop: source, test } = shopWith({ id: 'a', total: 5 }, { id: 'b', total: 0 });
    await test.materialize(rates);
    await test.advance('1m');
    const tick = await test.tick(shop);
    expect(tick).toEqual({
      sensor: 'shop',
      status: 'SUCCESS',
      startedAt: '2026-03-01T12:01:00.000Z',
      finishedAt: '2026-03-01T12:01:00.000Z',
      cursor: { before: null, after: 'b' },
      partitions: [{ set: 'orders', added: ['a', 'b'], updated: [], removed: [], skipped: [] }],
      runs: ['a', 'b'].map((key, at) => ({
        id: expect.stringMatching(/^[0-9a-z]+-\d$/),
        partitionKey: key,
        runKey: `${key} ${[5, 0][at]}`,
        assets: ['invoice', 'letter'],
        status: 'SUCCESS',
      })),
      skippedRunKeys: [],
      skipReason: null,
      error: null,
      failures: [],
      busy: null,
    });
    expect(source.asked).toEqual(['https://shop.example/orders?after=']);
    expect(await test.keys(orders)).toEqual(['a', 'b']);
    expect(await test.value(invoice, 'a')).toEqual({ id: 'a', eur: 10 });
    expect(await test.value(letter, 'a')).toEqual(new TextEncoder().encode('pay 10'));
    expect(await test.status(invoice, 'b')).toBe('skipped');
    expect(await test.status(letter, 'b')).toBe('skipped');
    expect(await test.show(orders, 'b')).toMatchObject({
      version: '0',
      item: { id: 'b', total: 0 },
      assets: [
        { asset: 'invoice', state: 'skipped', reason: 'nothing to pay' },
        { asset: 'letter', state: 'skipped' },
      ],
    });
  });

  it('knows what the last one did: what is new, and when it was', async () => {
    const { shop: source, test } = shopWith({ id: 'a', total: 5 });
    await test.materialize('rates');
    await test.tick('shop');
    const at = test.now;
    await test.advance('1h');
    expect((await test.tick('shop')).skipReason).toBe(`nothing since ${at.toISOString()}`);
    source.orders = [{ id: 'a', total: 6 }];
    const changed = await test.tick('shop');
    expect(changed.partitions).toMatchObject([{ added: [], updated: ['a'] }]);
    expect(await test.value(invoice, 'a')).toEqual({ id: 'a', eur: 12 });
  });

  it('is a failure, and no error, when the sensor or a run fails', async () => {
    const { shop: source, test } = shopWith({ id: 'a', total: -5 });
    await test.materialize(rates);
    expect((await test.tick(shop)).runs).toMatchObject([{ status: 'FAILURE' }]);
    expect(await test.status(invoice, 'a')).toBe('failed');
    const [shown] = (await test.show('orders', 'a')).assets;
    expect(shown).toMatchObject({ error: { code: 'asset-threw' }, run: { status: 'FAILURE' } });
    expect(shown!.error!.message).toContain('order a owes -5');
    source.orders = 'nonsense' as never;
    expect(await test.tick(shop)).toMatchObject({ status: 'FAILURE', error: { code: 'sensor-threw' } });
  });

  it('takes all running sensors without a name, and with tickDue those whose interval is over', async () => {
    const { test } = shopWith({ id: 'a', total: 0 });
    await test.materialize(rates);
    const { ticks, resumed } = await test.tick();
    expect(ticks.map(({ sensor, status }) => `${sensor} ${status}`)).toEqual(['shop SUCCESS']);
    expect(resumed).toEqual([]);
    await test.advance('59s');
    expect((await test.tickDue()).ticks).toEqual([]);
    await test.advance('1s');
    expect((await test.tickDue()).ticks).toHaveLength(1);
  });
});

describe('plan', () => {
  it('says what a tick would commit, and commits nothing', async () => {
    const { test } = shopWith({ id: 'a', total: 5 });
    const plan = await test.plan(shop);
    expect(plan).toMatchObject({
      status: 'SUCCESS',
      cursor: { after: 'a' },
      runs: [{ id: null, partitionKey: 'a' }],
    });
    expect(await test.keys(orders)).toEqual([]);
    expect((await test.plan()).ticks).toMatchObject([plan]);
  });
});

describe('materialize', () => {
  it('gives the asset the inputs and the item of the test, as it would be given them', async () => {
    const test = testPipeline(pipeline);
    const eur = { eur: 3, note: undefined };
    const run = await test.materialize(invoice, 'a', { inputs: { rates: eur }, item: { id: 'a', total: 4 } });
    expect(run).toMatchObject({ status: 'SUCCESS', partitionKey: 'a', cause: 'materialize' });
    expect(run.assets).toMatchObject([{ asset: 'invoice', status: 'SUCCESS', metadata: { total: 4 } }]);
    expect(await test.value(invoice, 'a')).toEqual({ id: 'a', eur: 12 });
    expect(await test.status(rates)).toBe('missing');
    expect(await test.keys(orders)).toEqual(['a']);
  });

  it('goes by what is there without them', async () => {
    const test = testPipeline(pipeline);
    expect(await test.materialize(letter, 'a')).toMatchObject({
      status: 'FAILURE',
      error: { code: 'upstream-missing' },
    });
    await test.materialize(rates);
    await test.materialize(invoice, 'a', { item: { id: 'a', total: 1 } });
    expect(await test.materialize(letter, 'a')).toMatchObject({ status: 'SUCCESS', error: null });
  });

  it('makes stale what was made of what it replaces', async () => {
    const test = testPipeline(pipeline);
    await test.materialize(rates);
    await test.materialize(invoice, 'a', { item: { id: 'a', total: 1 } });
    await test.materialize(letter, 'a');
    await test.materialize(invoice, 'a', { item: { id: 'a', total: 2 }, version: '2' });
    expect(await test.status(letter, 'a')).toBe('stale');
  });
});

describe('keys by hand', () => {
  it('are added, with what they carry, and removed', async () => {
    const test = testPipeline(pipeline);
    expect(await test.add(orders, ['b', { key: 'a', version: '1', item: { id: 'a', total: 1 } }])).toEqual({
      added: ['b', 'a'],
      updated: [],
      skipped: [],
    });
    expect(await test.show(orders, 'a')).toMatchObject({ version: '1', item: { id: 'a', total: 1 } });
    expect(await test.remove('orders', ['b', 'c'])).toEqual({ removed: ['b'], skipped: ['c'] });
    expect(await test.keys(orders)).toEqual(['a']);
  });
});

describe('another pipeline', () => {
  it('goes on with what is there: what it makes otherwise is stale, and old keys are a backlog', async () => {
    const letters = dynamicPartitions('letters');
    const upper = (codeVersion: string) =>
      asset({
        name: 'upper',
        partitions: letters,
        codeVersion,
        automate: 'stale',
        materialize: ({ partitionKey }) => `${partitionKey} by ${codeVersion}`,
      });
    const late = asset({ name: 'late', partitions: letters, automate: 'missing', materialize: () => 1 });
    const test = testPipeline(definePipeline({ assets: [upper('1')] }));
    await test.add(letters, ['a']);
    await test.tick();
    expect(await test.value('upper', 'a')).toBe('a by 1');
    await test.deploy(definePipeline({ assets: [upper('2'), late] }));
    await test.add(letters, ['b']);
    expect(await test.status('upper', 'a')).toBe('stale');
    await test.tick();
    expect(await test.value('upper', 'a')).toBe('a by 2');
    expect([await test.status(late, 'a'), await test.status(late, 'b')]).toEqual(['backlog', 'materialized']);
    await expect(test.deploy(late as never)).rejects.toThrow(/and this is asset/);
  });
});

describe('log', () => {
  it('has what a run wrote, at each try', async () => {
    const writes = asset({
      name: 'writes',
      retry: { maxRetries: 1 },
      async materialize({ log, exec, run }) {
        log.info('hello', { attempt: run.attempt });
        await exec('echo', ['there']);
        if (run.attempt === 1) throw new Error('once more');
      },
    });
    const test = testPipeline(definePipeline({ assets: [writes] }), { now: 0 });
    const lines = await test.log(await test.materialize(writes));
    const said = lines.map(({ attempt, stream, text }) => `${attempt} ${stream} ${text}`);
    expect(said.filter((line) => !line.includes('    at '))).toEqual([
      '1 log hello { attempt: 1 }',
      '1 stdout there',
      "1 stderr asset 'writes' threw: once more",
      '2 log hello { attempt: 2 }',
      '2 stdout there',
    ]);
  });
});

describe('what the tool refuses', () => {
  const test = testPipeline(pipeline);
  it.each([
    ['unknown-sensor', () => test.tick('shp'), /there is no sensor "shp" \(did you mean "shop"/],
    ['unknown-asset', () => test.materialize('invoic', 'a'), /there is no asset/],
    ['unknown-asset', () => test.status('invoic', 'a'), /did you mean/],
    ['unknown-set', () => test.keys('order'), /there is no set/],
    ['unknown-key', () => test.show('orders', 'nobody'), /is not in set 'orders'/],
    ['invalid-key', () => test.add('orders', ['']), /cannot be used/],
    ['asset-without-key', () => test.materialize(rates, 'a'), /is not partitioned/],
    ['usage', () => test.materialize(invoice), /for which key\?/],
    [
      'usage',
      () => test.value(invoice, 'a'),
      /there is no value of asset 'invoice' for key "?a"?: it is missing/,
    ],
    [
      'usage',
      () => test.materialize(letter, 'a', { inputs: { invoic: 1 } }),
      /no input 'invoic'; did you mean 'invoice'/,
    ],
    ['usage', () => testPipeline(definePipeline({ assets: [rates] })).tick(), /has no sensors/],
  ])('%s', async (code, act, words) => {
    const error = await act().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DynpartError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) });
  });

  it('says what it takes', async () => {
    expect(() => testPipeline(invoice as never)).toThrow(
      /a test takes what definePipeline returns, and this is asset/,
    );
    expect(() => testPipeline(pipeline, { now: 'soon' })).toThrow('now is no time: soon');
    await expect(test.advance('soon')).rejects.toThrow(/must be a duration such as/);
    await expect(test.advance(-1)).rejects.toThrow('time does not go on by -1 milliseconds');
  });
});

async function elsewhere(): Promise<string> {
  return (await fetch('data:text/plain,the%20network')).text();
}

describe('fetch', () => {
  it('is replaced only while something of the test is under way, and only for it', async () => {
    const before = globalThis.fetch;
    let meanwhile: typeof fetch | undefined;
    const gate = new Gate();
    const asking = new Gate();
    const asks = sensor({
      name: 'asks',
      async evaluate() {
        meanwhile = globalThis.fetch;
        asking.open();
        await gate.pass();
        return { skipReason: await elsewhere() };
      },
    });
    const test = testPipeline(definePipeline({ sensors: [asks] }), { fetch: () => new Response('the test') });
    const ticking = test.tick(asks);
    await asking.pass();
    expect(await elsewhere()).toBe('the network');
    gate.open();
    expect((await ticking).skipReason).toBe('the test');
    expect(meanwhile).not.toBe(before);
    expect(globalThis.fetch).toBe(before);
  });

  it('ends with the signal of whoever asks', async () => {
    const asks = sensor({
      name: 'asks',
      timeoutSeconds: 1,
      evaluate: async ({ signal }) => ({
        cursor: await (await fetch('https://slow.example', { signal })).text(),
      }),
    });
    const never = new Promise<Response>(() => undefined);
    const test = testPipeline(definePipeline({ sensors: [asks] }), { fetch: () => never });
    expect(await test.tick(asks)).toMatchObject({ error: { code: 'sensor-timeout' } });
  });
});

describe('its types', () => {
  it('are those of the definitions', () => {
    const test = testPipeline(pipeline);
    expectTypeOf(() => test.value(invoice, 'a')).returns.resolves.toEqualTypeOf<{
      id: string;
      eur: number;
    }>();
    expectTypeOf(() => test.value('invoice', 'a')).returns.resolves.toEqualTypeOf<unknown>();
    expectTypeOf(() => test.add(orders, [{ key: 'a', item: { id: 'a', total: 1 } }])).toBeFunction();
    // @ts-expect-error -- that is no item of the set
    expectTypeOf(() => test.add(orders, [{ key: 'a', item: { id: 1 } }])).toBeFunction();
    expectTypeOf(() => test.tick(shop)).returns.resolves.toHaveProperty('cursor');
    expectTypeOf(() => test.tick()).returns.resolves.toHaveProperty('resumed');
  });
});
