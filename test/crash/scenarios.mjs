/** What the crash sweep disturbs: a pipeline, and for each scenario how its state came about and the command under test. */
import fs from 'node:fs';
import path from 'node:path';

export const PIPELINE = `
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { allKeys, asset, definePipeline, dynamicPartitions, sensor, skip, toCommand, warn } from 'dynpart';
const { ITEMS = '', ATTACH, LIMIT, HEARTBEAT, PROGRESS, LATER, TOGETHER, ISOLATED } = process.env;
// Keys of which automation asks for what is made, and asks again where it failed.
const isAutomated = ITEMS.includes('auto');
// What somebody is told is added to a file, with the time: later on, that is another time.
const isTold = ITEMS.includes('told');
if (LATER !== undefined) {
  const realNow = Date.now;
  Date.now = () => realNow() + Number(LATER) * 1000;
}
const told = 'echo at $(( $(date +%s) + ' + (LATER ?? 0) + ' )) >> told.txt; cat >> told.txt';
// Something is made of all keys together.
const isGathered = ITEMS.includes('gather');
// Older keys go, with their values.
const isRetained = ITEMS.includes('retain');
const items = dynamicPartitions('items', isRetained ? { retain: { keepLast: 1, purge: true, maxRemove: '100%' } } : {});
const others = dynamicPartitions('others');

// Signs of life come every 30 seconds: no sweep waits for that.
const realInterval = setInterval;
if (HEARTBEAT !== undefined)
  globalThis.setInterval = (call, ms, ...rest) => realInterval(call, Math.min(ms, 40), ...rest);
const untilOneWasShown = () => (HEARTBEAT === undefined ? null : new Promise((done) => setTimeout(done, 150)));

// What a run has made on its way is recorded a second later: that has passed as soon as its second asset begins.
const realTime = process.hrtime;
const untilItIsRecorded = async () => {
  if (PROGRESS === undefined) return;
  process.hrtime = Object.assign(() => realTime().map((part, at) => (at === 0 ? part + 2 : part)), realTime);
  await new Promise((done) => setTimeout(done, 300));
};

// No file may grow beyond so many bytes from here on.
const limit = (asset) => {
  const [from, bytes] = (LIMIT ?? '').split(':');
  if (from === asset) spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':unlimited']);
};

// strace counts calls for each thread by itself, and the first thread comes to every number first: so it is put on
// the one thread of libuv's pool alone.
let attached = ATTACH === undefined;
const attach = async () => {
  if (attached) return;
  attached = true;
  const { said, options } = JSON.parse(ATTACH);
  const [, , thread] = (await fs.promises.readlink('/proc/thread-self')).split('/');
  spawn('strace', [...options, '-p', thread], { stdio: ['ignore', 'ignore', fs.openSync(said, 'w')] }).unref();
  while (fs.readFileSync(said, 'utf8') === '') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
};

const first = asset({
  name: 'first',
  partitions: items,
  freshFor: { warn: '1d', fail: '2d' },
  checks: { good: ({ value }) => (value.key === null ? 'it is bad' : warn('it is long')) },
  ...(isAutomated && { automate: 'missing', retry: { maxRetries: 0, later: ['1h', '2h'] } }),
  ...(ISOLATED && { isolation: 'process' }),
  async materialize({ partitionKey, version, item, log }) {
    await attach();
    limit('first');
    log.info('making ' + partitionKey);
    await untilOneWasShown();
    if (partitionKey.includes('bad')) return { key: null };
    if (version === 'gone') return skip('there is nothing any more');
    return { key: partitionKey, text: 'x'.repeat(3000), ...(version !== null && { version, item }) };
  },
});
const second = asset({
  name: 'second',
  partitions: items,
  inputs: { first },
  ...(isAutomated && { automate: 'missing' }),
  async materialize({ inputs, version }) {
    limit('second');
    await untilItIsRecorded();
    return version === null ? inputs.first.key + '!' : { version, of: inputs.first.version };
  },
  // The same, of several keys in one call.
  ...(TOGETHER && {
    batch: 3,
    async *materialize({ keys }) {
      for (const { partitionKey, inputs } of keys) yield [partitionKey, inputs.first.key + '!'];
    },
  }),
});
const other = asset({ name: 'other', partitions: others, materialize: ({ partitionKey }) => partitionKey });
const rank = asset({
  name: 'rank',
  partitions: items,
  inputs: { all: allKeys(second, { onMissing: 'skip' }) },
  automate: 'stale',
  async materialize({ inputs, partitionKey }) {
    const all = [];
    for await (const [key, value] of inputs.all) all.push(key + '=' + value);
    return { key: partitionKey, all };
  },
});
const source = sensor({
  name: 'source',
  assets: [first, second],
  expectNewKeysEvery: '7d',
  async evaluate({ partitions }) {
    await untilOneWasShown();
    const listed = ITEMS.split(',').filter((item) => !['', 'retain', 'gather'].includes(item));
    if (listed.includes('throw')) throw new Error('the source is down');
    if (ITEMS.includes('=')) {
      const versioned = listed.map((text) => text.split('='));
      const seen = versioned.map(([key, version]) => ({ key, version, item: { of: key, note: 'é' + version } }));
      const changed = await partitions(items).changed(seen);
      return {
        cursor: ITEMS,
        dynamicPartitionsRequests: [items.buildAddRequest(changed)],
        runRequests: changed.map(({ key, version }) => ({ partitionKey: key, runKey: key + '=' + version })),
      };
    }
    const fresh = await partitions(items).missing(listed);
    return {
      cursor: String(listed.length),
      dynamicPartitionsRequests: [items.buildAddRequest(fresh)],
      runRequests: isAutomated ? [] : fresh.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({
  assets: [first, second, other, ...(isGathered ? [rank] : [])],
  sensors: [source],
  ...(isTold && { notify: [{ on: ['run-failed', 'sensor-failed', 'recovered'], send: toCommand('sh', ['-c', told]) }] }),
});
`;

