/** Changes of a folder are told as they happen, also of one that comes into being later. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { watchFolder } from '../../src/files/watch-folder.ts';
import { Recorder } from '../support/engine-rig.ts';

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-watch-'))));
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

it('tells of the names that are asked for, and of no others', async () => {
  const told = new Recorder<number>();
  const stop = watchFolder(
    folder,
    (name) => name.startsWith('state.'),
    () => told.add(1),
  );
  fs.writeFileSync(path.join(folder, 'other'), '');
  expect(told.all).toEqual([]);
  fs.writeFileSync(path.join(folder, 'state.1'), '');
  await told.count(1);
  stop();
});

it('waits for a folder that is not there yet', async () => {
  const told = new Recorder<number>();
  const inner = path.join(folder, 'inner');
  const stop = watchFolder(
    inner,
    () => true,
    () => told.add(1),
  );
  fs.mkdirSync(inner);
  const writing = setInterval(() => fs.writeFileSync(path.join(inner, `f${Date.now()}`), ''), 50);
  await told.count(1);
  clearInterval(writing);
  stop();
});

it.runIf(process.platform === 'linux')(
  'looks each second where the system may not tell, and leaves it at that where it does',
  async () => {
    const [told, toldOfProcesses] = [new Recorder<number>(), new Recorder<number>()];
    const stops = [
      watchFolder(
        folder,
        () => true,
        () => told.add(1),
      ),
      // As on a network: what changes there is not told.
      watchFolder(
        '/proc/self',
        () => true,
        () => toldOfProcesses.add(1),
      ),
    ];
    await toldOfProcesses.count(2);
    expect(told.all).toEqual([]);
    stops.forEach((stop) => stop());
  },
);
