/** `each`: many sources in one sensor, each with a cursor, and none in the way of another. */
import { describe, expect, test } from 'vitest';
import { each } from 'dynpart/sources';
import { SetModel } from '../support/set-model.mjs';

/** A source that counts its ticks in its cursor, and may fail. */
const counting =
  (set: SetModel, broken: ReadonlySet<string> = new Set()) =>
  (name: string) =>
  async ({ cursor }: { cursor: string | null }) => {
    if (broken.has(name)) throw new Error(`${name} is down`);
    const next = String(Number(cursor ?? 0) + 1);
    return { cursor: next, dynamicPartitionsRequests: [set.buildAddRequest([`${name}${next}`])] };
  };

const partly = (): { failures: { name: string; error: string }[] } => ({
  failures: [{ name: 'page 7', error: 'gone' }],
});

describe('each source', () => {
  test('has a cursor of its own, and all commit together in their order', async () => {
    const set = new SetModel();
    const evaluate = each(['b', 'a', '__proto__'], counting(set));
    expect((await set.tick(evaluate)).added).toEqual(['b1', 'a1', '__proto__1']);
    expect((await set.tick(evaluate)).added).toEqual(['b2', 'a2', '__proto__2']);
    expect(set.cursor).toBe('{"b":"2","a":"2","__proto__":"2"}');
    // One that goes leaves nothing behind, one that comes begins.
    expect((await set.tick(each(['a', 'c'], counting(set)))).added).toEqual(['a3', 'c1']);
    expect(set.cursor).toBe('{"a":"3","c":"1"}');
  });

  test('that fails is named, keeps its cursor, and does not keep the others', async () => {
    const set = new SetModel();
    await set.tick(each(['a', 'b', 'c'], counting(set)));
    const { added, result } = await set.tick(each(['a', 'b', 'c'], counting(set, new Set(['b']))));
    expect(added).toEqual(['a2', 'c2']);
    expect(result.failures).toEqual([{ name: 'b', error: 'b is down' }]);
    expect(set.cursor).toBe('{"a":"2","b":"1","c":"2"}');
    const all = await set.tick(each(['a', 'b'], counting(set, new Set(['a', 'b']))));
    expect(all.result).toMatchObject({
      skipReason: 'nothing new in 0 of 2 sources',
      failures: [{ name: 'a' }, { name: 'b' }],
    });
  });

  test('may fail in part, and be found by a function', async () => {
    const set = new SetModel();
    const { result } = await set.tick(
      each(
        async () => [{ id: 5 }],
        () => partly,
      ),
    );
    expect(result).toEqual({
      failures: [{ name: '5: page 7', error: 'gone' }],
      skipReason: 'nothing new in 1 of 1 sources',
    });
  });

  test('is looked at beside others, but not beside all others', async () => {
    const set = new SetModel();
    let now = 0;
    let most = 0;
    const slow = () => async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now -= 1;
    };
    await set.tick(each([1, 2, 3, 4, 5, 6].map(String), slow, { concurrency: 3 }));
    expect(most).toBe(3);
  });

  test('must have a name, and a name of its own', async () => {
    const set = new SetModel();
    await expect(set.tick(each(['a', 'a'], counting(set)))).rejects.toThrow(
      'two sources of each() are called "a"',
    );
    await expect(set.tick(each([{}], () => () => ({})))).rejects.toThrow(/has no name, id or url/);
    const named = each([{ tenant: 'x' }], () => () => ({ cursor: '1' }), { name: ({ tenant }) => tenant });
    expect((await set.tick(named)).result.cursor).toBe('{"x":"1"}');
    // None at once would be a tick that finds nothing, without a word.
    for (const concurrency of [NaN, 0, -1, 1.5, Infinity])
      expect(() => each(['a'], counting(set), { concurrency })).toThrow(
        'concurrency of each() must be a whole number above 0',
      );
    expect(() => each('abc', () => () => ({}))).toThrow(
      'each() needs a list of sources, or a function that gives one',
    );
  });
});
