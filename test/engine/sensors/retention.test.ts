/** Sets that keep their keys by a rule: which keys a tick of automation takes out, and which it leaves alone. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { asset, definePipeline, dynamicPartitions, type RetainOptions, sensor, skip } from 'dynpart';
import { testPipeline } from 'dynpart/testing';
import { describe, expect, it } from 'vitest';
import { MapValues } from '../../support/engine-rig.ts';

/** A set by a rule, filled by a sensor with what `listed` says, and two assets of it. */
function world(retain: RetainOptions) {
  const letters = dynamicPartitions('letters', { retain });
  const values = new MapValues();
  const listed: string[] = [];
  const broken = new Set<string>();
  const sound = asset({
    name: 'sound',
    partitions: letters,
    automate: 'stale',
    materialize({ partitionKey }) {
      if (broken.has(partitionKey)) throw new Error('no sound');
      return partitionKey === 'silent' ? skip('nothing to hear') : `sound of ${partitionKey}`;
    },
  });
  const text = asset({
    name: 'text',
    partitions: letters,
    inputs: { sound },
    automate: 'stale',
    materialize: ({ inputs }) => inputs.sound,
  });
  const feed = sensor({
    name: 'feed',
    async evaluate({ partitions }) {
      const fresh = await partitions(letters).missing(listed);
      return { dynamicPartitionsRequests: [letters.buildAddRequest(fresh)] };
    },
  });
  const testing = testPipeline(
    definePipeline({ assets: [sound, text], sensors: [feed], ioManager: values }),
    {
      now: new Date('2026-01-01T00:00:00Z'),
    },
  );
  const list = async (...keys: string[]): Promise<readonly string[]> => {
    listed.push(...keys);
    await testing.tick();
    return testing.keys(letters);
  };
  return { testing, letters, sound, values, broken, list };
}

describe('retain', () => {
  it('keeps the last ones, takes out the others once all is made of them, and lets no sensor bring them back', async () => {
    const { testing, list, letters } = world({ keepLast: 3 });
    expect(await list('a', 'b', 'c', 'd')).toEqual(['a', 'b', 'c', 'd']);
    const { ticks } = await testing.tick();
    expect(ticks.at(-1)).toMatchObject({
      sensor: 'automation',
      status: 'SUCCESS',
      partitions: [{ set: 'letters', added: [], updated: [], removed: ['a'], skipped: [] }],
    });
    expect(await list('e')).toEqual(['c', 'd', 'e']);
    const last = await testing.tick();
    expect(last.ticks.at(-1)).toMatchObject({
      status: 'SKIPPED',
      skipReason: 'nothing to make',
      failures: [],
    });
    expect(await testing.keys(letters)).toEqual(['c', 'd', 'e']);
  });

  it('leaves a key alone that has failed, and takes out one that was skipped', async () => {
    const { testing, list, letters, broken, sound } = world({ keepLast: 2 });
    broken.add('bad');
    await list('bad', 'silent', 'c', 'd');
    await testing.tick();
    expect(await testing.keys(letters)).toEqual(['bad', 'c', 'd']);
    broken.clear();
    await testing.materialize(sound, 'bad');
    // What is below it is made by automation in the same tick that leaves it in the set.
    await testing.tick();
    expect(await testing.keys(letters)).toEqual(['bad', 'c', 'd']);
    await testing.tick();
    expect(await testing.keys(letters)).toEqual(['c', 'd']);
  });

  it('counts the age of a key from when it was added, and with both needs both', async () => {
    const old = world({ olderThan: '30d', maxRemove: '100%' });
    await old.list('a', 'b');
    await old.testing.advance('29d');
    await old.list('c', 'd', 'e');
    expect(await old.testing.keys(old.letters)).toEqual(['a', 'b', 'c', 'd', 'e']);
    await old.testing.advance('2d');
    await old.testing.tick();
    expect(await old.testing.keys(old.letters)).toEqual(['c', 'd', 'e']);

    const both = world({ olderThan: '30d', keepLast: 2, maxRemove: '100%' });
    await both.list('a', 'b', 'c', 'd');
    await both.testing.tick();
    expect(await both.testing.keys(both.letters)).toEqual(['a', 'b', 'c', 'd']);
    await both.testing.advance('31d');
    await both.testing.tick();
    expect(await both.testing.keys(both.letters)).toEqual(['c', 'd']);
  });

  it('takes out no more at once than it may, and says so, in each tick until somebody decides', async () => {
    const { testing, list, letters } = world({ keepLast: 1 });
    await list('a', 'b', 'c', 'd');
    for (let time = 0; time < 2; time++) {
      const { ticks } = await testing.tick();
      expect(ticks.at(-1)).toMatchObject({
        status: 'SKIPPED',
        failures: [{ name: 'letters', error: 'retain would take out 3 of 4 keys at once' }],
      });
    }
    expect(await testing.keys(letters)).toHaveLength(4);
    const allowed = world({ keepLast: 1, maxRemove: 3 });
    await allowed.list('a', 'b', 'c', 'd');
    await allowed.testing.tick();
    expect(await allowed.testing.keys(allowed.letters)).toEqual(['d']);
  });

  it('deletes values only where it is told to', async () => {
    for (const purge of [false, true]) {
      const { testing, list, values } = world({ keepLast: 1, purge });
      await list('a', 'b');
      await testing.tick();
      const all = ['sound@a', 'text@a', 'sound@b', 'text@b'];
      expect([...values.values.keys()].sort()).toEqual((purge ? all.slice(2) : all).sort());
    }
  });

  it('holds wherever dynpart is killed', async () => {
    const { testing, list, letters } = world({ keepLast: 2 });
    await list('a', 'b', 'c');
    const crashes = await testing.crashEverywhere(
      async (one) => void (await one.tick()),
      async (one) => expect(await one.keys(letters)).toEqual(['b', 'c']),
    );
    expect(crashes.length).toBeGreaterThanOrEqual(2);
  });

  it('names all that is wrong with it in one report', () => {
    const define = (retain: unknown) => () =>
      definePipeline({ partitions: [dynamicPartitions('s', { retain: retain as RetainOptions })] });
    expect(define({})).toThrow("retain of set 's' needs keepLast, olderThan or both");
    expect(define({ keepLast: 0, olderThan: 'old', purge: 'yes', maxRemove: 'half', keepFirst: 1 })).toThrow(
      [
        "retain of set 's' has an unknown option 'keepFirst'; did you mean 'keepLast'?",
        "keepLast of retain of set 's' must be a whole number above 0",
        `olderThan in retain of set 's' must be a duration such as '90d', not "old"`,
        "purge in retain of set 's' must be true or false, not a string",
        `maxRemove in retain of set 's' must be a number or a part such as '50%', not "half"`,
      ].join('\n'),
    );
    expect(define(100)).toThrow('must be an object such as { keepLast: 100 }, not a number');
  });
});