const many = (/** @type {string} */ name, /** @type {number} */ size) =>
  Array.from({ length: size }, (_, at) => `${name}-${String(at).padStart(5, '0')}-${'k'.repeat(60)}`);

/** What dynpart 0.1 left, but for its statuses: the values are not there. */
export const SCHEMA_1 = `${JSON.stringify({
  ...JSON.parse(fs.readFileSync(path.join(import.meta.dirname, '../fixtures/state-schema-1.json'), 'utf8')),
  assets: {},
})}\n`;

/** No test comes to be run later than that, and no process has shown itself since the other one. */
const ALIVE = '2099-01-01T00:00:00.000Z';
export const DEAD = '2000-01-01T00:00:00.000Z';

const exported = ['', 'state', 'export', 'copy.json'];
const restored = [['a', 'sensor', 'tick'], exported, ['a,b,c', 'sensor', 'tick', '--no-run']];

/**
 * `start`: commands, each behind its items; `killed`: one more, and the call at which it is killed; `mangled`: the state
 * file is cut then; `state`: the text of a state file to begin with. `command`: the one under test, which may be repeated; `codes`: what it may end with, undisturbed;
 * `isLong`: it is cut in parts where there are lanes for them; `changesOnly`: what it reads is read in other scenarios, too, and not refused here once more.
 * The longest ones come first, so that the lanes end together.
 */
/**
 * @typedef {object} Scenario
 * @property {readonly (readonly string[])[]} start commands that make the state: the items, and then the arguments
 * @property {string} items of the command under test
 * @property {readonly string[]} command `RUN` stands for the id of the first run
 * @property {readonly number[]} [codes] that the command may end with; without it 0 alone
 * @property {{ items: string, command: readonly string[], at: RegExp }} [killed] a command that is killed at this call before
 * @property {string} [owner] the one that was killed was on another machine, and gave its last sign of life then
 * @property {readonly (readonly string[])[]} [meanwhile] commands while it is taken for alive; without it the command under test alone is given then
 * @property {RegExp} [shows] what is on record in the end
 * @property {string} [state] the state file, as it is put there
 * @property {boolean} [mangled] the state file is cut
 * @property {boolean} [isLong]
 * @property {boolean} [changesOnly] faults hit only calls that change something
 * @property {boolean} [reads] the command changes nothing
 * @property {boolean} [repeats] each repetition does the work anew
 * @property {boolean} [raisesVersion] each repetition raises a sensor's version
 * @property {boolean} [isLoose] no two runs make their calls in the same order
 * @property {'pool' | 'any'} [thread] whose calls are meant, if not those of the main thread
 * @property {readonly string[]} [only] calls with these names
 * @property {readonly string[]} [tidy] the command that tidies
 * @property {Readonly<Record<string, string>>} [env]
 * @property {readonly RegExp[]} [leftToNext] calls of the last step of a commit that was cut: what is refused there, the next commit does, and nobody is told
 * @property {readonly RegExp[]} [tells] what somebody is told of it, each at least once, and no two things within a minute
 */

