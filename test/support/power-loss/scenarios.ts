/** What is done to a disk before its power goes: commands of the real binary, by what they have to leave whole. */
import fs from 'node:fs';
import path from 'node:path';
import { StateFile } from '../../../src/state/json/state-file.ts';

export interface Step {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Scenario {
  readonly name: string;
  /** Commands whose traces have long reached the disk. */
  readonly start: readonly Step[];
  /** What else was done to the folder before. */
  readonly prepare?: (project: string) => void | Promise<void>;
  /** The command under test. */
  readonly command: Step;
  /** The command is killed after its first operation that fits, and given again: what the kernel has is still there. */
  readonly killedAfter?: string;
  /** What is given instead of the same command. */
  readonly again?: Step;
  /** Given after the loss of power; default: the last one once more. */
  readonly after?: Step;
  /** Files that must not be there once the command has said that it is done. */
  readonly gone?: RegExp;
  /** Too much for every `npm test`. */
  readonly isLong?: boolean;
  /** Files that must be there, with these bytes, once the new state is in the place of the old one. */
  readonly kept?: { readonly name: RegExp; readonly of: string };
}

export const PIPELINE = `
import { allKeys, asset, definePipeline, dynamicPartitions, sensor, skip } from 'dynpart';
const { ITEMS = '', KIND = 'json', ROUND = '1', MANY, RETAIN, LATER } = process.env;
const items = dynamicPartitions('items', RETAIN ? { retain: { keepLast: 1, purge: true, maxRemove: '100%' } } : {});
const others = dynamicPartitions('others');
if (LATER !== undefined) {
  const realNow = Date.now;
  Date.now = () => realNow() + Number(LATER);
}
const tell = (what) => globalThis.tellPowerLoss?.(what);
const made = (value) => KIND === 'none' ? undefined : KIND === 'bin' ? Buffer.from(JSON.stringify(value)) : value;
const first = asset({
  name: 'first',
  partitions: items,
  materialize({ partitionKey, version, item, log }) {
    tell('the code of first began for ' + partitionKey);
    log.info('making ' + partitionKey);
    if (version === 'gone') return skip('there is nothing any more');
    return made({ key: partitionKey, round: ROUND, text: 'x'.repeat(300), ...(version !== null && { version, item }) });
  },
});
const second = asset({
  name: 'second',
  partitions: items,
  inputs: { first },
  materialize: ({ partitionKey }) => ({ key: partitionKey, round: ROUND }),
});
// Several keys in one call, and one thing of all of them.
const third = asset({
  name: 'third',
  partitions: items,
  inputs: { first },
  batch: 3,
  async *materialize({ keys }) {
    for (const { partitionKey } of keys) {
      tell('the call of third has come to ' + partitionKey);
      yield [partitionKey, { key: partitionKey, round: ROUND }];
    }
  },
});
const index = asset({
  name: 'index',
  inputs: { all: allKeys(third, { onMissing: 'skip' }) },
  async materialize({ inputs }) {
    const rounds = [];
    for await (const [key, value] of inputs.all) rounds.push(key + value.round);
    return { round: ROUND, rounds };
  },
});
const whole = asset({ name: 'whole', materialize: () => made({ round: ROUND }) });
const source = sensor({
  name: 'source',
  assets: [first, second],
  expectNewKeysEvery: '1h',
  async evaluate({ partitions }) {
    const listed = ITEMS.split(',').filter((item) => item !== '');
    if (ITEMS.includes('=')) {
      const seen = listed.map((one) => one.split('=')).map(([key, version]) => ({ key, version, item: { of: key, version } }));
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
      runRequests: fresh.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({
  assets: [first, second, whole, ...(MANY ? [third, index] : [])],
  sensors: [source],
  ...(LATER !== undefined && {
    notify: [{ on: ['overdue'], send: ({ subject }) => tell('somebody is told: ' + subject) }],
  }),
});
`;

const tick = (ITEMS: string, ...more: string[]): Step => ({
  args: ['sensor', 'tick', ...more],
  env: { ITEMS },
});
const add = (...keys: string[]): Step => ({ args: ['partitions', 'add', 'items', ...keys] });
const make = (KIND: string, ROUND: string): Step => ({
  args: ['materialize', '--all'],
  env: { KIND, ROUND },
});
const many = (name: string, size: number): string[] =>
  Array.from({ length: size }, (_, at) => `${name}-${at}-${'k'.repeat(60)}`);

const makeMany = (ROUND: string, ...assets: string[]): Step => ({
  args: ['materialize', ...assets, '--all'],
  env: { MANY: '1', ROUND },
});

const killedAfterMaking = (what: string, killedAfter: string): Scenario => ({
  name: `killed after making ${what}, and run again`,
  start: [],
  command: tick('a'),
  killedAfter,
});

const stateFile = (project: string): string => path.join(project, '.dynpart', 'state.json');

/** The present state as a copy beside the pipeline, the newest of its keys another one. */
function copyOf(project: string): string {
  return fs.readFileSync(stateFile(project), 'utf8').replace('"b"', '"restored"');
}

const restored = { name: /^\.dynpart\/state\.json\.before-restore-/, of: '.dynpart/state.json' };

export const SCENARIOS: readonly Scenario[] = [
  { name: 'the first commit', start: [], command: add('a', 'b') },
  {
    name: 'the first commit, killed when the file had its name, and the next one',
    start: [],
    command: add('a', 'b'),
    again: add('a', 'b', 'c'),
    killedAfter: '^link .*/state\\.json$',
  },
  // The second time nothing is left to do. That is an answer, too: what it rests on must stay.
  {
    name: 'the first commit, killed when the file had its name, and run again',
    start: [],
    command: add('a', 'b'),
    killedAfter: '^link .*/state\\.json$',
  },
  {
    name: 'a commit, killed when it was published, and run again',
    start: [add('a')],
    command: add('b'),
    killedAfter: '^link .*/\\.state\\.json\\.\\d+$',
  },
  {
    name: 'a commit, killed when the file was in its place, and run again',
    start: [add('a')],
    command: add('b'),
    killedAfter: '^rename .*/state\\.json$',
  },
  { name: 'the first tick, with a run', start: [], command: tick('a') },
  {
    name: 'a commit after sixteen others',
    start: [add('a')],
    prepare: async (project) => {
      for (let serial = 2; serial < 20; serial++) {
        const file = new StateFile(stateFile(project), () => undefined);
        await file.write({ ...(await file.read()), serial });
      }
    },
    command: add('b'),
  },
  {
    name: 'a commit that empties a large body',
    start: [add(...many('one', 700)), add(...many('two', 700)), add('a')],
    command: add('b'),
  },
  { name: 'a tick with runs', start: [tick('a')], command: tick('a,b,c') },
  {
    name: 'a tick with many runs, whose values are synced side by side',
    start: [tick('a')],
    command: tick(Array.from({ length: 6 }, (_, at) => `k${at}`).join(',')),
    isLong: true,
  },
  {
    name: 'a worker',
    start: [tick('a'), tick('a,b,c', '--no-run')],
    command: { args: ['worker', '--once'] },
  },
  {
    name: 'a tick that brings a key and another version of one',
    start: [tick('a=1,b=1')],
    command: tick('a=1,b=2,c=1'),
  },
  { name: 'values made anew', start: [add('a', 'b'), make('json', '1')], command: make('json', '2') },
  {
    name: 'several keys in one call, and one thing of all of them',
    start: [add('a', 'b'), makeMany('1', 'first')],
    command: makeMany('1', 'third', 'index'),
  },
  {
    name: 'several keys in one call made anew, killed within the call, and run again',
    start: [add('a', 'b'), makeMany('1', 'first', 'third', 'index')],
    command: makeMany('2', 'third', 'index'),
    killedAfter: '^open .*/values/third/b\\.json~',
    isLong: true,
  },
  {
    name: 'a key more, of which one thing is made with all others',
    start: [add('a'), makeMany('1', 'first', 'third', 'index')],
    command: { args: ['partitions', 'add', 'items', 'c'], env: { MANY: '1' } },
    isLong: true,
  },
  { name: '.json over .bin', start: [add('a', 'b'), make('bin', '1')], command: make('json', '2') },
  { name: '.bin over .json', start: [add('a', 'b'), make('json', '1')], command: make('bin', '2') },
  {
    name: '.none over .bin',
    start: [add('a', 'b'), make('bin', '1')],
    command: make('none', '2'),
    isLong: true,
  },
  {
    name: '.json over .none',
    start: [add('a', 'b'), make('none', '1')],
    command: make('json', '2'),
    isLong: true,
  },
  {
    name: 'keys removed with their values',
    start: [add('a', 'b', 'c'), make('json', '1')],
    command: { args: ['partitions', 'remove', 'items', 'b', 'c', '--purge'] },
    gone: /^\.dynpart\/values\/(first|second)\/[bc]\./,
  },
  {
    name: 'a tick whose rule takes keys out with their values',
    start: [tick('a,b,c')],
    command: { args: ['sensor', 'tick'], env: { RETAIN: '1' } },
    gone: /^\.dynpart\/values\/(first|second)\/[ab]\./,
  },
  // Whoever is called is on record as called before: after a loss of power nobody is told twice within a minute.
  {
    name: 'a tick that tells somebody',
    start: [tick('a')],
    command: { args: ['sensor', 'tick'], env: { ITEMS: 'a', LATER: '7200000' } },
    after: { args: ['sensor', 'tick'], env: { ITEMS: 'a', LATER: '10800000' } },
  },
  {
    name: 'a key marked as skipped, and its value gone',
    start: [add('a', 'b'), make('json', '1')],
    command: { args: ['assets', 'mark', 'first', '--as', 'skipped', '--key', 'b'] },
    gone: /^\.dynpart\/values\/first\/b\./,
  },
  {
    name: 'a key marked as skipped, killed when that was on record, and the next command',
    start: [add('a', 'b'), make('json', '1')],
    command: { args: ['assets', 'mark', 'first', '--as', 'skipped', '--key', 'b'] },
    killedAfter: '^rename .*/state\\.json$',
    again: { args: ['assets', 'mark', 'first', '--as', 'skipped', '--key', 'b', '--key', 'a'] },
    isLong: true,
  },
  {
    name: 'a tick of which nothing is to be made of a key any more',
    start: [tick('a=1,b=1')],
    command: tick('a=1,b=gone'),
    gone: /^\.dynpart\/values\/first\/b\.(?:bin|none|json)$/,
  },
  {
    name: 'a tick of which nothing is to be made of a key any more, killed when that was on record, and run again',
    start: [tick('a=1,b=1')],
    command: tick('a=1,b=gone'),
    // The commit with the end of its run.
    killedAfter: '^link .*/\\.state\\.json\\.0+4$',
    isLong: true,
  },
  // What another process left in the middle is built upon: its folders and files may have no name on the disk yet.
  killedAfterMaking('the folder of an asset', '^mkdir .*/values/first$'),
  killedAfterMaking('the state folder', '^mkdir \\.dynpart$'),
  killedAfterMaking('a file of the history', '^open .*/runs\\.000001\\.jsonl$'),
  killedAfterMaking('a record in the history', '^write .*/runs\\.000001\\.jsonl$'),
  ...[
    killedAfterMaking('the folder of values', '^mkdir .*/values$'),
    killedAfterMaking('the folder of the history', '^mkdir .*/history$'),
    killedAfterMaking('a value before its folder was synced', '^link .*/values/second/'),
  ].map((scenario): Scenario => ({ ...scenario, isLong: true })),
  {
    name: 'a copy restored',
    start: [add('a'), add('b')],
    prepare: (project) => fs.writeFileSync(path.join(project, 'copy.json'), copyOf(project)),
    command: { args: ['state', 'restore', 'copy.json'] },
    kept: restored,
  },
  {
    name: 'a copy restored where no state is',
    start: [add('a'), add('b')],
    prepare: (project) => {
      fs.writeFileSync(path.join(project, 'copy.json'), copyOf(project));
      fs.rmSync(path.join(project, '.dynpart'), { recursive: true });
    },
    command: { args: ['state', 'restore', 'copy.json'] },
  },
  {
    name: 'the last generation restored over a damaged file',
    start: [add('a'), add('b'), add('c')],
    prepare: (project) => fs.writeFileSync(stateFile(project), 'half a docum'),
    command: { args: ['state', 'restore', '--last'] },
    kept: restored,
  },
];
