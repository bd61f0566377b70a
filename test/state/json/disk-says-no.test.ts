/** Where the disk will not say what there is, nothing is taken for absent, dead or done. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileValues, type MadeBy } from '../../../src/values/file-values.ts';
import { recordsOf } from '../../../src/files/segmented-log.ts';
import { StateFile } from '../../../src/state/json/state-file.ts';
import { JsonRig } from '../../support/json-rig.ts';

/** The call fails with this errno as long as `concerns` says so. */
function refuse(
  step: 'accessSync' | 'readFileSync' | 'statSync' | 'fstatSync' | 'writeSync' | 'fsyncSync' | 'linkSync',
  code: string,
  concerns: (first: unknown) => boolean = () => true,
): void {
  const real = fs[step] as (...args: readonly unknown[]) => unknown;
  vi.spyOn(fs, step).mockImplementation((...args: readonly unknown[]) => {
    if (concerns(args[0])) throw Object.assign(new Error(code), { code });
    return real.apply(fs, args as unknown[]);
  });
}

const saying = (file: string, code: string): object => ({
  failure: expect.objectContaining({ reason: 'state-io', file, cause: expect.stringContaining(`(${code})`) }),
});

const madeBy: MadeBy = () => Promise.resolve({ assets: ['audio'], isOver: true });

describe('when the disk says no', () => {
  let rig: JsonRig;

  beforeEach(() => {
    rig = new JsonRig();
  });

  afterEach(() => {
    vi.restoreAllMocks();
    rig[Symbol.dispose]();
  });

  it.each(['EACCES', 'EIO'])('a history whose size cannot be asked for (%s) is said to be so', (code) => {
    const file = rig.folder.file('runs.000001.jsonl');
    fs.writeFileSync(file, '{}\n');
    refuse('fstatSync', code);
    expect(() => [...recordsOf(file)]).toThrow(expect.objectContaining(saying(file, code)));
  });

  it.each(['EACCES', 'EIO'])('a value that cannot be looked for (%s) is not taken for gone', async (code) => {
    const context = { asset: 'audio', partitionKey: 'a' };
    const saving = { ...context, run: { id: 'g-1' } };
    const settled = [{ run: 'g-1', assets: ['audio'], isOver: true }];
    const values = new FileValues(rig.folder.path);
    values.save(saving, 1);
    await values.flush();
    values.settle(settled);
    refuse('readFileSync', code);
    await expect(new FileValues(rig.folder.path).load(context)).rejects.toEqual(
      expect.objectContaining({
        failure: expect.objectContaining({
          // What one file alone may have keeps only who needs it; a disk in trouble stops all.
          reason: code === 'EACCES' ? 'value-damaged' : 'state-io',
          file: rig.folder.file('values', 'audio', 'a.bin'),
          cause: expect.stringContaining(`(${code})`),
        }),
      }),
    );
  });

  it('a value of another kind that cannot be looked for is not left beside the new one unsaid', async () => {
    const context = { asset: 'audio', partitionKey: 'a' };
    const saving = { ...context, run: { id: 'g-1' } };
    const settled = [{ run: 'g-1', assets: ['audio'], isOver: true }];
    const values = new FileValues(rig.folder.path);
    values.save(saving, new Uint8Array([1]));
    await values.flush();
    values.settle(settled);
    values.save(saving, 'text');
    await values.flush();
    const old = rig.folder.file('values', 'audio', 'a.bin');
    refuse('statSync', 'EIO', (file) => file === old);
    expect(() => values.settle(settled)).toThrow(expect.objectContaining(saying(old, 'EIO')));
  });

  it.each(['the next try', 'the next process'])(
    'a value on record that could not be put in place is put there by %s, whatever else is settled before',
    async (who) => {
      const values = new FileValues(rig.folder.path, madeBy);
      values.save({ asset: 'audio', partitionKey: 'a', run: { id: 'g-1' } }, 'made');
      await values.flush();
      let refused = 0;
      refuse('linkSync', 'EIO', () => who !== 'the next try' || refused++ === 0);
      const settle = (assets: readonly string[]): void =>
        values.settle([{ run: 'g-1', assets, isOver: true }]);
      expect(() => settle(['audio'])).toThrow('state-io');
      const file = rig.folder.file('values', 'audio', 'a.json');
      if (who === 'the next try') settle([]);
      else {
        expect(() => settle([])).toThrow('state-io');
        vi.restoreAllMocks();
        const tmp = rig.folder.file('values', '.tmp');
        const [journal] = fs.readdirSync(tmp);
        fs.renameSync(path.join(tmp, journal!), path.join(tmp, `4194999-1-${journal!.split('-')[2]!}`));
        await new FileValues(rig.folder.path, madeBy).recover();
      }
      expect(fs.readFileSync(file, 'utf8')).toBe('"made"\n');
    },
  );

  it('whoever evaluates a sensor is not taken for dead because the claim cannot be looked at', async () => {
    const claim = await rig.store.claimSensor('feed');
    if ('holder' in claim) throw new Error('nobody has it');
    const file = rig.folder.file('.dynpart', 'claims', 'feed.json');
    refuse('statSync', 'EMFILE', (asked) => asked === file);
    await expect(rig.open().claimSensor('feed')).rejects.toMatchObject(saying(file, 'EMFILE'));
    await expect(rig.open().evaluating('feed')).rejects.toMatchObject(saying(file, 'EMFILE'));
    vi.restoreAllMocks();
    expect(await rig.open().evaluating('feed')).not.toBeNull();
    await claim.release();
  });

  it.each([
    ['writeSync', 'ENOSPC'],
    ['fsyncSync', 'EIO'],
  ] as const)('a copy of the state is kept whole or not at all (%s: %s)', (step, code) => {
    const file = new StateFile(rig.folder.file('state.json'), () => undefined);
    const content = Buffer.from('whatever it is \xff', 'latin1');
    fs.writeFileSync(file.path, content);
    const before = rig.folder.content();
    refuse(step, code);
    expect(() => file.keepCopy('before', content)).toThrow(
      expect.objectContaining(saying(`${file.path}.before`, code)),
    );
    vi.restoreAllMocks();
    expect(rig.folder.content()).toEqual(before);
    expect(file.keepCopy('before', content)).toBe(`${file.path}.before`);
    expect(rig.folder.content()).toEqual({ ...before, 'state.json.before': before['state.json'] });
  });
});
