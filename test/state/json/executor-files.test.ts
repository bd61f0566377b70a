/** What the file of a dead executor says of its runs, and which files are swept. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExecutorFiles } from '../../../src/state/json/executor-files.ts';
import { ownerNamed, processTag } from '../../../src/files/process-owner.ts';
import { AT } from '../../support/builders.ts';
import { TemporaryFolder } from '../../support/json-rig.ts';

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

  it('are swept when their executor owns nothing and is gone, also when the machine was started again', () => {
    const place = processTag().split('-')[2]!;
    const names = [
      `known.4194999-1-${place}.log`,
      `gone.4194999-1-${place}.log`,
      'fresh.1-1-elsewhere.log',
      'old.1-1-elsewhere.log',
      `own.${processTag()}.log`,
    ];
    for (const name of names) fs.writeFileSync(folder.file('executors', name), '');
    fs.utimesSync(folder.file('executors', names[3]!), new Date(0), new Date(0));
    const files = new ExecutorFiles(folder.path, () => AT);
    files.remove(files.goneBeside(new Set(['known'])));
    expect(fs.readdirSync(folder.file('executors')).sort()).toEqual([names[0]!, names[2]!, names[4]!].sort());
  });
});
