/**
 * Many real processes at once on one state in PostgreSQL, which are killed, stopped and let go on, while the server crashes and its lines
 * are cut.
 *
 *     npm run test:hammer-postgres                   five minutes
 *     node test/crash/hammer-postgres.mjs --seconds 30 --lanes 8 --seed 7 --keep
 *
 * What was acknowledged has to be there in the end; each key is made once, with one end and one value on record, and never by two at
 * once: user code holds a link with the name of its key, that says which process it is. Beside it keys are made several in one call and in
 * processes of their own, and one thing is made of all of them: in the end of what they are then. A seed repeats the choices, not the times.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Chance } from './hammer/chance.mjs';
import { KEPT } from './hammer/old.mjs';
import { checkTold } from './hammer/told.mjs';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    lanes: { type: 'string', default: '8' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    keep: { type: 'boolean', default: false },
  },
});
const root = path.resolve(import.meta.dirname, '../..');
const chance = new Chance(Number(flags.seed));

const FATES = { none: 45, kill: 25, stop: 20, both: 10 };
const KINDS = {
  add: 25,
  part: 15,
  out: 5,
  old: 10,
  tick: 20,
  worker: 20,
  materialize: 15,
  status: 10,
  check: 10,
};
/** @param {string} key of a lane */
const partOf = (key) => `p${Number(key.split('-')[1]) % 7}`;
/** @type {Readonly<Record<string, (key: string) => string[]>>} */
const ARGS = {
  add: (key) => ['partitions', 'add', 'items', key],
  // Another version, or a key: what is made of all of them is stale with that commit.
  part: (key) => ['partitions', 'add', 'parts', partOf(key), '--version', key],
  // A rule takes out what is made of it, but for the newest ones.
  old: (key) => ['partitions', 'add', 'old', key],
  out: (key) => ['partitions', 'remove', 'parts', partOf(key)],
  tick: () => ['sensor', 'tick', '--quiet'],
  worker: () => ['worker', '--once', '--summary'],
  materialize: () => ['materialize', 'work', '--missing'],
  status: () => ['status', '--json'],
  check: () => ['state', 'check', '--json'],
};
/** 3: something of the user's failed; 5: the state is out of reach, or somebody else has it. */
const EXPECTED = new Set([0, 3, 5]);
/** 1: a run that the command executed was canceled, as its key was taken out meanwhile. */
const LOST_ITS_KEY = /^canceled: run \S+ for p\d: its partition key was removed \(partitions remove\)$/m;

