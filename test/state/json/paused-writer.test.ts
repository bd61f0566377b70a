/** A writer that is stopped around its link, while others commit and names of generations come and go, commits exactly once. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { EVERYTHING } from '../../../src/state/needs.ts';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FailureError } from '../../../src/model/failure.ts';
import { ownerNamed, processTag } from '../../../src/files/process-owner.ts';
import { withCommit } from '../../../src/state/json/writers.ts';
import { checkState } from '../../../src/state/document/check-state.ts';
import type { StateDocument } from '../../../src/state/document/state-document.ts';
import { keysAdded } from '../../support/builders.ts';
import { JsonRig } from '../../support/json-rig.ts';

describe('a writer that is stopped around its link', () => {
  let rig: JsonRig;
  let others: number;
  let planned: number;

  beforeEach(async () => {
    rig = new JsonRig();
    others = 0;
    planned = 0;
    await rig.store.commit(EVERYTHING, () => ({
      changes: [keysAdded('letters', ['first'])],
      outcome: undefined,
    }));
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await rig.settled();
    rig[Symbol.dispose]();
  });

  const generation = (serial: number): string =>
    rig.folder.file('.dynpart', `.state.json.${String(serial).padStart(12, '0')}`);

  /** So many commits of another process. */
  const commitOthers = (count: number, text = ''): void => {
    for (let at = 0; at < count; at++) rig.commitElsewhere([keysAdded('others', [`${++others}${text}`])]);
  };

  /** What another process restores: a document of before, with the entries of now. */
  const restoreElsewhere = (copy: StateDocument, serial: number): void => {
    const { writers } = rig.newest();
    rig.write({ ...copy, serial, writers: withCommit(writers, { id: `${processTag()}-rest`, serial }) });
  };

  /** The next link of a generation stops its writer, before it is made or behind it, until `meanwhile` is over. */
  const stop = (when: 'before' | 'behind', meanwhile: () => void): void => {
    const linkSync = fs.linkSync.bind(fs);
    let stopped = false;
    vi.spyOn(fs, 'linkSync').mockImplementation((from, to) => {
      const now = !stopped && /\.json\.\d{12}$/.test(String(to));
      if (now) stopped = true;
      if (now && when === 'before') meanwhile();
      linkSync(from, to);
      if (now && when === 'behind') meanwhile();
    });
  };

  const commit = (): Promise<number> =>
    rig.store.commit(EVERYTHING, (view) => ({
      changes: [keysAdded('letters', [`mine ${++planned}`])],
      outcome: view.keys('letters').length,
    }));

  const letters = (): readonly string[] => rig.onDisk().sets['letters']!.keys;

  const LONG = 'x'.repeat(1000).repeat(100);

  it.each([1, 15, 16, 17, 40])('has committed once when it had published before %i others', async (count) => {
    stop('behind', () => commitOthers(count));
    expect(await commit()).toBe(1);
    expect(planned).toBe(1);
    expect(letters()).toEqual(['first', 'mine 1']);
    expect(rig.onDisk()).toMatchObject({ serial: 2 + count });
    expect(rig.onDisk().sets['others']!.keys).toHaveLength(count);
    expect(checkState(rig.onDisk())).toEqual([]);
    // And it goes on from there.
    await commit();
    expect(letters()).toEqual(['first', 'mine 1', 'mine 2']);
  });

  it.each([1, 15, 16, 17, 40])(
    'has not committed when %i others were before it, and plans again',
    async (count) => {
      stop('before', () => commitOthers(count));
      expect(await commit()).toBe(1);
      expect(planned).toBe(2);
      expect(letters()).toEqual(['first', 'mine 2']);
      expect(rig.onDisk()).toMatchObject({ serial: 2 + count });
      expect(fs.existsSync(generation(2))).toBe(count < 16);
    },
  );

  it('leaves alone what an executor has left that came and died meanwhile: it says which runs had begun', async () => {
    const owner = { ...ownerNamed('late', { now: 0, steady: 0 }, '/'), pid: 4194999, startTime: '1' };
    const place = processTag().split('-')[2]!;
    const file = rig.folder.file('.dynpart', 'executors', `late.4194999-1-${place}.log`);
    const me = await rig.store.enter();
    await rig.store.commit(EVERYTHING, () => ({
      changes: [{ type: 'executor', id: me.id, slots: 1, wants: 0 }],
      outcome: undefined,
    }));
    stop('behind', () => {
      const before = rig.newest();
      const executors = [...before.executors, { ...owner, slots: 1, wants: 0 }];
      rig.write({ ...before, executors, serial: before.serial + 1 });
      fs.writeFileSync(file, 'begun g-1\n');
    });
    const leave = { changes: [{ type: 'executor-left', id: me.id }], outcome: undefined } as const;
    await rig.store.commit(EVERYTHING, () => leave);
    expect((await rig.store.read(EVERYTHING)).executors()).toMatchObject([{ id: 'late', alive: false }]);
    expect(fs.existsSync(file)).toBe(true);
    // And when it owns nothing any more, its file goes with the next one that looks.
    rig.commitElsewhere([{ type: 'executor-left', id: 'late' }]);
    await rig.store.commit(EVERYTHING, () => leave);
    expect(fs.existsSync(file)).toBe(false);
    await me.leave();
  });

  it('knows it for a state whose old generations are emptied, too', async () => {
    commitOthers(1, LONG);
    stop('behind', () => commitOthers(40));
    await commit();
    expect(planned).toBe(1);
    vi.restoreAllMocks();
    stop('before', () => commitOthers(40));
    await commit();
    expect(planned).toBe(3);
    expect(letters()).toEqual(['first', 'mine 1', 'mine 3']);
  });

  it('knows it when its commit was made and then undone by a restore: that was meant', async () => {
    const copy = rig.onDisk();
    stop('behind', () => {
      commitOthers(3);
      restoreElsewhere(copy, rig.newest().serial + 1);
      commitOthers(30);
    });
    await commit();
    expect(planned).toBe(1);
    expect(letters()).toEqual(['first']);
  });

  it.each([9, 90])(
    'plans again when a restore of a copy from further on left its number out (%i)',
    async (jump) => {
      stop('before', () => restoreElsewhere(rig.newest(), jump));
      await commit();
      expect(planned).toBe(2);
      expect(letters()).toEqual(['first', 'mine 2']);
      expect(rig.onDisk().serial).toBe(jump + 1);
      expect(fs.existsSync(generation(2))).toBe(false);
    },
  );

  it('asks the document before where the newest is damaged', async () => {
    stop('behind', () => {
      commitOthers(20);
      fs.rmSync(generation(22));
      fs.writeFileSync(generation(22), '{"schema":');
    });
    await commit();
    expect(planned).toBe(1);
  });

  it('asks the file itself where all later generations are damaged', async () => {
    stop('behind', () => {
      commitOthers(3);
      for (let serial = 3; serial <= 5; serial++) {
        fs.rmSync(generation(serial));
        fs.writeFileSync(generation(serial), '');
      }
    });
    await commit();
    expect(planned).toBe(1);
    expect(letters()).toEqual(['first', 'mine 1']);
  });

  const unsure = async (): Promise<void> => {
    const error: unknown = await commit().catch((thrown: unknown) => thrown);
    expect((error as FailureError).failure).toEqual({
      reason: 'commit-unsure',
      file: rig.stateFile,
      serial: 2,
    });
    expect(planned).toBe(1);
  };

  it('says that it does not know where no later document can be read', async () => {
    stop('behind', () => {
      commitOthers(20);
      for (const name of fs.readdirSync(rig.folder.file('.dynpart')))
        if (/^\.?state\.json/.test(name)) fs.truncateSync(rig.folder.file('.dynpart', name));
    });
    await unsure();
  });

  it.each(['before', 'behind'] as const)(
    'says that it does not know where others that could not see it have forgotten it (stopped %s its link)',
    async (when) => {
      stop(when, () => {
        commitOthers(1);
        const document = rig.newest();
        rig.write({ ...document, serial: 80, writers: { last: [], forgotten: 2 } });
      });
      await unsure();
    },
  );

  it('begins anew where the folder was taken away meanwhile, and another state made', async () => {
    stop('behind', () => {
      fs.rmSync(rig.folder.file('.dynpart'), { recursive: true });
      rig.commitElsewhere([keysAdded('letters', ['other'])]);
    });
    await commit();
    expect(letters()).toEqual(['other', 'mine 2']);
  });

  it('does not take the commit of a second store in its process for its own', async () => {
    // As another thread would: it has the same pid, and comes to the same serial.
    const second = rig.open();
    await second.commit(EVERYTHING, () => ({
      changes: [keysAdded('letters', ['second'])],
      outcome: undefined,
    }));
    expect(second.writer.id).not.toBe(rig.store.writer.id);
    expect(rig.onDisk().writers.last.map(({ id }) => id)).toEqual([rig.store.writer.id, second.writer.id]);
  });
});
