/** A restore is a commit like any other: it races, it is asked about, and what was there before is kept. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { EVERYTHING } from '../../../src/state/needs.ts';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkState } from '../../../src/state/document/check-state.ts';
import type { StateDocument } from '../../../src/state/document/state-document.ts';
import { keysAdded } from '../../support/builders.ts';
import { JsonRig } from '../../support/json-rig.ts';

describe('a restore', () => {
  let rig: JsonRig;
  let copy: StateDocument;

  beforeEach(async () => {
    rig = new JsonRig();
    await add('first');
    copy = rig.onDisk();
    await add('second');
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await rig.settled();
    rig[Symbol.dispose]();
  });

  const add = (key: string): Promise<void> =>
    rig.store.commit(EVERYTHING, () => ({ changes: [keysAdded('letters', [key])], outcome: undefined }));
  const letters = (): readonly string[] => rig.newest().sets['letters']!.keys;
  const kept = (): Record<string, string> =>
    Object.fromEntries(
      Object.entries(rig.folder.content())
        .filter(([name]) => name.includes('before-restore'))
        .map(([name, text]) => [name.slice('.dynpart/'.length), text]),
    );

  it('puts the copy there as the next serial, and what was there beside it', async () => {
    const before = fs.readFileSync(rig.stateFile, 'latin1');
    const done = await rig.store.restore(copy, 'before-restore-NOW', true);
    expect(done).toEqual({ serial: 3, kept: [`${rig.stateFile}.before-restore-NOW`], replaced: null });
    expect(letters()).toEqual(['first']);
    expect(kept()).toEqual({ 'state.json.before-restore-NOW': before });
    expect(checkState(rig.onDisk())).toEqual([]);
    expect(rig.onDisk().writers.last.at(-1)).toEqual({ id: rig.store.writer.id, serial: 3 });
    // Whoever has it open sees it.
    expect((await rig.store.read(EVERYTHING)).keys('letters')).toEqual(['first']);
    await add('third');
    expect(letters()).toEqual(['first', 'third']);
  });

  it('never writes over what was kept before, also at the same moment', async () => {
    const one = fs.readFileSync(rig.stateFile, 'latin1');
    await rig.store.restore(copy, 'before-restore-NOW', true);
    const between = fs.readFileSync(rig.stateFile, 'latin1');
    await rig.store.restore(copy, 'before-restore-NOW', true);
    expect(kept()).toEqual({
      'state.json.before-restore-NOW': one,
      'state.json.before-restore-NOW.2': between,
    });
  });

  it('that another commit was quicker than is made behind it, and keeps that one', async () => {
    const link = fs.linkSync.bind(fs);
    vi.spyOn(fs, 'linkSync').mockImplementation((from, to) => {
      if (/\d{12}$/.test(String(to))) {
        vi.mocked(fs.linkSync).mockImplementation(link);
        rig.commitElsewhere([keysAdded('letters', ['rival'])]);
      }
      link(from, to);
    });
    const { serial } = await rig.store.restore(copy, 'before-restore-NOW', true);
    expect(serial).toBe(4);
    expect(letters()).toEqual(['first']);
    const copies = Object.values(kept());
    expect(copies).toHaveLength(1);
    expect((JSON.parse(copies[0]!) as StateDocument).sets['letters']!.keys).toEqual([
      'first',
      'second',
      'rival',
    ]);
  });

  it('also keeps the newest generation where the file is behind it or damaged, and says so', async () => {
    const whole = fs.readFileSync(rig.stateFile, 'latin1');
    fs.rmSync(rig.stateFile);
    fs.writeFileSync(rig.stateFile, 'damaged');
    const done = await rig.store.restore(copy, 'before-restore-NOW', true);
    expect(done.kept).toHaveLength(2);
    expect(kept()).toEqual({
      'state.json.before-restore-NOW': 'damaged',
      'state.json.before-restore-NOW.2': whole,
    });
  });

  it('says which lineage it replaced, and takes the one of the copy', async () => {
    const { lineage } = rig.onDisk();
    const done = await rig.store.restore({ ...copy, lineage: 'another' }, 'before-restore-NOW', true);
    expect(done.replaced).toBe(lineage);
    expect(rig.onDisk().lineage).toBe('another');
  });

  it('goes on behind whatever was there or in the copy: no serial is used again', async () => {
    expect((await rig.store.restore({ ...copy, serial: 900 }, 'k', true)).serial).toBe(901);
    for (const name of fs.readdirSync(rig.folder.file('.dynpart')))
      if (name.startsWith('.state')) fs.rmSync(rig.folder.file('.dynpart', name));
    fs.writeFileSync(rig.stateFile, '{"schema":2,"serial":905,');
    expect((await rig.store.restore(copy, 'k', true)).serial).toBe(906);
  });

  it('refuses a copy behind whose serial there is no name for a generation', async () => {
    const before = letters();
    await expect(rig.store.restore({ ...copy, serial: 999_999_999_999 }, 'k', true)).rejects.toMatchObject({
      failure: { reason: 'copy-unusable' },
    });
    expect(letters()).toEqual(before);
    expect(kept()).toEqual({});
  });

  it.each(['writeSync', 'fsyncSync', 'linkSync'] as const)(
    'that cannot keep what is there changes nothing: %s',
    async (step) => {
      const before = rig.folder.content();
      vi.spyOn(fs, step).mockImplementation(() => {
        throw Object.assign(new Error('no'), { code: 'ENOSPC' });
      });
      await expect(rig.store.restore(copy, 'before-restore-NOW', true)).rejects.toMatchObject({
        failure: { reason: 'state-io' },
      });
      vi.restoreAllMocks();
      expect(rig.folder.content()).toEqual(before);
    },
  );

  it('lets a live process finish its run of the copy, and no outcome of another run land', async () => {
    const executor = await rig.store.enter();
    const queue = (group: string, key: string): Promise<void> =>
      rig.store.commit(EVERYTHING, () => ({
        changes: [
          {
            type: 'runs-queued',
            owner: executor.id,
            runs: {
              group,
              createdAt: new Date(0).toISOString(),
              sensor: null,
              set: 'letters',
              assets: ['audio'],
              tags: {},
              origin: 'materialize',
              retryOf: null,
              firstNumber: 1,
              keys: [key],
              runKeys: null,
            },
          },
          { type: 'executor', id: executor.id, slots: 2, wants: 0 },
        ],
        outcome: undefined,
      }));
    await queue('old', 'first');
    const then = rig.onDisk();
    await queue('new', 'second');
    await rig.store.restore(then, 'before-restore-NOW', true);
    expect(rig.onDisk().runs.map(({ id, status, owner }) => [id, status, owner === executor.id])).toEqual([
      ['old', 'q', true],
      ['new', 'c', true],
    ]);
    expect((await rig.store.read(EVERYTHING)).executors()).toMatchObject([{ id: executor.id, alive: true }]);
    expect(checkState(rig.onDisk())).toEqual([]);
    await executor.leave();
  });
});
