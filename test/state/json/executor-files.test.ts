/** What the file of a dead executor says of its runs, and which files are swept. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExecutorFiles } from '../../../src/state/json/executor-files.ts';
import { ownerNamed, processTag } from '../../../src/files/process-owner.ts';
import type { ExecutorSigns } from '../../../src/state/state-view.ts';
import { AT } from '../../support/builders.ts';
import { TemporaryFolder } from '../../support/json-rig.ts';

const now = (): { now: number; steady: number } => ({ now: Date.now(), steady: performance.now() });

const block = (ms: number): void => {
  for (const until = performance.now() + ms; performance.now() < until;);
};

describe('the files of executors', () => {
  let folder: TemporaryFolder;

  beforeEach(() => {
    folder = new TemporaryFolder();
    fs.mkdirSync(folder.file('executors'));
  });

  afterEach(() => folder[Symbol.dispose]());

  const dead = { ...ownerNamed('dead', { now: 0, steady: 0 }, '/'), startTime: '1', slots: 1, wants: 0 };
  const judged = (text: string): string[] => {
    fs.writeFileSync(folder.file('executors', `dead.${processTag()}.log`), text);
    const { alive, interrupted } = new ExecutorFiles(folder.path, () => AT).judge(dead, {
      now: 0,
      steady: 0,
    });
    expect(alive).toBe(false);
    return [...interrupted];
  };

  it('say which runs had begun and not ended', () => {
    expect(judged('begun g-1\nbegun g-12\nended g-1\n')).toEqual(['g-12']);
  });

  it('blame no other run where the last line was torn', () => {
    expect(judged('begun g-1\nended g-1\nbegun g-1')).toEqual([]);
    expect(judged('begun g-1\nended g-')).toEqual(['g-1']);
  });

  it('blame none where a loss of power left zeroes', () => {
    expect(judged('\0'.repeat(40))).toEqual([]);
    expect(judged(`${'\0'.repeat(10)}begun g-2\n`)).toEqual([]);
  });

  describe('of a live one', () => {
    const signs = { turnEveryMs: 10, threadAfterMs: 50, threadEveryMs: 10, tellAfterMs: 50_000 };
    const opened = () => {
      const files = new ExecutorFiles(folder.path, () => AT, signs);
      const owner = ownerNamed('alive', now(), folder.path);
      const executor = files.open(owner);
      const judgeBy = (judging: ExecutorFiles, later: number): ExecutorSigns => {
        const moment = now();
        return judging.judge(
          { ...owner, slots: 1, wants: 0 },
          { now: moment.now + later, steady: moment.steady + later },
        );
      };
      const others = new ExecutorFiles(folder.path, () => AT, signs);
      return {
        executor,
        judge: (later: number) => judgeBy(others, later),
        judgeOwn: (later: number) => judgeBy(files, later),
      };
    };

    it('do not grow with the life of a process, and never lose what is at work', () => {
      const { executor, judge } = opened();
      void executor.begun('first-1', 1000);
      executor.started({ runId: 'first-1', group: 7, number: 8 });
      const [name] = fs.readdirSync(folder.file('executors'));
      let longest = 0;
      for (let number = 0; number < 12_000; number++) {
        void executor.begun(`g-${number}`, 1000);
        executor.ended(`g-${number}`);
        if (number % 100 === 0)
          longest = Math.max(longest, fs.statSync(folder.file('executors', name!)).size);
      }
      expect(longest).toBeLessThan(300 * 1024);
      void executor.begun('last-1', 2000);
      expect([...judge(0).begun]).toEqual([
        ['first-1', AT],
        ['last-1', AT],
      ]);
      const text = fs.readFileSync(folder.file('executors', name!), 'utf8');
      expect(text).toContain('program first-1 7 8\n');
      expect(fs.readdirSync(folder.file('executors'))).toEqual([name]);
    });

    it('say what its code has begun, and that it is blocked when its event loop is silent for longer than that may take', async () => {
      const { executor, judge } = opened();
      void executor.begun('g-1', 300_000);
      void executor.begun('g-2', 60_000);
      expect([...judge(30_000).begun]).toEqual([
        ['g-1', AT],
        ['g-2', AT],
      ]);
      expect(judge(30_000).blockedSince).toBeNull();
      expect(judge(61_000).blockedSince).not.toBeNull();
      executor.ended('g-2');
      expect(judge(61_000).blockedSince).toBeNull();
      expect(judge(301_000).blockedSince).not.toBeNull();
      void executor.begun('g-1', 60_000);
      expect(judge(61_000).blockedSince).not.toBeNull();
      executor.ended('g-1');
      // What is asked beside the code of runs may take so long, too.
      expect(judge(270_000).blockedSince).toBeNull();
      expect(judge(301_000).blockedSince).not.toBeNull();
      await executor.leave();
    });

    it('do not say that who asks is blocked, whatever the clock of the file system says', async () => {
      const { executor, judge, judgeOwn } = opened();
      void executor.begun('g-1', 6000);
      expect([judge(7_200_000).blockedSince === null, judgeOwn(7_200_000).blockedSince]).toEqual([
        false,
        null,
      ]);
      await executor.leave();
    });

    it('do not take a clock that was set, or a machine that slept, for silence', async () => {
      const { executor } = opened();
      void executor.begun('g-1', 6000);
      const owner = { ...ownerNamed('alive', now(), folder.path), slots: 1, wants: 0 };
      const { now: at, steady } = now();
      const files = new ExecutorFiles(folder.path, () => AT, signs);
      expect(files.judge(owner, { now: at + 3_600_000, steady }).blockedSince).toBeNull();
      expect(files.judge(owner, { now: at - 3_600_000, steady }).blockedSince).toBeNull();
      await executor.leave();
    });

    it('show that its event loop turns', async () => {
      const { executor, judge } = opened();
      void executor.begun('g-1', 6000);
      const file = folder.file('executors', `alive.${processTag()}.log`);
      fs.utimesSync(file, 0, 0);
      expect(judge(0).blockedSince).not.toBeNull();
      await vi.waitFor(() => expect(judge(0).blockedSince).toBeNull(), { timeout: 60_000 });
      await executor.leave();
    });

    it('show that it lives from a thread when a run takes long, also while code blocks the event loop', async () => {
      const { executor } = opened();
      void executor.begun('g-1', 6000);
      const file = folder.file('executors', `alive.${processTag()}.live`);
      await vi.waitFor(() => expect(fs.existsSync(file)).toBe(true), { timeout: 60_000 });
      fs.utimesSync(file, 0, 0);
      // Until there is a sign: no timer of this thread can give it.
      for (let naps = 0; fs.statSync(file).mtimeMs === 0 && naps < 1000; naps++) block(20);
      expect(fs.statSync(file).mtimeMs).toBeGreaterThan(0);
      await executor.leave();
      expect(fs.readdirSync(folder.file('executors'))).toEqual([]);
    });
  });

  it('are swept when their executor owns nothing and is gone, also when the machine was started again', () => {
    const place = processTag().split('-')[2]!;
    const names = [
      `known.4194999-1-${place}.log`,
      `gone.4194999-1-${place}.log`,
      'fresh.1-1-elsewhere.log',
      'old.1-1-elsewhere.log',
      `own.${processTag()}.log`,
      `gone.4194999-1-${place}.live`,
    ];
    for (const name of names) fs.writeFileSync(folder.file('executors', name), '');
    fs.utimesSync(folder.file('executors', names[3]!), new Date(0), new Date(0));
    const files = new ExecutorFiles(folder.path, () => AT);
    files.remove(files.goneBeside(new Set(['known'])));
    expect(fs.readdirSync(folder.file('executors')).sort()).toEqual([names[0]!, names[2]!, names[4]!].sort());
  });
});