/** @type {Readonly<Record<string, Scenario>>} */
export const SCENARIOS = {
  tick: { isLong: true, start: [['a', 'sensor', 'tick']], items: 'a,b,c', command: ['sensor', 'tick'] },
  // Four runs, eight values: one more, and another thread would sync them.
  worker: {
    isLong: true,
    start: [
      ['a', 'sensor', 'tick'],
      ['a,b,c,d,e', 'sensor', 'tick', '--no-run'],
    ],
    items: '',
    command: ['worker', '--once'],
  },
  materialize: {
    isLong: true,
    start: [
      ['a', 'sensor', 'tick'],
      ['', 'partitions', 'add', 'items', 'b', 'c'],
    ],
    items: '',
    command: ['materialize', 'first', 'second', '--missing'],
  },
  'first-tick': { isLong: true, start: [], items: 'a', command: ['sensor', 'tick'] },
  // The way back itself: a tick that was killed when its commit was published and not yet in place …
  recover: {
    isLong: true,
    start: [['a', 'sensor', 'tick']],
    killed: { items: 'a,b', command: ['sensor', 'tick'], at: /^rename\(.*\/state\.json"\)/ },
    items: 'a,b',
    command: ['sensor', 'tick'],
    leftToNext: [
      /^link#\d+ link \.dynpart\/\.state\.json\.\d+ \.dynpart\/\.state\.json\.tmp\./,
      /^fsync#1 fsync \.dynpart$/,
    ],
  },
  // … and one that was killed when a run's end was in the history and not yet in the state.
  'recover-late': {
    isLong: true,
    start: [['a', 'sensor', 'tick']],
    killed: { items: 'a,b', command: ['sensor', 'tick'], at: /^fsync\(.*runs\.000001\.jsonl>\)/ },
    items: 'a,b',
    command: ['sensor', 'tick'],
  },
  // A tick that brings a key and another version of one that is there: what is made of both carries what they carry.
  carried: {
    changesOnly: true,
    start: [['a=1,b=1', 'sensor', 'tick']],
    items: 'a=1,b=2,c=1',
    command: ['sensor', 'tick'],
  },
  // A key of which there is nothing any more: what was made of it goes with the record of that.
  skipped: {
    changesOnly: true,
    start: [['a=1,b=1', 'sensor', 'tick']],
    items: 'a=1,b=gone',
    command: ['sensor', 'tick'],
  },
  // A run that has its first asset on record before it ends.
  progress: {
    changesOnly: true,
    start: [['a', 'sensor', 'tick']],
    items: 'a,b',
    command: ['sensor', 'tick'],
    env: { PROGRESS: '1' },
  },
  // Several keys in one call: each is recorded by itself.
  together: {
    changesOnly: true,
    start: [['a', 'sensor', 'tick']],
    items: 'a,b,c',
    command: ['sensor', 'tick'],
    env: { TOGETHER: '1' },
  },
  // A process of its own stages the values, which this one takes on.
  isolated: {
    changesOnly: true,
    isLoose: true,
    start: [['a', 'sensor', 'tick']],
    items: 'a,b',
    command: ['sensor', 'tick'],
    env: { ISOLATED: '1' },
  },
  'failing-run': {
    changesOnly: true,
    start: [['a', 'sensor', 'tick']],
    items: 'a,bad',
    command: ['sensor', 'tick'],
    codes: [1, 0],
  },
  // A failed key that automation tries again: how often it has failed, and when, is on record with its failure.
  automated: {
    changesOnly: true,
    start: [
      ['auto-a,auto-bad', 'sensor', 'tick'],
      ['auto-a,auto-bad', 'materialize', 'first', '--failed'],
    ],
    items: 'auto-a,auto-bad,auto-worse-bad',
    command: ['sensor', 'tick'],
    codes: [1, 0],
  },
  // What somebody is told is in the state with the end of the run, or with the tick that failed.
  told: {
    changesOnly: true,
    start: [['told-a', 'sensor', 'tick']],
    items: 'told-a,told-bad',
    command: ['sensor', 'tick'],
    codes: [1, 0],
    tells: [/^first failed for 1 key: .*it is bad$/m],
  },
  'told-sensor': {
    changesOnly: true,
    start: [['told-a', 'sensor', 'tick']],
    items: 'told-a,throw',
    command: ['sensor', 'tick'],
    codes: [3],
    tells: [/^sensor source failed: the source is down$/m],
  },
  // What is made of all keys becomes stale with the commit that adds one or takes one out.
  'gathered-add': {
    changesOnly: true,
    start: [
      ['gather,auto-a', 'sensor', 'tick'],
      ['gather,auto-a', 'sensor', 'tick'],
    ],
    items: 'gather,auto-a',
    command: ['partitions', 'add', 'items', 'auto-b'],
  },
  'gathered-remove': {
    changesOnly: true,
    start: [
      ['gather,auto-a,auto-b', 'sensor', 'tick'],
      ['gather,auto-a,auto-b', 'sensor', 'tick'],
    ],
    items: 'gather,auto-a,auto-b',
    command: ['partitions', 'remove', 'items', 'auto-b'],
  },
  retry: {
    changesOnly: true,
    start: [['bad', 'sensor', 'tick']],
    items: '',
    command: ['materialize', '--failed'],
    codes: [1],
    repeats: true,
  },
  'first-add': { start: [], items: '', command: ['partitions', 'add', 'items', 'a', 'b'] },
  'first-materialize': {
    changesOnly: true,
    start: [],
    items: '',
    command: ['materialize', 'other', '--key', 'n', '--add'],
    // Named with --key it is made again.
    repeats: true,
  },
  add: {
    start: [
      ['a', 'sensor', 'tick'],
      ...Array.from({ length: 17 }, (_, at) => ['', 'partitions', 'add', 'others', `n${at}`]),
    ],
    items: '',
    command: ['partitions', 'add', 'items', 'd', 'e'],
  },
  'add-large': {
    start: [
      ['', 'partitions', 'add', 'others', ...many('one', 1000)],
      ['', 'partitions', 'add', 'others', ...many('two', 1000)],
      ['', 'partitions', 'add', 'others', 'n'],
    ],
    items: '',
    command: ['partitions', 'add', 'items', 'd', 'e'],
  },
  remove: {
    start: [
      ['a', 'sensor', 'tick'],
      ['a,b,c', 'sensor', 'tick', '--no-run'],
    ],
    items: '',
    command: ['partitions', 'remove', 'items', 'b'],
  },
  'keep-out': {
    changesOnly: true,
    start: [['a,b', 'sensor', 'tick']],
    items: '',
    command: ['partitions', 'remove', 'items', 'b', '--keep-out'],
  },
  purge: {
    start: [['a,b', 'sensor', 'tick']],
    items: '',
    command: ['partitions', 'remove', 'items', 'a', '--purge'],
  },
  // Killed behind its commit, the next tick takes nothing out any more, and deletes what is left.
  'retain-purge': {
    start: [['a,b,c', 'sensor', 'tick']],
    items: 'retain',
    command: ['sensor', 'tick'],
  },
  // Its value goes with what was made; what was made from it is stale.
  'mark-skipped': {
    changesOnly: true,
    start: [['a,b', 'sensor', 'tick']],
    items: '',
    command: ['assets', 'mark', 'first', '--as', 'skipped', '--key', 'a'],
  },
  // Killed when it was on record and its value still there: whoever comes next ends it.
  'mark-left': {
    changesOnly: true,
    start: [['a,b', 'sensor', 'tick']],
    killed: {
      items: '',
      command: ['assets', 'mark', 'first', '--as', 'skipped', '--key', 'a'],
      at: /^unlink\(.*\/values\/first\/a\.json"/,
    },
    items: '',
    command: ['materialize', 'other', '--key', 'n', '--add'],
    repeats: true,
  },
  'mark-missing': {
    changesOnly: true,
    start: [['a,b', 'sensor', 'tick']],
    items: '',
    command: ['assets', 'mark', 'second', '--as', 'missing', '--all'],
  },
  sync: {
    changesOnly: true,
    start: [['a,b', 'sensor', 'tick']],
    items: '',
    command: ['partitions', 'sync', 'items', '--from', 'keys.txt'],
  },
  'failing-tick': {
    changesOnly: true,
    start: [['a', 'sensor', 'tick']],
    items: 'a,throw',
    command: ['sensor', 'tick'],
    codes: [3],
  },
  cancel: {
    start: [
      ['a', 'sensor', 'tick'],
      ['a,b,c', 'sensor', 'tick', '--no-run'],
    ],
    items: '',
    command: ['runs', 'cancel', 'RUN'],
  },
  release: {
    changesOnly: true,
    start: [['a', 'sensor', 'tick']],
    killed: { items: 'a,b', command: ['sensor', 'tick'], at: /^fsync\(.*runs\.000001\.jsonl>\)/ },
    items: '',
    command: ['runs', 'release', 'RUN'],
    // The dead process's own file goes when its runs are taken up.
    tidy: ['sensor', 'tick'],
  },
  // Whose run is under way elsewhere: the key goes with the word of who took it out, which the run is canceled for …
  'removed-under-way': {
    changesOnly: true,
    start: [['a', 'sensor', 'tick']],
    killed: { items: 'a,b', command: ['sensor', 'tick'], at: /\/values\/first\/b\.json~/ },
    owner: ALIVE,
    items: '',
    command: ['partitions', 'remove', 'items', 'b'],
    shows: /removed \(partitions remove\)/,
  },
  // … and whose process has died before it ended the run: who takes that up ends it, and says that word.
  'removed-left': {
    changesOnly: true,
    start: [['a', 'sensor', 'tick']],
    killed: { items: 'a,b', command: ['sensor', 'tick'], at: /\/values\/first\/b\.json~/ },
    owner: ALIVE,
    meanwhile: [['', 'partitions', 'remove', 'items', 'b']],
    items: 'a',
    command: ['sensor', 'tick'],
    shows: /removed \(partitions remove\)/,
  },
  stop: { start: [['a', 'sensor', 'tick']], items: '', command: ['sensor', 'stop', 'source'] },
  cursor: {
    start: [['a', 'sensor', 'tick']],
    items: '',
    command: ['sensor', 'cursor', 'source', '--set', '42'],
    // Said again, it is an operator's edit again.
    raisesVersion: true,
  },
  restore: { start: restored, items: '', command: ['state', 'restore', 'copy.json'], raisesVersion: true },
  'restore-last': {
    start: restored,
    items: '',
    command: ['state', 'restore', '--last'],
    raisesVersion: true,
  },
  'restore-cut': {
    start: restored,
    mangled: true,
    items: '',
    command: ['state', 'restore', '--last'],
    raisesVersion: true,
  },
  status: { start: [['a', 'sensor', 'tick']], items: '', command: ['status'], reads: true },
  // The first commit to a state that dynpart 0.1 left: schema 1 as it was, or the present schema and the copy beside it.
  migrate: { start: [], state: SCHEMA_1, items: '', command: ['partitions', 'add', 'items', 'd'] },
  // Nine values are synced by another thread.
  pool: {
    start: [['', 'partitions', 'add', 'items', ...'abcdefghi'.split('')]],
    items: '',
    command: ['materialize', 'first', '--missing'],
    thread: 'pool',
  },
  heartbeat: {
    start: [['a', 'sensor', 'tick']],
    items: 'a,b',
    command: ['sensor', 'tick'],
    env: { HEARTBEAT: '1' },
    thread: 'any',
    only: ['utimensat'],
  },
};
