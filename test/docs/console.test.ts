/** Every command of the README and of docs/ is given, and prints what is shown. */
import { describe, expect, it } from 'vitest';
import { type Block, blocksOf, PAGES } from '../support/docs-page.ts';
import { commandsOf, Session } from '../support/docs-session.ts';
import { Project } from '../support/project.ts';
import { SET, settingOf } from './settings/index.ts';

/** Blocks that go on with one another: a heading that has a setting of its own begins anew. */
function sessionsOf(page: string): Block[][] {
  const sessions: Block[][] = [];
  let heading: string | null = null;
  for (const block of blocksOf(page)) {
    if (block.notRun !== null || block.heldBy !== null) continue;
    // A script that is a file is what others start.
    if (block.language !== 'console' && (block.language !== 'sh' || block.file !== null)) continue;
    const isNew = block.heading !== heading && settingOf(page, block.heading) !== undefined;
    if (sessions.length === 0 || isNew) sessions.push([]);
    heading = block.heading;
    sessions.at(-1)!.push(block);
  }
  return sessions;
}

describe.each(PAGES.filter((page) => sessionsOf(page).length > 0))('%s', (page) => {
  it.each(sessionsOf(page).map((blocks) => [blocks[0]!.heading, blocks] as const))(
    '%s',
    async (_, blocks) => {
      await using project = new Project();
      const setting = settingOf(page, blocks[0]!.heading);
      const session = new Session(project, setting?.options);
      await setting?.prepare(project, session);
      for (const { language, text, before } of blocks) {
        if (before !== '') session.script(before);
        if (language === 'sh') session.script(text);
        else for (const shown of commandsOf(text)) await session.run(shown);
      }
    },
  );
});

it('each setting is for a heading that has commands', () => {
  const settings = PAGES.flatMap((page) =>
    sessionsOf(page).map(([first]) => settingOf(page, first!.heading)),
  ).filter((setting) => setting !== undefined);
  expect(new Set(settings).size).toBe(SET.length);
});
