/** The settings of all pages. */
import fs from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { root } from '../../support/project.ts';
import { clone, stub } from '../../support/docs-session.ts';
import { filesOf } from '../../support/docs-page.ts';
import { here, newestRun, orders, type Setting, type Settings } from './setting.ts';
import { STATE_FILE } from './state-file.ts';
import { WENT_WRONG } from './went-wrong.ts';

/** The asset whose log docs/pipeline-file.md shows. */
const PRINTS = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const items = dynamicPartitions('items');
const work = asset({
  name: 'work',
  partitions: items,
  async materialize({ partitionKey, log, exec }) {
    console.log('printed with console.log');
    log.info('hello');
    log.warn('careful');
    await exec('echo', ['from a child', partitionKey]);
  },
});
export default definePipeline({ assets: [work] });
`;

/** Six problems, at the places that docs/pipeline-file.md shows. */
const SIX_PROBLEMS = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const days = dynamicPartitions('days');
const report    /* */ = asset({ name: 'report', materialise: () => 1 });
const again     /* */ = asset({ name: 'report', materialize: () => 2 });
const other     /* */ = asset({ name: 'other', partitions: days, materialize: () => 3 });
const sum       /* */ = asset({ name: 'sum', partitions: days, timeoutMs: 0, inputs: { c: other }, materialize: () => 4 });
const find_new   /* */ = sensor({ name: 'find new', evaluate: () => undefined });
export default definePipeline({ assets: [report, again, sum], sensors: [find_new] });
`;

const SETTINGS: Readonly<Record<string, Settings>> = {
  'README.md': {
    dynpart: { prepare: (project) => here(project, 'init') },
    'Try it': { prepare: clone },
    'Your first pipeline': { prepare: (project) => here(project, 'init') },
  },
  'docs/start.md': { 'A file that is wrong': { prepare: orders } },
  'docs/coming-from-cron.md': {
    'Its two programs': {
      prepare: (project) => project.write(Object.fromEntries(filesOf('docs/coming-from-cron.md'))),
    },
  },
  'docs/cookbook.md': { 'Moving to a server': { prepare: orders } },
  'docs/concepts.md': { 'A set of keys': { prepare: (project) => here(project, 'init') } },
  'docs/coming-from-dagster.md': {
    'Two pipelines side by side': {
      prepare: (project) => project.write(Object.fromEntries(filesOf('docs/coming-from-dagster.md'))),
    },
  },
  'docs/checks-and-limits.md': {
    Checks: {
      prepare(project) {
        project.write(Object.fromEntries(filesOf('docs/checks-and-limits.md')));
        fs.mkdirSync(project.path('node_modules'));
        fs.symlinkSync(path.join(root, 'node_modules/zod'), project.path('node_modules/zod'));
      },
    },
  },
  'docs/being-told.md': {
    'Being told': { prepare: (project) => project.write(Object.fromEntries(filesOf('docs/being-told.md'))) },
  },
  'docs/keys-and-automation.md': {
    'Keys and automation': {
      prepare: (project) => project.write(Object.fromEntries(filesOf('docs/keys-and-automation.md'))),
    },
  },
  'docs/page.md': {
    'What is on it': {
      async prepare(project, session) {
        await orders(project);
        await here(project, 'status --html status.html');
        // It goes on until somebody ends it.
        session.name(
          'dynpart ui',
          'dynpart ui --port 0 >ui.txt & until grep -qs http ui.txt; do sleep 0.1; done; cat ui.txt; kill $!; wait',
        );
      },
    },
  },
  'docs/pipeline-file.md': {
    '`log`, `exec` and `signal`': {
      async prepare(project, session) {
        project.write({ 'pipeline.ts': PRINTS });
        // In a process of its own: here `console` is that of the tests.
        await project.dynpart(['materialize', 'work', '--key', 'item-1', '--add']);
        session.name('0mwt1zn6oflj6i4-1', await newestRun(project, 'SUCCESS'));
      },
    },
    'Rules, and what is said when one is broken': {
      options: { places: { '/srv/report': '' } },
      prepare: (project) => project.write({ 'pipeline.ts': SIX_PROBLEMS }),
    },
  },
  'docs/postgresql.md': {
    Begin: {
      async prepare(project, session) {
        const cluster = await PostgresCluster.start();
        onTestFinished(() => cluster[Symbol.dispose]());
        await here(project, 'init');
        session.name('postgres://etl@127.0.0.1/warehouse', cluster.url('dynpart'));
        // A worker goes on until somebody ends it.
        session.name('dynpart worker ', 'dynpart worker --once ');
        stub(
          session,
          'npm',
          `mkdir -p node_modules && ln -s '${path.join(root, 'node_modules/pg')}' node_modules/pg`,
        );
      },
    },
  },
  'docs/state-file.md': STATE_FILE,
  'docs/when-something-went-wrong.md': WENT_WRONG,
};

/** The setting of a heading, which it names as it is, or by the error code in it. */
export function settingOf(page: string, heading: string): Setting | undefined {
  const settings = Object.entries(SETTINGS[page] ?? {});
  return settings.find(([name]) => heading === name || heading.includes(`\`${name}\``))?.[1];
}

/** Pages and headings that settings are for. */
export const SET: readonly (readonly [string, string])[] = Object.entries(SETTINGS).flatMap(
  ([page, settings]) => Object.keys(settings).map((name) => [page, name] as const),
);
