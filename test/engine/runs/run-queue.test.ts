/** The queue of one process: what may begin now, in which order, and what waits for what. */
import * as fc from '../../support/random.ts';
import { describe, expect, it } from 'vitest';
import type { OwnedRun } from '../../../src/engine/plan/executors/owned-run.ts';
import { RunQueue } from '../../../src/engine/runs/run-queue.ts';

function owned(id: string, fields: Partial<OwnedRun> = {}): OwnedRun {
  if (fields.interrupted !== undefined && fields.interrupted < 0)
    throw new Error('a run is interrupted so many times or not at all');
  return {
    id,
    partitionKey: id,
    runKey: null,
    assets: ['audio'],
    tags: {},
    done: [],
    runs: {} as never,
    interrupted: 0,
    ...fields,
  };
}

const ids = (runs: readonly (OwnedRun | undefined)[]): (string | undefined)[] => runs.map((run) => run?.id);
/** Takes out all that may begin now. */
function beginAll(queue: RunQueue, inFlight = 0): OwnedRun[] {
  const begun: OwnedRun[] = [];
  while (queue.hasNext(inFlight + begun.length)) {
    const run = queue.next(inFlight + begun.length);
    if (run === undefined) break;
    begun.push(run);
  }
  return begun;
}

/** A queue for assets of which `text` needs `audio`, and `index` needs `text` and `config`, which has no partitions. */
function queueOf(limits: readonly (readonly [asset: string, limit: number])[] = []): RunQueue {
  const upstreams: Readonly<Record<string, readonly string[]>> = {
    text: ['audio'],
    index: ['text', 'config'],
  };
  return new RunQueue({
    limits: new Map(limits),
    upstreamsOf: (asset, key) =>
      (upstreams[asset] ?? []).map((above) =>
        above === 'config' ? { asset: above, set: null, key: null } : { asset: above, set: 'letters', key },
      ),
  });
}

/** A queue for `totals`, which takes many keys of `audio`. */
const queueOfMany = (): RunQueue =>
  new RunQueue({
    limits: new Map(),
    upstreamsOf: () => [],
    gatheredBy: (asset) => (asset === 'totals' ? ['audio'] : []),
  });

describe('the queue of a process, with runs that take many keys', () => {
  it('begins them when all that is made of these here is made', () => {
    const queue = queueOfMany();
    const runs = ['a', 'b'].map((id) => owned(id));
    queue.add([owned('t', { partitionKey: null, assets: ['totals'] }), ...runs]);
    expect(ids(beginAll(queue))).toEqual(['a', 'b']);
    queue.letGo(runs[1]!);
    queue.add([owned('c')]);
    expect(ids(beginAll(queue, 1))).toEqual(['c']);
    queue.letGo(runs[0]!);
    expect([ids(beginAll(queue, 1)), queue.size, queue.oldest?.id]).toEqual([[], 1, 't']);
    queue.letGo(owned('c'));
    expect(ids(beginAll(queue))).toEqual(['t']);
    expect(queue.size).toBe(0);
  });

  it('gives up those that wait with all others', () => {
    const queue = queueOfMany();
    queue.add([owned('t', { partitionKey: null, assets: ['totals'] }), owned('a')]);
    expect(ids(beginAll(queue))).toEqual(['a']);
    expect(ids(queue.runs())).toEqual(['t']);
    expect(queue.take('t')?.id).toBe('t');
    queue.add([owned('u', { partitionKey: null, assets: ['totals'] })]);
    expect(ids(beginAll(queue, 1))).toEqual([]);
    expect(ids(queue.takeAll())).toEqual(['u']);
    expect(queue.size).toBe(0);
  });

  it('begins the oldest of them where all that they wait for waits for them', () => {
    const queue = new RunQueue({
      limits: new Map(),
      upstreamsOf: (asset) => (asset === 'audio' ? [{ asset: 'totals', set: null, key: null }] : []),
      gatheredBy: (asset) => (asset === 'totals' ? ['audio'] : []),
    });
    queue.add([owned('t', { partitionKey: null, assets: ['totals'] }), owned('a')]);
    expect(ids([queue.next(0)])).toEqual(['a']);
  });
});

