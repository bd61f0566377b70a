/** A run that another process executes: its values are put in place by the process that commits. */
import { type ChildProcess, fork } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import type { ExecuteRun, ExecutionContext } from '../../../src/engine/runs/execute-run.ts';
import { FileValues } from '../../../src/values/file-values.ts';
import { EngineRig } from '../../support/engine-rig.ts';
import { type ElsewhereMessage, pipeline, type TaskMessage } from '../../support/executes-elsewhere.ts';
import { TemporaryFolder } from '../../support/json-rig.ts';
import { keysAdded, queuedRuns } from '../../support/builders.ts';

describe('a run that another process executes', () => {
  const built = new TemporaryFolder();
  let script: string;
  let folder: TemporaryFolder;
  let values: FileValues;
  let rig: EngineRig;
  let children: ChildProcess[];
  /** What happens between the death of that process and the end of the run here. */
  let meanwhile: () => Promise<void>;

  beforeAll(async () => {
    const input = path.join(import.meta.dirname, '..', '..', 'support', 'executes-elsewhere.ts');
    const bundle = await rolldown({ input, platform: 'node' });
    await bundle.write({ file: built.file('elsewhere.mjs'), codeSplitting: false });
    script = built.file('elsewhere.mjs');
  });

  afterAll(() => built[Symbol.dispose]());

  beforeEach(() => {
    folder = new TemporaryFolder();
    values = new FileValues(folder.path);
    rig = new EngineRig(pipeline);
    children = [];
    meanwhile = () => Promise.resolve();
  });

  afterEach(() => folder[Symbol.dispose]());

  /** Each run in a process of its own. */
  const executeElsewhere =
    (context: ExecutionContext): ExecuteRun =>
    (task) =>
      new Promise((resolve, reject) => {
        const child = fork(script);
        children.push(child);
        child.on('error', reject);
        child.on('message', (message: ElsewhereMessage) => {
          if (message.type === 'made') context.made(task.id, message.made);
          // It is dead by then: nothing that it keeps in memory helps anybody.
          else child.once('exit', () => void meanwhile().then(() => resolve(message.ending)));
        });
        child.send({ task, folder: folder.path } satisfies TaskMessage);
      });

  const execute = async (key: string, assets = ['audio', 'transcript']): Promise<void> => {
    const runs = queuedRuns({ keys: [key], assets });
    await rig.commit(keysAdded('letters', [key]), { type: 'runs-queued', runs, owner: null });
    const session = rig.session({ ioManager: values, execute: executeElsewhere });
    await session.takeUp(
      () => true,
      () => true,
    );
    await session.execute();
  };

  const files = (): string[] =>
    fs
      .readdirSync(folder.file('values'), { recursive: true, encoding: 'utf8' })
      .filter((name) => fs.statSync(folder.file('values', name)).isFile())
      .sort();

  it('has its values in place when its end is on record, though that process is dead', async () => {
    await execute('a');
    expect(rig.of('run-finished')).toMatchObject([{ run: { status: 'SUCCESS' } }]);
    expect(children.map(({ signalCode }) => signalCode)).toEqual(['SIGKILL']);
    const text = `audio of a, by ${children[0]!.pid}`;
    expect(await new FileValues(folder.path).load({ asset: 'audio', partitionKey: 'a' })).toBe(text);
    const words = await new FileValues(folder.path).load({ asset: 'transcript', partitionKey: 'a' });
    expect(new TextDecoder().decode(words as Uint8Array)).toBe(`words of ${text}`);
    expect(files().filter((name) => !name.startsWith('.tmp'))).toEqual(['audio/a.json', 'transcript/a.bin']);
  });

  it('leaves the value of an asset that was made before the next one failed', async () => {
    await execute('bad');
    expect(rig.of('run-finished')).toMatchObject([
      { run: { status: 'FAILURE', assets: [{ status: 'SUCCESS' }, { status: 'FAILURE' }] } },
    ]);
    expect(files().filter((name) => !name.startsWith('.tmp'))).toEqual(['audio/bad.json']);
  });

  it('leaves nothing of what does not count: the run was canceled meanwhile', async () => {
    meanwhile = () => rig.commit({ type: 'runs-canceling', ids: ['g-1'] });
    await execute('a', ['audio']);
    expect(rig.of('run-finished')).toMatchObject([{ run: { status: 'CANCELED' }, canceledByOthers: true }]);
    expect(files().filter((name) => !name.startsWith('.tmp'))).toEqual([]);
  });
});
