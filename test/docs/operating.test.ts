/** The lines for cron and the units for systemd that the README and docs/operating.md show are those that `schedule` prints. */
import { expect, it } from 'vitest';
import { blocksOf } from '../support/docs-page.ts';
import { Project } from '../support/project.ts';

const shown = (page: string, language: string): string[] =>
  blocksOf(page).flatMap((block) => (block.language === language ? [block.text] : []));

/** What differs from machine to machine: where Node.js, dynpart and the pipeline are, and who runs it. */
const anywhere = (text: string, folder: string): string =>
  text
    .replaceAll(folder, '/srv/orders')
    .replaceAll(/^(?:#.*|MAILTO=.*)\n/gm, '')
    .replaceAll('Environment=PATH=/usr/local/bin:/usr/bin:/bin\n', '')
    .replaceAll(/^PATH=.*$/gm, 'PATH=…')
    .replaceAll(/^Environment="?PATH=.*\n/gm, '')
    .replaceAll(/^User=.*$/gm, 'User=…')
    .replaceAll(/(?:\/\S+ )?(?:\/\S*\/)?dynpart(?:\.cjs)? -f/g, 'dynpart -f');

it('are those of schedule', async () => {
  await using project = new Project();
  await project.dynpart(['init']);
  const cron = (await project.dynpart(['schedule', 'cron'])).stdout;
  const systemd = (await project.dynpart(['schedule', 'systemd'])).stdout;
  for (const page of ['README.md', 'docs/operating.md'])
    expect(shown(page, 'crontab').map((text) => anywhere(text, '/srv/orders'))).toEqual([
      anywhere(cron, project.folder),
    ]);
  expect(anywhere(systemd, project.folder)).toContain(
    shown('docs/operating.md', 'ini')
      .map((text) => anywhere(text, '/srv/orders'))
      .join('\n'),
  );
  const watch = (await project.dynpart(['schedule', 'systemd', '--watch'])).stdout;
  expect(shown('docs/operating.md', 'systemd').map((text) => anywhere(text, '/srv/orders').trim())).toEqual([
    anywhere(watch, project.folder).trim(),
  ]);
});