const PIPELINE = `import fs from 'node:fs';
import { allKeys, asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const here = (name) => new URL(name, import.meta.url);
const startOf = (pid) => {
  try {
    const fields = fs.readFileSync('/proc/' + pid + '/stat', 'latin1').replace(/^.*\\) /, '').split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields[19];
  } catch { return null; }
};
const me = process.pid + '.' + startOf(process.pid);
const note = (...words) => fs.appendFileSync(here('log'), words.join(' ') + '\\n');
const items = dynamicPartitions('items');
/** Holds a link with a name while it works: who finds it held by a process that lives is at work beside it. */
const holding = async (name, run, signal, work) => {
  const lock = here('locks/' + name);
  try { fs.symlinkSync(me, lock); } catch {
    let other = null;
    try { other = fs.readlinkSync(lock); } catch {}
    if (other !== null && startOf(other.split('.')[0]) === other.split('.')[1]) note('two', name, run, me, other);
    fs.rmSync(lock, { force: true });
    try { fs.symlinkSync(me, lock); } catch { note('two', name, run, me, 'somebody'); }
  }
  note('begin', name, run);
  try {
    await new Promise((resolve, reject) => {
      setTimeout(resolve, Math.random() * 200);
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
    return work();
  } finally {
    let holder = null;
    try { holder = fs.readlinkSync(lock); } catch {}
    if (holder === me) fs.rmSync(lock, { force: true });
  }
};
const work = asset({
  name: 'work', partitions: items,
  materialize: ({ partitionKey: key, run, signal }) =>
    holding(key, run.id, signal, () => ({ key, large: Math.random() < 0.1 ? 'x'.repeat(300_000) : '' })),
});
const parts = dynamicPartitions('parts');
const piece = asset({
  name: 'piece', partitions: parts, batch: 3, automate: 'stale',
  async *materialize({ keys, run, signal }) {
    for (const { partitionKey: key, version } of keys)
      yield [key, await holding('piece.' + key, run.id, signal, () => ({ id: Math.random(), version, large: 'x'.repeat(9000) }))];
  },
});
const apart = asset({
  name: 'apart', partitions: parts, inputs: { piece }, automate: 'stale', isolation: 'process', pool: 'narrow',
  materialize: ({ partitionKey: key, run, signal, inputs }) =>
    holding('apart.' + key, run.id, signal, () => ({ from: inputs.piece.id })),
});
const index = asset({
  name: 'index', inputs: { pieces: allKeys(piece, { onMissing: 'skip' }) }, automate: 'stale',
  async materialize({ inputs }) {
    const made = {};
    for await (const [key, { id }] of inputs.pieces) made[key] = id;
    return made;
  },
});
const old = dynamicPartitions('old', { retain: { keepLast: ${KEPT}, purge: true, maxRemove: '100%' } });
const aged = asset({ name: 'aged', partitions: old, automate: 'missing', materialize: () => ({ large: 'x'.repeat(9000) }) });
// It fails now and then, and somebody is told of it; in the end it is calm.
const moody = sensor({
  name: 'moody',
  evaluate() {
    if (!fs.existsSync(here('calm')) && Math.random() < 0.4) throw new Error('not now');
    return { skipReason: 'nothing to find' };
  },
});
const tell = ({ incidents }) => {
  for (const { asset, sensor, code, occasion } of incidents)
    fs.appendFileSync(here('told.txt'), [Date.now(), asset ?? sensor, code, occasion].join(' ') + '\\n');
};
const feed = sensor({
  name: 'feed', assets: [work],
  async evaluate({ partitions }) {
    const keys = await partitions(items).missing(fs.readFileSync(here('feed'), 'utf8').split('\\n').filter(Boolean));
    return { dynamicPartitionsRequests: [items.buildAddRequest(keys)], runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })) };
  },
});
export default definePipeline({
  assets: [work, piece, apart, index, aged], sensors: [feed, moody], concurrency: 6,
  notify: [{ name: 'told', on: ['sensor-failed', 'run-failed', 'recovered'], send: tell }], pools: { narrow: { limit: 1 } }, processes: { limit: 1 },
});
`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-hammer-'));
const cluster = await PostgresCluster.start();
const env = { ...process.env, DYNPART_STATE: `${cluster.url('hammer')}&lease=10`, NO_COLOR: '1' };
/** @type {string[]} */
const problems = [];
/** @type {Set<string>} */
const owed = new Set();
/** @type {Set<string>} */
const old = new Set();
const counts = {
  started: 0,
  ended: 0,
  killed: 0,
  stopped: 0,
  'server crashes': 0,
  'lines cut': 0,
  refused: 0,
  messages: 0,
};
/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {readonly string[]} args
 * @param {keyof typeof FATES} [fate]
 * @returns {Promise<{ code: number | null, said: string, out: string }>}
 */
async function command(args, fate = 'none') {
  counts.started++;
  const child = spawn(process.execPath, [path.join(root, 'bin/dynpart.cjs'), ...args], { cwd: folder, env });
  let said = '';
  let out = '';
  child.stdout.on('data', (data) => {
    said += data;
    out += data;
  });
  child.stderr.on('data', (data) => (said += data));
  /** @type {Promise<number | null>} */
  const ended = new Promise((resolve) => child.on('close', resolve));
  if (fate !== 'none') {
    await Promise.race([ended, sleep(chance.time(150, 4000))]);
    if (child.exitCode === null && fate !== 'kill') {
      counts.stopped++;
      child.kill('SIGSTOP');
      await sleep(chance.time(100, 3000));
      child.kill('SIGCONT');
      await sleep(chance.time(1, 300));
    }
    if (child.exitCode === null && fate !== 'stop' && child.kill('SIGKILL')) counts.killed++;
  }
  const code = await ended;
  if (code !== null) counts.ended++;
  return { code, said, out };
}