describe('the queue of a process', () => {
  it('begins runs in the order in which they came', () => {
    const queue = new RunQueue({ limits: new Map(), upstreamsOf: () => [] });
    queue.add([owned('a'), owned('b')]);
    queue.add([owned('c')]);
    expect(ids(beginAll(queue))).toEqual(['a', 'b', 'c']);
    expect(queue.size).toBe(0);
  });

  it('gives each group that waits for the same assets its turn, and those of other assets theirs behind them', () => {
    const queue = new RunQueue({ limits: new Map(), upstreamsOf: () => [] });
    queue.add(['large-1', 'large-2', 'large-3', 'large-4'].map((id) => owned(id)));
    queue.add([owned('other-1', { assets: ['text'] })]);
    expect(ids([queue.next(0)])).toEqual(['large-1']);
    queue.add(['small-1', 'pair-1', 'pair-2'].map((id) => owned(id)));
    expect(ids(beginAll(queue, 1))).toEqual([
      'large-2',
      'small-1',
      'pair-1',
      'large-3',
      'pair-2',
      'large-4',
      'other-1',
    ]);
  });

  it('never begins one asset and key twice at a time', () => {
    const queue = new RunQueue({ limits: new Map(), upstreamsOf: () => [] });
    const [first, second, other] = [
      owned('1', { partitionKey: 'a' }),
      owned('2', { partitionKey: 'a', assets: ['x', 'audio'] }),
      owned('3', { partitionKey: 'b' }),
    ];
    queue.add([first, second, other]);
    expect(queue.isFree()).toBe(true);
    expect(ids(beginAll(queue))).toEqual(['1', '3']);
    expect(queue.isFree()).toBe(false);
    queue.letGo(other);
    expect(ids(beginAll(queue, 1))).toEqual([]);
    queue.letGo(first);
    expect(ids(beginAll(queue))).toEqual(['2']);
  });

  it('tells an asset without a key from one whose name goes on', () => {
    const queue = new RunQueue({ limits: new Map(), upstreamsOf: () => [] });
    queue.add([
      owned('1', { assets: ['a'], partitionKey: null }),
      owned('2', { assets: ['a'], partitionKey: null }),
      owned('3', { assets: ['ab'], partitionKey: null }),
    ]);
    expect(ids(beginAll(queue))).toEqual(['1', '3']);
  });

  it('keeps the concurrency of an asset', () => {
    const queue = new RunQueue({ limits: new Map([['audio', 2]]), upstreamsOf: () => [] });
    const runs = ['a', 'b', 'c', 'd'].map((id) => owned(id));
    queue.add([...runs, owned('e', { assets: ['other'] })]);
    expect(ids(beginAll(queue))).toEqual(['a', 'b', 'e']);
    queue.letGo(runs[0]!);
    expect(ids(beginAll(queue, 2))).toEqual(['c']);
    queue.letGo(runs[1]!);
    queue.letGo(runs[2]!);
    expect(ids(beginAll(queue, 1))).toEqual(['d']);
  });

  it('executes a run that was interrupted before alone, after the others', () => {
    const queue = new RunQueue({ limits: new Map(), upstreamsOf: () => [] });
    const alone = owned('alone', { interrupted: 1 });
    queue.add([alone, owned('again', { interrupted: 2 }), owned('a'), owned('b')]);
    expect(ids(beginAll(queue))).toEqual(['a', 'b']);
    expect(queue.hasNext(2)).toBe(false);
    expect(queue.hasNext(1)).toBe(false);
    expect(ids(beginAll(queue, 0))).toEqual(['alone']);
    queue.add([owned('late')]);
    expect(queue.hasNext(1)).toBe(false);
    queue.letGo(alone);
    expect(ids(beginAll(queue, 0))).toEqual(['late']);
    expect(ids(beginAll(queue, 0))).toEqual(['again']);
  });

  it('asks for a place in a pool for a run that is executed alone when nothing else waits', () => {
    const held = new Map<string, number>();
    const pool = [{ pool: 'api', calls: 1 }];
    const hasPlace = (): boolean => (held.get('api') ?? 0) > 0;
    const queue = new RunQueue({
      limits: new Map(),
      upstreamsOf: () => [],
      pools: {
        of: ({ id }) => (id === 'plain' ? [] : pool),
        hasPlace: (pools) => pools.length === 0 || hasPlace(),
        mayEnter: (pools) => pools.length === 0 || hasPlace(),
        entered: () => undefined,
        left: () => undefined,
      },
    });
    queue.add([owned('alone', { interrupted: 1 }), owned('plain')]);
    expect(queue.asked()).toEqual([]);
    expect(ids(beginAll(queue))).toEqual(['plain']);
    expect(queue.asked()).toEqual([{ pools: pool, waiting: 1 }]);
    expect(queue.isFree()).toBe(false);
    held.set('api', 1);
    queue.letGo(owned('plain'));
    expect([queue.isFree(), ids(beginAll(queue))]).toEqual([true, ['alone']]);
  });

  it('asks for a place for a run that is executed alone while all others wait for what it makes', () => {
    const pool = [{ pool: 'api', calls: 1 }];
    let hasPlace = false;
    const queue = new RunQueue({
      limits: new Map(),
      upstreamsOf: (asset, key) => (asset === 'text' ? [{ asset: 'audio', set: 'letters', key }] : []),
      pools: {
        of: ({ assets }) => (assets.includes('audio') ? pool : []),
        hasPlace: (pools) => pools.length === 0 || hasPlace,
        mayEnter: (pools) => pools.length === 0 || hasPlace,
        entered: () => undefined,
        left: () => undefined,
      },
    });
    queue.add([
      owned('alone', { partitionKey: 'a', interrupted: 1 }),
      owned('waits', { partitionKey: 'a', assets: ['text'] }),
    ]);
    expect(queue.asked()).toEqual([{ pools: pool, waiting: 1 }]);
    expect(ids(beginAll(queue))).toEqual([]);
    queue.lookAgain();
    expect(queue.asked()).toEqual([{ pools: pool, waiting: 1 }]);
    hasPlace = true;
    expect(ids(beginAll(queue))).toEqual(['alone']);
  });

  it('asks for no place for a run that waits for another process, which may wait for this very place', () => {
    const pool = [{ pool: 'api', calls: 1 }];
    const queue = new RunQueue({
      limits: new Map(),
      upstreamsOf: () => [],
      pools: {
        of: () => pool,
        hasPlace: () => true,
        mayEnter: () => true,
        entered: () => undefined,
        left: () => undefined,
      },
    });
    queue.add([owned('a'), owned('b')]);
    const elsewhere = [{ asset: 'audio', partitionKey: 'a', ownedSince: 1 }];
    queue.yieldTo(elsewhere, () => 2);
    expect(queue.asked()).toEqual([{ pools: pool, waiting: 1 }]);
    expect(ids(beginAll(queue))).toEqual(['b']);
    queue.letGo(owned('b'));
    expect(queue.asked()).toEqual([]);
    queue.yieldTo([], () => 2);
    expect(queue.asked()).toEqual([{ pools: pool, waiting: 1 }]);
    expect(ids(beginAll(queue))).toEqual(['a']);
  });

  it('asks for no place for runs that wait for others here, which may need this very place', () => {
    const pool = [{ pool: 'api', calls: 1 }];
    const both = [...pool, { pool: 'disk', calls: 1 }];
    const queue = new RunQueue({
      limits: new Map(),
      upstreamsOf: (asset, key) => (asset === 'text' ? [{ asset: 'audio', set: 'letters', key }] : []),
      pools: {
        of: ({ assets }) => (assets.includes('audio') ? both : pool),
        hasPlace: () => true,
        mayEnter: () => true,
        entered: () => undefined,
        left: () => undefined,
      },
    });
    const audio = owned('audio', { partitionKey: 'a' });
    queue.add([owned('text', { partitionKey: 'a', assets: ['text'] }), audio]);
    expect(queue.asked()).toEqual([{ pools: both, waiting: 1 }]);
    // What they wait for waits for another process, which may need the place as well.
    queue.yieldTo([{ asset: 'audio', partitionKey: 'a', ownedSince: 1 }], () => 2);
    expect(queue.asked()).toEqual([]);
    queue.yieldTo([], () => 2);
    expect(ids(beginAll(queue))).toEqual(['audio']);
    queue.letGo(audio);
    expect(queue.asked()).toEqual([{ pools: pool, waiting: 1 }]);
  });

  it('keeps a run that is executed alone, and the oldest of a circle, until the rate of its pool lets it begin', () => {
    const pool = [{ pool: 'api', calls: 1 }];
    const upstreams: Readonly<Record<string, string>> = { one: 'other', other: 'one' };
    let mayEnter = false;
    const queue = new RunQueue({
      limits: new Map(),
      upstreamsOf: (asset, key) =>
        upstreams[asset] === undefined ? [] : [{ asset: upstreams[asset], set: 'letters', key }],
      pools: {
        of: () => pool,
        // There is room, and no further call for now.
        hasPlace: () => true,
        mayEnter: () => mayEnter,
        entered: () => undefined,
        left: () => undefined,
      },
    });
    const alone = owned('alone', { interrupted: 1 });
    queue.add([alone]);
    expect(ids([queue.next(0)])).toEqual([undefined]);
    mayEnter = true;
    queue.lookAgain();
    expect(ids([queue.next(0)])).toEqual(['alone']);
    queue.letGo(alone);
    mayEnter = false;
    const circle = ['one', 'other'].map((asset) =>
      owned(asset, { partitionKey: 'a', assets: [asset], interrupted: 1 }),
    );
    queue.add(circle);
    expect(ids([queue.next(0)])).toEqual([undefined]);
    mayEnter = true;
    queue.lookAgain();
    expect(ids([queue.next(0)])).toEqual(['one']);
  });

  it('asks for a place for the oldest of those that wait for each other in a circle', () => {
    const pool = [{ pool: 'api', calls: 1 }];
    const upstreams: Readonly<Record<string, string>> = { one: 'other', other: 'one' };
    let hasPlace = false;
    const queue = new RunQueue({
      limits: new Map(),
      upstreamsOf: (asset, key) => [{ asset: upstreams[asset]!, set: 'letters', key }],
      pools: {
        of: () => pool,
        hasPlace: () => hasPlace,
        mayEnter: () => hasPlace,
        entered: () => undefined,
        left: () => undefined,
      },
    });
    queue.add([
      owned('1', { assets: ['one'], partitionKey: 'k' }),
      owned('2', { assets: ['other'], partitionKey: 'k' }),
    ]);
    expect(queue.asked()).toEqual([{ pools: pool, waiting: 2 }]);
    hasPlace = true;
    expect(ids(beginAll(queue))).toEqual(['1']);
  });

  it('lets go first what another process has owned for longer', () => {
    const queue = new RunQueue({ limits: new Map(), upstreamsOf: () => [] });
    queue.add([owned('a'), owned('b'), owned('c')]);
    const elsewhere = [
      { asset: 'audio', partitionKey: 'a', ownedSince: 3 },
      { asset: 'audio', partitionKey: 'b', ownedSince: 7 },
    ];
    queue.yieldTo(elsewhere, () => 5);
    expect(ids(beginAll(queue))).toEqual(['b', 'c']);
    expect(queue.isFree()).toBe(false);
    queue.yieldTo(elsewhere, () => 5);
    expect(ids(beginAll(queue, 2))).toEqual([]);
    expect(queue.isFree()).toBe(false);
    queue.yieldTo([], () => 5);
    expect(queue.isFree()).toBe(true);
    expect(ids(beginAll(queue, 2))).toEqual(['a']);
  });

  it('waits with an asset of limited concurrency for whoever had it before', () => {
    const queue = new RunQueue({ limits: new Map([['audio', 3]]), upstreamsOf: () => [] });
    queue.add([owned('a')]);
    queue.yieldTo([{ asset: 'audio', partitionKey: 'other', ownedSince: 3 }], () => 5);
    expect(ids(beginAll(queue))).toEqual([]);
    queue.yieldTo([{ asset: 'audio', partitionKey: 'other', ownedSince: 9 }], () => 5);
    expect(ids(beginAll(queue))).toEqual(['a']);
  });

  it('waits with what needs what another of its runs is about to make, for the same key or for all', () => {
    const queue = queueOf();
    const audioOfA = owned('1', { partitionKey: 'a' });
    const config = owned('2', { partitionKey: null, assets: ['config'] });
    queue.add([
      owned('3', { partitionKey: 'a', assets: ['text'] }),
      owned('4', { partitionKey: 'b', assets: ['text'] }),
      audioOfA,
    ]);
    expect(ids(beginAll(queue))).toEqual(['4', '1']);
    queue.letGo(audioOfA);
    expect(ids(beginAll(queue, 1))).toEqual(['3']);
    queue.add([
      owned('5', { partitionKey: 'c', assets: ['index'] }),
      config,
      owned('6', { partitionKey: 'd', assets: ['text'] }),
    ]);
    expect(ids(beginAll(queue, 2))).toEqual(['2', '6']);
    queue.letGo(config);
    expect(ids(beginAll(queue, 3))).toEqual(['5']);
  });

  it('does not wait for an upstream whose run was taken out', () => {
    const queue = queueOf();
    queue.add([owned('1', { partitionKey: 'a' }), owned('2', { partitionKey: 'a', assets: ['text'] })]);
    queue.take('1');
    expect(ids(beginAll(queue))).toEqual(['2']);
  });

  it('begins the oldest where runs wait for each other’s assets in a circle', () => {
    const queue = queueOf();
    const [outer, inner] = [
      owned('outer', { partitionKey: 'a', assets: ['audio', 'index'] }),
      owned('inner', { partitionKey: 'a', assets: ['text'] }),
    ];
    const other = owned('other', { partitionKey: 'z' });
    queue.add([other, outer, inner]);
    expect(ids(beginAll(queue))).toEqual(['other']);
    queue.letGo(other);
    expect(ids(beginAll(queue))).toEqual(['outer']);
    queue.letGo(outer);
    expect(ids(beginAll(queue))).toEqual(['inner']);
  });

  it('does not take for a circle what waits for an upstream of its own that waits for another process', () => {
    const queue = queueOf();
    queue.add([
      owned('both', { partitionKey: 'a', assets: ['audio', 'text'] }),
      owned('text', { partitionKey: 'a', assets: ['text'] }),
    ]);
    queue.yieldTo([{ asset: 'audio', partitionKey: 'a', ownedSince: 3 }], () => 5);
    expect(ids(beginAll(queue))).toEqual([]);
    expect(queue.isFree()).toBe(false);
    queue.yieldTo([], () => 5);
    expect(ids(beginAll(queue))).toEqual(['both']);
  });

  it('gives out a run that is taken, wherever it waits, and each once', () => {
    const queue = new RunQueue({ limits: new Map(), upstreamsOf: () => [] });
    const busy = owned('1', { partitionKey: 'a' });
    queue.add([busy, owned('2', { partitionKey: 'a' }), owned('3'), owned('4', { interrupted: 1 })]);
    expect(queue.next(0)).toBe(busy);
    expect(ids(beginAll(queue, 1))).toEqual(['3']);
    for (const id of ['2', '4']) {
      expect(queue.take(id)?.id).toBe(id);
      expect(queue.take(id)).toBeUndefined();
    }
    expect(queue.take('1')).toBeUndefined();
    expect(queue.size).toBe(0);
  });

  it('gives out all at once', () => {
    const queue = new RunQueue({ limits: new Map(), upstreamsOf: () => [] });
    queue.add([
      owned('1', { partitionKey: 'a' }),
      owned('2', { partitionKey: 'a' }),
      owned('3', { interrupted: 1 }),
      owned('4'),
    ]);
    queue.next(0);
    queue.next(1);
    expect(new Set(ids(queue.takeAll()))).toEqual(new Set(['2', '3']));
    expect(queue.size).toBe(0);
    expect(queue.hasNext(0)).toBe(false);
  });

  it('loses and doubles nothing, whatever happens in whatever order', () => {
    const anyRun = fc.record({
      partitionKey: fc.constantFrom('a', 'b', 'c'),
      assets: fc.constantFrom(['audio'], ['text'], ['audio', 'text']),
      interrupted: fc.constantFrom(0, 0, 0, 1),
    });
    const anyStep = fc.oneof(
      fc.record({ do: fc.constant('begin' as const) }),
      fc.record({ do: fc.constant('end' as const), which: fc.nat() }),
      fc.record({ do: fc.constant('take' as const), which: fc.nat() }),
      fc.record({ do: fc.constant('add' as const), run: anyRun }),
    );
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const queue = new RunQueue({ limits: new Map([['text', 2]]), upstreamsOf: () => [] });
        const flying = new Map<string, OwnedRun>();
        const seen = new Set<string>();
        let added = 0;
        let taken = 0;
        for (const step of steps) {
          if (step.do === 'add') queue.add([owned(String(added++), step.run)]);
          else if (step.do === 'take') {
            if (added > 0 && queue.take(String(step.which % added)) !== undefined) taken++;
          } else if (step.do === 'end') {
            const run = [...flying.values()][step.which % Math.max(1, flying.size)];
            if (run !== undefined) {
              flying.delete(run.id);
              queue.letGo(run);
            }
          } else if (queue.hasNext(flying.size)) {
            const run = queue.next(flying.size);
            if (run === undefined) continue;
            expect(seen.has(run.id)).toBe(false);
            seen.add(run.id);
            flying.set(run.id, run);
          }
          const now = [...flying.values()];
          const works = now.flatMap(({ assets, partitionKey }) =>
            assets.map((asset) => `${asset}@${partitionKey}`),
          );
          expect(new Set(works).size).toBe(works.length);
          expect(now.filter(({ assets }) => assets.includes('text')).length).toBeLessThanOrEqual(2);
          if (now.some(({ interrupted }) => interrupted > 0)) expect(now).toHaveLength(1);
          expect(queue.size).toBe(added - seen.size - taken);
        }
        // Nothing waits for ever.
        for (let round = 0; round <= added; round++) {
          for (const run of flying.values()) queue.letGo(run);
          flying.clear();
          for (const run of beginAll(queue)) flying.set(run.id, run);
        }
        expect(queue.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('knows who must come after what was taken on later, and waits for another process', () => {
    const [text, index, audio, alien] = [
      owned('text', { partitionKey: 'a', assets: ['text'] }),
      owned('index', { partitionKey: 'a', assets: ['index'] }),
      owned('audio', { partitionKey: 'a' }),
      owned('alien', { partitionKey: 'b', assets: ['text'] }),
    ];
    const since: Record<string, number> = { text: 7, index: 2, audio: 6, alien: 2 };
    const queue = queueOf();
    queue.add([text, index, audio, alien]);
    const elsewhere = [{ asset: 'audio', partitionKey: 'a', ownedSince: 4 }];
    const heldUp = (): string[] => {
      queue.yieldTo(elsewhere, ({ id }) => since[id]!);
      return queue.heldUp().map(({ id }) => id);
    };
    // By way of the text, which came after the audio.
    expect(heldUp()).toEqual(['index']);
    since['text'] = 3;
    expect(heldUp().sort()).toEqual(['index', 'text']);
    since['index'] = since['text'] = 8;
    expect(heldUp()).toEqual([]);
    // Then the audio came first, and waits for nobody.
    since['audio'] = 3;
    since['text'] = 2;
    expect(heldUp()).toEqual([]);
  });
});
