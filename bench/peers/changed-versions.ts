/**
 * Milliseconds that automation takes to plan what 1,000 keys with another version need, and to commit it, again and again in one
 * process. Arguments: `memory` or `file`, and how often.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadProcessGroups } from '../../src/cli/isolation/load-process-groups.ts';
import { systemClock } from '../../src/cli/system-clock.ts';
import { runAutomation } from '../../src/engine/sensors/run-automation.ts';
import { asset, definePipeline, dynamicPartitions } from '../../src/index.ts';
import { knownOf } from '../../src/loader/known-pipeline.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import type { StateChange } from '../../src/state/changes.ts';
import { JsonFileStore } from '../../src/state/json/json-file-store.ts';
import { MemoryStore } from '../../src/state/memory/memory-store.ts';
import type { StateStore } from '../../src/state/store.ts';

const [place = 'memory', rounds = '20'] = process.argv.slice(2);
const keys = Array.from({ length: 1000 }, (_, at) => `key-${String(at).padStart(5, '0')}`);
const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: () => undefined });
const notes = asset({
  name: 'notes',
  partitions: items,
  deps: [record],
  automate: 'stale',
  materialize: () => undefined,
});
const pipeline = definePipeline({ assets: [record, notes] });
const known = knownOf(pipeline, '/pipeline.ts', '');

/** One state, in which all is made, and then every key gets another version. */
async function measured(store: StateStore): Promise<number> {
  const at = new Date().toISOString();
  const carried = (version: string) => keys.map(() => ({ version, item: null }));
  const commit = (...changes: readonly StateChange[]) =>
    store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));
  await commit(
    { type: 'pipeline-known', pipeline: known, at },
    { type: 'keys-added', set: 'items', keys, at, carried: carried('1') },
    { type: 'keys-marked', asset: 'record', set: 'items', keys, as: 'materialized', at },
    { type: 'keys-marked', asset: 'notes', set: 'items', keys, as: 'materialized', at },
  );
  await commit({ type: 'keys-updated', set: 'items', keys, carried: carried('2') });
  const began = performance.now();
  const { tick } = await runAutomation({
    store,
    pipeline,
    known,
    evaluate: () => Promise.reject(new Error('automation evaluates nothing')),
    clock: systemClock,
    emit: () => undefined,
    interrupt: new AbortController().signal,
    concurrency: 1,
    processes: loadProcessGroups,
    values: null,
    executor: null,
    ifBusy: 'skip',
    waitTimeoutMs: 0,
    listsAllRuns: false,
  });
  const took = performance.now() - began;
  const queued = (await store.read(EVERYTHING)).runs().reduce((sum, { count }) => sum + count, 0);
  if (tick.status !== 'SUCCESS' || queued !== keys.length) throw new Error(`${queued} runs were queued`);
  return took;
}

const warn = (message: string): void => void process.stderr.write(`${message}\n`);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'changed-versions-'));
const ms: number[] = [];
for (let round = 0; round < Number(rounds); round++) {
  const file = path.join(folder, String(round), 'state.json');
  fs.mkdirSync(path.dirname(file));
  ms.push(
    await measured(
      place === 'file'
        ? new JsonFileStore({ file, clock: systemClock, version: 'bench', warn })
        : new MemoryStore(systemClock),
    ),
  );
}
fs.rmSync(folder, { recursive: true });
process.stdout.write(`${JSON.stringify(ms)}\n`);