/** @param {number} lane @param {number} until */
async function hammer(lane, until) {
  for (let number = 0; Date.now() < until; number++) {
    const kind = chance.weighed(KINDS);
    const key = `${lane}-${number}`;
    if (kind === 'tick') {
      fs.appendFileSync(path.join(folder, 'feed'), `f${key}\n`);
      owed.add(`f${key}`);
    }
    const { code, said } = await command(ARGS[kind]?.(key) ?? [], chance.weighed(FATES));
    if (code === 0 && kind === 'add') owed.add(key);
    if (code === 0 && kind === 'old') old.add(key);
    if (code !== null && code !== 0) counts.refused++;
    const lostKeys = code === 1 && LOST_ITS_KEY.test(said) && !/\b(error|failed|blocked|stuck)\b/.test(said);
    if (code !== null && !EXPECTED.has(code) && !lostKeys)
      problems.push(`${kind} ended with ${code}: ${said.slice(-2000)}`);
  }
}

/** @param {number} until */
async function trouble(until) {
  while (Date.now() < until - 2000) {
    await sleep(chance.time(500, 4000));
    if (chance.is(0.3)) {
      counts['server crashes']++;
      cluster.restart('restart');
    } else {
      counts['lines cut']++;
      await asked(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'dynpart%'`,
      );
    }
  }
}

/** @param {string} sql @returns {Promise<any[]>} */
async function asked(sql) {
  const client = new Client({ connectionString: cluster.url('x').replace(/\?.*/, '') });
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}

/** @param {string} name */
const setOf = (name) => `(select id from hammer.key_set where name = '${name}')`;

/** @param {readonly string[]} what */
async function valueOf(...what) {
  const { code, out } = await command(['value', 'show', ...what]);
  return code === 0 ? JSON.parse(out) : null;
}

/** Of each part there is what was made of its version, and in what is made of all of them is what they are now. */
async function checkMany() {
  const parts = await asked(
    `select key, version from hammer.key where set_id = ${setOf('parts')} order by pos`,
  );
  /** @type {Record<string, number>} */
  const ids = {};
  for (const { key, version } of parts) {
    const piece = await valueOf('piece', '--key', key);
    const apart = await valueOf('apart', '--key', key);
    ids[key] = piece?.id;
    if (piece?.version !== version)
      problems.push(`piece of ${key} was made of ${piece?.version}, it has ${version}`);
    if (apart?.from !== piece?.id) problems.push(`apart of ${key} was made of another piece than there is`);
  }
  const index = await valueOf('index');
  if (JSON.stringify(index) !== JSON.stringify(ids))
    problems.push(`index was made of ${JSON.stringify(index)}, and there is ${JSON.stringify(ids)}`);
}

/** Of what a rule took out nothing is left, and it stays away. */
async function checkOld() {
  const keysIn = async (/** @type {string} */ table) =>
    (await asked(`select key from hammer.${table} where set_id = ${setOf('old')}`)).map(({ key }) =>
      String(key),
    );
  const [there, out] = [await keysIn('key'), await keysIn('kept_out')];
  if (there.length > KEPT) problems.push(`${there.length} old keys are left, ${KEPT} are to stay`);
  for (const key of old)
    if (there.includes(key) === out.includes(key))
      problems.push(`old key ${key} is lost, or there and kept out`);
  const values = await asked(`select key from hammer.value where asset = 'aged'`);
  const [have, due] = [values.map(({ key }) => String(key)), there].map((keys) => keys.sort().join());
  if (have !== due) problems.push(`there are values of old keys ${have}, and keys ${due}`);
  if (old.size > KEPT && out.length === 0) problems.push('no rule took out anything');
}

/** Each thing was told at least once, nothing twice within a minute, and nothing that is not on record. */
async function checkMessages() {
  const [{ incidents }] = await asked('select incidents from hammer.meta');
  const field = {
    project: folder,
    prefix: '',
    count: (/** @type {string} */ _, /** @type {number} */ by) => (counts.messages = by),
  };
  problems.push(
    ...checkTold(/** @type {any} */ (field), /** @type {any} */ ({ incidents: incidents ?? undefined })),
  );
  const failed = new Set(
    (
      await asked(`select distinct sensor as name from hammer.tick where status = 'FAILURE'
      union select unnest(assets) from hammer.history where status = 'FAILURE'`)
    ).map(({ name }) => String(name)),
  );
  const file = path.join(folder, 'told.txt');
  for (const line of fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').slice(0, -1) : [])
    if (!failed.has(line.split(' ')[1] ?? '')) problems.push(`told, and not on record: ${line}`);
  if (failed.has('moody') && !fs.existsSync(file)) problems.push('a sensor failed, and nobody was told');
}

try {
  fs.mkdirSync(path.join(folder, 'locks'));
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(root, path.join(folder, 'node_modules/dynpart'));
  fs.writeFileSync(path.join(folder, 'pipeline.ts'), PIPELINE);
  fs.writeFileSync(path.join(folder, 'log'), '');
  fs.writeFileSync(path.join(folder, 'feed'), '');
  const migrated = await command(['state', 'migrate']);
  if (migrated.code !== 0) throw new Error(migrated.said);
  const until = Date.now() + Number(flags.seconds) * 1000;
  const lanes = Array.from({ length: Number(flags.lanes) }, (_, lane) => hammer(lane, until));
  await Promise.all([...lanes, trouble(until)]);
  fs.writeFileSync(path.join(folder, 'calm'), '');
  // What was left is made by whoever comes next.
  for (let round = 0; ; round++) {
    for (const args of [ARGS['tick'], ARGS['worker'], ARGS['materialize']]) {
      const { code, said } = await command(args?.('') ?? []);
      if (code !== 0 && code !== 3)
        problems.push(`at the end: ${args?.('').join(' ')} ended with ${code}: ${said.slice(-2000)}`);
    }
    const [left] = await asked(
      `select (select count(*) from hammer.run)::int as runs,
        (select count(*) from hammer.key k where (select count(*) from hammer.status s where s.key = k.key and s.letter = 'm') <
          case when set_id = ${setOf('parts')} then 2 else 1 end)::int as missing,
        (exists (select from hammer.key where set_id = ${setOf('parts')}) and not exists (select from hammer.value where asset = 'index')) as unmade,
        (select count(*) from hammer.status where letter <> 'm')::int as stale`,
    );
    if (left.runs === 0 && left.missing === 0 && left.stale === 0 && !left.unmade) break;
    if (round === 8) {
      problems.push(`something never ends: ${JSON.stringify(left)}`);
      break;
    }
    await sleep(2000);
  }
  const { code, said } = await command(['state', 'check']);
  if (code !== 0) problems.push(`state check: ${said}`);
  const keys = new Set(
    (await asked(`select key from hammer.key where set_id = ${setOf('items')}`)).map(({ key }) =>
      String(key),
    ),
  );
  for (const key of owed) if (!keys.has(key)) problems.push(`key ${key} was acknowledged and is not there`);
  const ends = await asked(
    `select k.key, count(h.id)::int as n, min(h.id) as id, min(v.run) as run from hammer.key k
      left join hammer.history h on h.key = k.key and h.status = 'SUCCESS' left join hammer.value v on v.key = k.key where k.set_id = ${setOf('items')} group by k.key`,
  );
  for (const { key, n, id, run } of ends)
    if (n !== 1 || id !== run)
      problems.push(`key ${key} has ${n} successful runs (${id}), and a value of ${run}`);
  await checkMany();
  await checkOld();
  await checkMessages();
  const [{ staged }] = await asked(`select count(*)::int as staged from hammer.staged`);
  if (staged > 0) problems.push(`${staged} values are staged for nobody`);
  const log = fs.readFileSync(path.join(folder, 'log'), 'utf8').split('\n');
  problems.push(...log.filter((line) => line.startsWith('two ')));
  const executions = log.filter((line) => line.startsWith('begin ')).length;
  console.log(`seed ${flags.seed}, ${flags.seconds} s, ${flags.lanes} lanes, ${folder}`);
  console.log(
    Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(', '),
  );
  console.log(`${keys.size} keys, ${executions} executions`);
} finally {
  cluster[Symbol.dispose]();
}
for (const problem of problems.slice(0, 20)) console.log(`PROBLEM ${problem}`);
console.log(
  problems.length === 0 ? 'nothing lost, nothing twice' : `${problems.length} problems, seed ${flags.seed}`,
);
if (problems.length === 0 && !flags.keep) fs.rmSync(folder, { recursive: true });
process.exitCode = problems.length === 0 ? 0 : 1;
