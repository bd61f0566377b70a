/** docs/state-file.md: its own example of a state is the state that its commands are given on. */
import fs from 'node:fs';
import type { Project } from '../../support/project.ts';
import { blocksOf } from '../../support/docs-page.ts';
import { here, orders, type Settings } from './setting.ts';

/** The document of the page, without what it says to readers. */
export function documentOfPage(): unknown {
  const { text } = blocksOf('docs/state-file.md').find(({ language }) => language === 'jsonc')!;
  const plain = text
    .replaceAll(/\/\*[^]*?\*\//g, '')
    .replaceAll(/("(?:[^"\\\n]|\\.)*")|\/\/.*$/gm, '$1')
    .replaceAll(/,(?=\s*[\]}])/g, '');
  return JSON.parse(plain);
}

async function itsState(project: Project): Promise<void> {
  await here(project, 'init');
  const document = documentOfPage() as { pipeline: { file: string } };
  document.pipeline.file = project.path('pipeline.ts');
  project.write({
    '.dynpart/state.json': `${JSON.stringify(document)}\n`,
    '.dynpart/history/ticks/new-files.000001.jsonl': '',
    '.dynpart/history/runs.000001.jsonl': `${JSON.stringify({
      id: '0mwt2khwob8xgca-1',
      status: 'FAILURE',
      partitionKey: 'wednesday.csv',
      finishedAt: '2026-11-23T09:34:39.544Z',
      error: { code: 'value-not-json', message: 'value[0].amount is NaN', hint: null },
    })}\n`,
  });
}

export const STATE_FILE: Settings = {
  'One pipeline, one state': {
    options: { places: { '/srv': '' } },
    async prepare(project) {
      for (const name of ['orders', 'customers'])
        project.write({
          [`${name}.ts`]: `import { definePipeline, dynamicPartitions } from 'dynpart';
export default definePipeline({ partitions: [dynamicPartitions('${name}')] });`,
        });
      await here(project, '-f orders.ts partitions add orders 1');
    },
  },
  'Questions for `jq`': { prepare: itsState },
  Backups: { prepare: orders, options: { places: { '/srv/orders': '', '/backup': 'backup' } } },
  'The way back': {
    options: { places: { '/srv/orders': '', '/backup': 'backup' } },
    async prepare(project) {
      await orders(project);
      await here(project, 'state export backup/orders-state.json');
      await here(project, 'partitions add uploads later');
    },
  },
  'Older and newer schemas': {
    async prepare(project) {
      await orders(project);
      const state = project.state();
      fs.rmSync(project.path('.dynpart'), { recursive: true });
      project.write({ '.dynpart/state.json': `${JSON.stringify({ ...state, schema: state.schema - 1 })}\n` });
      project.write({ 'inbox/wednesday.csv': 'ada,5\n' });
    },
  },
};
