import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { StagedValues } from '../../src/values/staged-values.ts';
import { writeStaged } from '../../src/values/write-staged.ts';
import { TemporaryFolder } from '../support/json-rig.ts';

describe('settling many values', () => {
  it('looks at each of them a few times, however many they are', () => {
    const values = new StagedValues();
    const count = 1000;
    let looks = 0;
    for (let n = 0; n < count; n++)
      values.add({
        run: `g-${n}`,
        asset: 'audio',
        key: `k${n}`,
        get file() {
          looks++;
          return `/values/audio/k${n}.json`;
        },
      });
    const runs = Array.from({ length: count }, (_, n) => ({
      run: `g-${n}`,
      assets: ['audio'],
      isOver: true,
    }));
    looks = 0;
    let settled = 0;
    values.settle(runs, (recorded) => (settled = recorded.length));
    expect(settled).toBe(count);
    expect(looks).toBeLessThan(10 * count);
  });

  it('keeps the later one of a place, where two runs have settled it', () => {
    using folder = new TemporaryFolder();
    const file = path.join(folder.path, 'k.json');
    const staged = ['g-1', 'g-2'].map((run) => ({ run, asset: 'audio', key: 'k', file }));
    const values = new StagedValues();
    for (const one of staged) {
      fs.writeFileSync(`${file}~${one.run}`, '');
      values.add(one);
    }
    const runs = staged.map(({ run }) => ({ run, assets: ['audio'], isOver: true }));
    let settled: readonly unknown[] = [];
    values.settle(runs, (recorded) => (settled = recorded));
    expect(settled).toEqual([staged[1]]);
    expect(fs.readdirSync(folder.path)).toEqual(['k.json~g-2']);
  });

  it('leaves alone what another process has staged for the same run since', () => {
    using folder = new TemporaryFolder();
    const file = path.join(folder.path, 'k.json');
    const stage = (text: string) => ({
      run: 'g-1',
      asset: 'audio',
      key: 'k',
      file,
      mark: writeStaged(`${file}~g-1`, path.join(folder.path, 'k'), text),
    });
    const mine = new StagedValues();
    mine.add(stage('mine'));
    const theirs = new StagedValues();
    theirs.add(stage('theirs'));
    const given = [{ run: 'g-1', assets: [], isOver: true }];
    mine.settle(given, () => undefined);
    expect(fs.readFileSync(`${file}~g-1`, 'utf8')).toBe('theirs');
    theirs.settle(given, () => undefined);
    expect(fs.readdirSync(folder.path)).toEqual([]);
  });
});
