/** pg-boss by itself, as its documentation has it for jobs whose worker may die: `boss-worker.mjs prepare|queue|work COUNT NOTES`. */
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , role, size, notes = ''] = process.argv;
const count = Number(size);
const { PgBoss } = createRequire(path.join(process.env['DYNPART_BENCH_BOSS'] ?? '', 'index.js'))('pg-boss');
const QUEUE = 'items';
/** As many as each of two dynpart workers has at once. */
const AT_ONCE = 4;

const boss = new PgBoss({
  connectionString: process.env['DYNPART_BENCH_SERVER'],
  migrate: role === 'prepare',
  supervise: role === 'work',
  superviseIntervalSeconds: 1,
  schedule: false,
});
boss.on('error', () => undefined);
await boss.start();

/** @param {string} what @param {string} key */
const note = (what, key) => appendFileSync(notes, `${what} ${key} ${process.pid}\n`);

if (role === 'prepare')
  await boss.createQueue(QUEUE, { policy: 'singleton', retryLimit: 2, heartbeatSeconds: 10 });
if (role === 'queue')
  await boss.insert(
    QUEUE,
    Array.from({ length: count }, (_, at) => ({
      singletonKey: `key-${at + 1}`,
      data: { key: `key-${at + 1}` },
    })),
  );
if (role === 'work') {
  /** @returns {Promise<boolean>} whether there was anything */
  const takeOne = async () => {
    const [job] = await boss.fetch(QUEUE, { batchSize: 1 });
    if (job === undefined) return false;
    note('begun', job.data.key);
    await sleep(20);
    note('made', job.data.key);
    await boss.complete(QUEUE, job.id);
    return true;
  };
  let isOver = false;
  process.on('SIGTERM', () => (isOver = true));
  const lane = async () => {
    while (!isOver) if (!(await takeOne())) await sleep(200);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
await boss.stop({ graceful: false });
