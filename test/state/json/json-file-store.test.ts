/** The store in a JSON file keeps the contract, also where several processes share the file and where the disk fails. */
import { EVERYTHING } from '../../../src/state/needs.ts';
import fs from 'node:fs';
import os from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailureError } from '../../../src/model/failure.ts';
import { checkState } from '../../../src/state/document/check-state.ts';
import { HistoryFiles } from '../../../src/state/json/history-files.ts';
import { finishedRun, keysAdded } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Recorder } from '../../support/engine-rig.ts';
import { JsonRig } from '../../support/json-rig.ts';
import {
  describeSharedStoreContract,
  describeStoreContract,
  type SharedStoreRig,
} from '../../support/store-contract.ts';

function makeRig(): SharedStoreRig {
  const rig = new JsonRig();
  return {
    store: rig.store,
    problems: () => Promise.resolve(checkState(rig.onDisk())),
    content: () => Promise.resolve(rig.onDisk()),
    kill: (executor) => Promise.resolve(rig.kill(executor)),
    commitElsewhere: (changes) => rig.commitElsewhere(changes),
    dispose: async () => {
      await rig.settled();
      rig[Symbol.dispose]();
    },
  };
}

describeStoreContract('JsonFileStore', makeRig);
describeSharedStoreContract('JsonFileStore', makeRig);

