/** docs/when-something-went-wrong.md: what went wrong before each of its commands. */
import fs from 'node:fs';
import { stub } from '../../support/docs-session.ts';
import type { Project } from '../../support/project.ts';
import { here, newestRun, orders, type Settings } from './setting.ts';

/** Blocks its thread where it is told to. */
const FEED = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const episodes = dynamicPartitions('episodes');
const block = (what) => { if (process.env.BLOCKS === what) for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); };
const episode = asset({ name: 'episode', partitions: episodes, timeoutMs: 1_000_000, materialize: ({ partitionKey }) => {
  block('asset');
  if (process.env.BLOCKS === 'waits') return new Promise((resolve) => setTimeout(resolve, 1_000_000, partitionKey));
} });
const feed = sensor({ name: 'feed', assets: [episode], evaluate: ({ cursor }) => {
  block('sensor');
  return { cursor: '27', dynamicPartitionsRequests: [episodes.buildAddRequest(['one', 'LAST GOOD KEY', 'wrong', 'wrong, too'])] };
} });
const find = sensor({ name: 'find', evaluate: () => ({ cursor: '27' }) });
export default definePipeline({ assets: [episode], sensors: [feed, find] });
`;

/** A process that is in the middle of something, and what the page calls it. */
async function busy(project: Project, what: string, args: readonly string[]): Promise<number> {
  project.write({ 'pipeline.ts': FEED });
  await here(project, 'partitions add episodes one');
  const { process } = project.start(args, { env: { BLOCKS: what } });
  const filled = (folder: string, ending: string): boolean =>
    project.exists('.dynpart', folder) &&
    fs
      .readdirSync(project.path('.dynpart', folder))
      .some((name) => name.endsWith(ending) && project.read('.dynpart', folder, name) !== '');
  // Who blocks at once has not come to record that its run is started.
  const isThere = (): boolean => {
    if (what === 'sensor') return filled('claims', '.json');
    if (what === 'asset') return filled('executors', '.log');
    return project.state().runs.some(({ status }: { status: string }) => status === 's');
  };
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 20));
  return process.pid!;
}

const withFeed = async (project: Project): Promise<void> => {
  project.write({ 'pipeline.ts': FEED });
  await here(project, 'sensor tick');
};

/** As something else than dynpart does that writes to the file: the generation of the same name goes with it. */
const damage = (project: Project): void =>
  fs.writeFileSync(project.path('.dynpart/state.json'), '{"schema":4,');

const oneSet = (name: string): string =>
  `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const ${name} = dynamicPartitions('${name}');
export default definePipeline({ assets: [asset({ name: '${name}-record', partitions: ${name}, materialize: () => 1 })] });
`;

const twoPipelines = async (project: Project): Promise<void> => {
  project.write({ 'orders.ts': oneSet('orders'), 'customers.ts': oneSet('customers') });
  await here(project, '-f orders.ts materialize --key 1 --add');
  fs.mkdirSync(project.path('.dynpart/values'), { recursive: true });
};

export const WENT_WRONG: Settings = {
  'When something went wrong': { prepare: orders },
  'sensor-stuck': {
    prepare: async (project, session) =>
      session.name('27534', `${await busy(project, 'sensor', ['sensor', 'tick', 'feed'])}`),
  },
  'sensor-cursor': { prepare: withFeed },
  'sensor-busy': { prepare: withFeed },
  'A run failed': {
    async prepare(project, session) {
      await orders(project);
      project.write({ 'inbox/wednesday.csv': 'ada,five\n' });
      await here(project, 'sensor tick');
      session.name('0mwt1y2hogr23m4-1', await newestRun(project, 'FAILURE'));
    },
  },
  'upstream-missing': {
    async prepare(project) {
      await here(project, 'init');
      await here(project, 'partitions add uploads monday.csv --item {"path":"monday.csv"}');
    },
  },
  'run-blocked': {
    prepare: async (project, session) =>
      session.name('27534', `${await busy(project, 'asset', ['materialize', '--all'])}`),
  },
  canceled: {
    async prepare(project, session) {
      await orders(project);
      await here(project, 'materialize orders --all --no-run');
      await here(project, 'runs cancel --status QUEUED');
      session.name('0mwt1y2hogr23m4-1', await newestRun(project, 'CANCELED'));
    },
  },
  'A run is STARTED for ever': {
    async prepare(project, session) {
      process.kill(await busy(project, 'waits', ['materialize', '--all']), 'SIGKILL');
      session.name('0mwt2wcwdpg0zke-1', await newestRun(project, 'STARTED'));
    },
  },
  'state-empty': {
    async prepare(project, session) {
      await orders(project);
      fs.cpSync(project.path('.dynpart/state.json'), project.path('whole.json'));
      await here(project, 'partitions add uploads more');
      damage(project);
      stub(session, 'editor', `cp '${project.path('whole.json')}' "$1"`);
    },
    options: { places: { '/srv/orders': '', '/tmp': 'tmp' }, env: { EDITOR: 'editor' } },
  },
  'foreign-state': { prepare: twoPipelines, options: { places: { '/tmp': 'tmp' } } },
  'commit-unsure': { prepare: orders },
  'copy-unusable': { prepare: restored },
  'warning: … is a copy of another state': { prepare: restored },
  'value-damaged': {
    async prepare(project) {
      await orders(project);
      fs.rmSync(project.path('.dynpart/values/orders/monday.csv.json'));
    },
  },
  'No error, but not what was expected': { prepare: withFeed },
};

async function restored(...[project, session]: Parameters<Settings[string]['prepare']>): Promise<void> {
  await orders(project);
  await here(project, 'state export copy.json');
  const { kept } = await here(project, 'state restore copy.json');
  session.name('2026-11-23T09-33-12-744Z', /before-restore-(.*)$/.exec(kept[0])![1]!);
}
