/** Processes for assets that come, go and are waited for at bad moments. Their script stands for the real one, and does what the test needs. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { assetProcesses } from '../../../src/cli/isolation/ready-processes.ts';
import { asset } from '../../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../../src/definitions/partitions.ts';
import { definePipeline } from '../../../src/definitions/pipeline.ts';
import type { Member } from '../../../src/engine/runs/call-together.ts';
import type { Isolated, ProcessRoom } from '../../../src/engine/runs/isolated.ts';
import { Interruption } from '../../../src/engine/user-code/interruption.ts';
import type { Processes, Programs } from '../../../src/engine/user-code/programs.ts';

const pipeline = definePipeline({
  assets: [asset({ name: 'made', partitions: dynamicPartitions('keys'), batch: 2, materialize: () => [] })],
});
const made = pipeline.assets.get('made')!;
const { execPath } = process;

let folder: string;
let isolated: Isolated;
let watched: number[];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-processes-'));
  watched = [];
});
afterEach(async () => {
  process.execPath = execPath;
  await isolated.end();
  fs.rmSync(folder, { recursive: true });
});

/** One process at a time, which does this with each message. */
function open(told: string): void {
  const script = path.join(folder, 'process.cjs');
  fs.writeFileSync(
    script,
    `process.on('disconnect', () => process.exit());
    const tell = (message) => process.send(message);
    process.on('message', (message) => { if (message.type === 'leave') process.exit(); ${told} });`,
  );
  const groups: Processes = {
    haveGroups: true,
    watch: (leader) => {
      watched.push(leader);
      return { leaderEnded: () => undefined, end: () => Promise.resolve() };
    },
    endLeft: () => Promise.resolve({ ended: 0, mayBeLeft: false }),
  };
  isolated = assetProcesses({
    script,
    memoryMb: null,
    groups: { killed: groups, asked: groups },
    pipeline: {} as never,
    state: '',
    values: 'own',
    parent: '',
    limit: 1,
  })('starter');
}

const enter = async (): Promise<ProcessRoom> => (await isolated.enter(made, new Interruption()))!;

const programs = { noteProcess: () => undefined, end: () => Promise.resolve() } as unknown as Programs;

function members(...interrupts: readonly Interruption[]): Member[] {
  const context = {
    pipeline,
    ioManager: {},
    clock: { now: () => 0 },
    emit: () => undefined,
    appendLog: () => undefined,
  } as unknown as Member['attempt']['context'];
  return interrupts.map((interrupt, at) => {
    const carried = { version: null, item: null };
    const attempt = { context, interrupt, programs, attempt: 1, carried, gathered: [] };
    return { task: { id: `g-${at}`, partitionKey: `${at}`, tags: {} }, attempt };
  });
}

const READY = `if (message.type === 'start') tell({ type: 'ready' });`;

it('gives a free process to the next one that waits where the first was interrupted as it was woken', async () => {
  open(READY);
  const room = await enter();
  const interrupt = new Interruption();
  const first = isolated.enter(made, interrupt);
  const next = enter();
  room.leave();
  interrupt.abort();
  expect(await first).toBeNull();
  (await next).leave();
});

it('tells the end of a process that died after it was given out, and before it was told what to do', async () => {
  open(`${READY} if (message.type === 'start') setTimeout(() => process.exit(3), 1);`);
  const room = await enter();
  // There is another one only when all is known of the end of the first.
  const next = enter();
  (await next).leave();
  const { tried } = room.tryAll(made, members(new Interruption()), programs);
  expect(await tried[0]).toMatchObject({ failure: { reason: 'process-exited', code: 3 } });
});

it('starts others where the system has refused to start one, and takes none for the leader of a group', async () => {
  open(READY);
  process.execPath = path.join(folder, 'nothing');
  for (let times = 0; times < 2; times++) {
    const { tried } = (await enter()).tryAll(made, members(new Interruption()), programs);
    expect(await tried[0]).toMatchObject({ failure: { reason: 'process-unusable' } });
  }
  process.execPath = execPath;
  (await enter()).leave();
  expect(watched).not.toContain(0);
});

it('tells a process which of the keys are to be ended also where that was said before it was ready', async () => {
  open(`
    if (message.type === 'start') setTimeout(() => tell({ type: 'ready' }), 100);
    if (message.type === 'try') globalThis.isTrying = true;
    if (message.type !== 'abort' || !globalThis.isTrying) return;
    tell({ type: 'tried', member: message.member, tried: 'interrupted', staged: [] });
    if (message.member === 1) tell({ type: 'over', isLeft: false, memory: 0 });`);
  const [one, other] = [new Interruption(), new Interruption()];
  const { tried } = (await enter()).tryAll(made, members(one, other), programs);
  one.abort();
  expect(await tried[0]).toBe('interrupted');
  other.abort();
  expect(await tried[1]).toBe('interrupted');
});