describe('a state in a JSON file', () => {
  let rig: JsonRig;

  beforeEach(() => {
    rig = new JsonRig();
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await rig.settled();
    rig[Symbol.dispose]();
  });

  it('leaves the folder as it was when it is only read, or when a plan has no changes', async () => {
    await rig.store.read(EVERYTHING);
    await rig.store.commit(EVERYTHING, () => ({ changes: [], outcome: undefined }));
    await rig.store.ticks('feed', 1);
    await rig.store.runs({ limit: 1 });
    await rig.store.readLog('g-1', 0);
    await rig.store.evaluating('feed');
    expect(rig.folder.content()).toEqual({});
  });

  it('tells of a commit when the file is there, and not of the generation before it: who looks in between waits', async () => {
    rig.commitElsewhere([keysAdded('letters', ['a'])]);
    const told = new Recorder<number>();
    const stop = rig.store.watchChanges(() => told.add(1));
    const again = setInterval(() => rig.commitElsewhere([keysAdded('letters', ['b'])]), 50);
    await told.count(1);
    clearInterval(again);
    // Asked behind the other one, it is told behind it.
    const names = new Recorder<string>();
    const watcher = fs.watch(rig.store.file.folder, (_, name) => names.add(String(name)));
    fs.writeFileSync(rig.folder.file('.dynpart', 'now'), '');
    await names.until((all) => all.includes('now'));
    const before = told.all.length;
    const generation = `.state.json.${String(rig.onDisk().serial + 1).padStart(12, '0')}`;
    fs.linkSync(rig.stateFile, rig.folder.file('.dynpart', generation));
    await names.until((all) => all.includes(generation));
    expect(told.all).toHaveLength(before);
    fs.rmSync(rig.folder.file('.dynpart', generation));
    rig.commitElsewhere([keysAdded('letters', ['c'])]);
    await told.count(before + 1);
    watcher.close();
    stop();
  });

  it.each([1, 1000])(
    'shows keys and runs of one moment, though others commit %i times while it is read',
    async (times) => {
      await rig.store.commit(EVERYTHING, () => ({
        changes: [keysAdded('letters', ['0'])],
        outcome: undefined,
      }));
      let commits = 0;
      // oxlint-disable-next-line typescript/unbound-method -- bound where it is called
      const finishedRuns = HistoryFiles.prototype.finishedRuns;
      vi.spyOn(HistoryFiles.prototype, 'finishedRuns').mockImplementation(function* (this: HistoryFiles) {
        if (commits < times) {
          const key = String(++commits);
          const finishedAt = new Date(Date.now() + 86_400_000).toISOString();
          const run = finishedRun({ id: `h-${key}`, partitionKey: key, status: 'SUCCESS', finishedAt });
          rig.commitElsewhere([keysAdded('letters', [key]), { type: 'runs-finished', runs: [run] }]);
        }
        yield* finishedRuns.call(this);
      });
      const query = { limit: 100 };
      const view = await rig.store.read({ everything: true, runPages: [query] });
      const { runs } = view.runPage(query);
      expect(commits).toBeGreaterThan(0);
      expect(
        runs.map(({ partitionKey }) => partitionKey).filter((key) => !view.keys('letters').includes(key!)),
      ).toEqual([]);
      if (times === 1) expect(runs).toHaveLength(1);
    },
  );

  it('leaves the bytes of the file alone when a later plan has no changes', async () => {
    await rig.store.commit(EVERYTHING, () => ({
      changes: [keysAdded('letters', ['a'])],
      outcome: undefined,
    }));
    const before = rig.folder.content();
    await rig.open().commit(EVERYTHING, () => ({ changes: [], outcome: undefined }));
    await rig.open().read(EVERYTHING);
    expect(rig.folder.content()).toEqual(before);
  });

  it('loses no commit of several stores that share the file', async () => {
    const stores = [rig.open(), rig.open(), rig.open()];
    await Promise.all(
      stores.map(async (store, which) => {
        // One after the other: what waits at the same time is written together.
        for (let at = 0; at < 20; at++)
          await store.commit(EVERYTHING, (view) => ({
            changes: [
              keysAdded('letters', [`${which}/${at}`]),
              { type: 'sensor-changed', sensor: 'feed', cursor: String(view.sensor('feed').version) },
            ],
            outcome: undefined,
          }));
      }),
    );
    const document = rig.onDisk();
    expect(document.serial).toBe(60);
    expect(new Set(document.sets['letters']!.keys).size).toBe(60);
    expect(document.sensors['feed']).toMatchObject({ version: 60, cursor: '59' });
    expect(checkState(document)).toEqual([]);
    for (const store of stores) expect((await store.read(EVERYTHING)).keys('letters')).toHaveLength(60);
  });

  it('writes together what waits, each plan after those before it, and all of it anew where another was first', async () => {
    const other = rig.open();
    await rig.store.commit(EVERYTHING, () => ({ changes: [keysAdded('letters', ['0'])], outcome: null }));
    let isFirst = true;
    const seen = await Promise.all(
      Array.from({ length: 1000 }, (_, at) =>
        rig.store.commit(EVERYTHING, (view) => {
          if (at === 500 && isFirst) {
            isFirst = false;
            rig.commitElsewhere([keysAdded('letters', ['elsewhere'])]);
          }
          return { changes: [keysAdded('letters', [`key ${at}`])], outcome: view.keys('letters').length };
        }),
      ),
    );
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, at) => at + 2));
    expect((await other.read(EVERYTHING)).keys('letters')).toHaveLength(1002);
    expect(rig.onDisk().serial).toBe(3);
    expect(checkState(rig.onDisk())).toEqual([]);
  });

  it('tells no plan an error that it threw at what came to nothing', async () => {
    let isFirst = true;
    const one = rig.store.commit(EVERYTHING, (view) => {
      const isTaken = view.keys('letters').includes('elsewhere');
      if (isFirst) rig.commitElsewhere([keysAdded('letters', ['elsewhere'])]);
      isFirst = false;
      return { changes: isTaken ? [] : [keysAdded('letters', ['mine'])], outcome: 'one' };
    });
    const other = rig.store.commit(EVERYTHING, (view) => {
      if (view.keys('letters').includes('mine')) throw new Error('mine is there');
      return { changes: [keysAdded('letters', ['other'])], outcome: 'other' };
    });
    expect(await Promise.all([one, other])).toEqual(['one', 'other']);
    expect(rig.onDisk().sets['letters']!.keys).toEqual(['elsewhere', 'other']);
  });

  it('sees at once what another store committed', async () => {
    const [one, other] = [rig.open(), rig.open()];
    await one.read(EVERYTHING);
    await other.commit(EVERYTHING, () => ({ changes: [keysAdded('letters', ['a'])], outcome: undefined }));
    expect((await one.read(EVERYTHING)).keys('letters')).toEqual(['a']);
    await one.commit(EVERYTHING, () => ({ changes: [keysAdded('letters', ['b'])], outcome: undefined }));
    expect((await other.read(EVERYTHING)).keys('letters')).toEqual(['a', 'b']);
  });

  it('keeps the lineage that its first commit made', async () => {
    await rig.store.commit(EVERYTHING, () => ({
      changes: [keysAdded('letters', ['a'])],
      outcome: undefined,
    }));
    const { lineage } = rig.onDisk();
    expect(lineage).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    await rig
      .open()
      .commit(EVERYTHING, () => ({ changes: [keysAdded('letters', ['b'])], outcome: undefined }));
    expect(rig.onDisk().lineage).toBe(lineage);
  });

  it('shows nobody a commit that the disk refused', async () => {
    await rig.store.commit(EVERYTHING, () => ({
      changes: [keysAdded('letters', ['a'])],
      outcome: undefined,
    }));
    const before = rig.folder.content();
    vi.spyOn(fs, 'fsyncSync').mockImplementation(() => {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    });
    const refused = rig.store
      .commit(EVERYTHING, () => ({ changes: [keysAdded('letters', ['b'])], outcome: undefined }))
      .catch((error: unknown) => error);
    // A reader at every step between the refusal and its report.
    const seen: Promise<readonly string[]>[] = [];
    for (let step = 0; step < 20; step++) {
      seen.push(rig.store.read(EVERYTHING).then((view) => view.keys('letters')));
      await Promise.resolve();
    }
    const error = await refused;
    expect(error).toBeInstanceOf(FailureError);
    expect((error as FailureError).failure).toMatchObject({
      reason: 'state-io',
      cause: expect.stringContaining('ENOSPC') as string,
    });
    expect(await Promise.all(seen)).toEqual(Array.from({ length: 20 }, () => ['a']));
    expect(rig.folder.content()).toEqual(before);
    vi.restoreAllMocks();
    await rig.store.commit(EVERYTHING, () => ({
      changes: [keysAdded('letters', ['c'])],
      outcome: undefined,
    }));
    expect((await rig.store.read(EVERYTHING)).keys('letters')).toEqual(['a', 'c']);
  });

  /** A clock that gives up: what would go on for ever ends with a word about it. */
  class ImpatientClock extends FakeClock {
    override sleep(ms: number): Promise<void> {
      this.slept.push(ms);
      if (this.slept.length > 50) throw new Error('it tries for ever');
      return Promise.resolve();
    }
  }

  it.each([
    ['its newest generation is damaged', 5, true],
    ['its serial is 0', 0, false],
  ])('ends a commit one way or the other when %s', async (_, serial, damaged) => {
    await rig.store.commit(EVERYTHING, () => ({
      changes: [keysAdded('letters', ['a'])],
      outcome: undefined,
    }));
    const document = rig.onDisk();
    const folder = rig.stateFile.replace(/state\.json$/, '');
    for (const name of fs.readdirSync(folder))
      if (name.startsWith('.state.json.')) fs.rmSync(`${folder}${name}`);
    fs.writeFileSync(rig.stateFile, JSON.stringify({ ...document, serial }));
    if (damaged) fs.writeFileSync(`${folder}.state.json.000000000006`, '{"schema":1');
    const store = rig.open(new ImpatientClock());
    const committed = await store
      .commit(EVERYTHING, () => ({ changes: [keysAdded('letters', ['b'])], outcome: 'committed' }))
      .catch((error: unknown) => error);
    if (committed === 'committed')
      expect((await rig.open().read(EVERYTHING)).keys('letters')).toEqual(['a', 'b']);
    else expect(committed).toBeInstanceOf(FailureError);
  });

  it('takes over the claim of a sensor whose process is gone, and a torn one', async () => {
    const claim = await rig.store.claimSensor('feed');
    if ('holder' in claim) throw new Error('nobody has it');
    const file = rig.folder.file('.dynpart', 'claims', 'feed.json');
    const owner = JSON.parse(fs.readFileSync(file, 'utf8')) as object;
    fs.writeFileSync(file, JSON.stringify({ ...owner, startTime: '1' }));
    expect(await rig.store.evaluating('feed')).toBeNull();
    const next = await rig.open().claimSensor('feed');
    expect('holder' in next).toBe(false);
    fs.writeFileSync(file, '{"id":');
    expect(await rig.store.evaluating('feed')).toBeNull();
    expect('holder' in (await rig.open().claimSensor('feed'))).toBe(false);
    // It is known whose programs may be left, until they are ended; of the torn one nobody could tell.
    if ('holder' in next) throw new Error('nobody has it');
    const { id } = owner as { id: string };
    expect(await next.left()).toEqual([
      { id, host: os.hostname(), alive: false, visible: true, programs: [] },
    ]);
    await next.leftEnded([id]);
    expect(fs.readdirSync(rig.folder.file('.dynpart', 'claims'))).toEqual(['feed.json']);
    for (const held of [claim, next]) if (!('holder' in held)) await held.release();
  });

  it('believes a claim from another machine for five minutes without a sign of life', async () => {
    const claim = await rig.store.claimSensor('feed');
    if ('holder' in claim) throw new Error('nobody has it');
    const file = rig.folder.file('.dynpart', 'claims', 'feed.json');
    const owner = JSON.parse(fs.readFileSync(file, 'utf8')) as object;
    fs.writeFileSync(
      file,
      JSON.stringify({ ...owner, host: 'elsewhere', bootId: 'another boot', disk: null, startTime: '1' }),
    );
    const now = fs.statSync(file).mtimeMs;
    expect(await rig.open(new FakeClock(now + 299_000, 91)).evaluating('feed')).toMatchObject({
      host: 'elsewhere',
    });
    expect(await rig.open(new FakeClock(now + 301_000, 92)).evaluating('feed')).toBeNull();
    await claim.release();
  });

  it('passes over a line of a log that was torn', async () => {
    const line = {
      at: '2026-01-01T00:00:00.000Z',
      stream: 'log' as const,
      text: 'whole',
      asset: 'audio',
      attempt: 1,
    };
    rig.store.appendLog('g-1', [line]);
    fs.appendFileSync(rig.folder.file('.dynpart', 'logs', 'g-1.jsonl'), '{"at":"20');
    expect(await rig.store.endOfLog('g-1', 9)).toEqual([line]);
  });
});
