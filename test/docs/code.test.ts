/** The code of the README and of docs/: it compiles, its pieces run, and the tests that it shows pass. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { filesOf, PAGES, runTestsOf, snippetsOf, writePage } from '../support/docs-page.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { root } from '../support/project.ts';

/** For the recipe that keeps values in a database. */
const cluster = await PostgresCluster.start();
process.env['DATABASE_URL'] = cluster.url('public');
afterAll(() => cluster[Symbol.dispose]());

const PAGES_WITH_CODE = PAGES.filter((page) => filesOf(page).size + snippetsOf(page).size > 0);

for (const page of PAGES_WITH_CODE) {
  if (snippetsOf(page).size === 0 && ![...filesOf(page).keys()].some((name) => name.includes('.test.')))
    continue;
  const written = writePage(page);
  describe(page, async () => {
    await runTestsOf(written);
    const of = (ending: RegExp): string[] => written.files.filter((name) => ending.test(name));

    it.for(of(/^line-\d+\.ts$/))('the piece in %s runs', async (name) => {
      await import(/* @vite-ignore */ path.join(written.folder, name));
    });

    it.for(of(/\.test\.mjs$/))("%s passes with node's own runner", async (name) => {
      const file = path.join(written.folder, name);
      const { stdout } = await promisify(execFile)(process.execPath, ['--test-reporter=tap', file]);
      expect(stdout).toMatch(/^# pass [1-9]\d*$/m);
    });
  });
}

it('all of it compiles, by the options of this repository', async () => {
  const folder = path.join(root, '.pages', `types-${process.pid}`);
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const page of PAGES_WITH_CODE) {
    fs.mkdirSync(path.join(folder, page), { recursive: true });
    for (const [name, code] of [...filesOf(page), ...snippetsOf(page)])
      fs.writeFileSync(path.join(folder, page, name), code);
  }
  fs.writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { checkJs: false, noUnusedLocals: false },
      include: ['.'],
    }),
  );
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>((resolve) =>
    execFile(process.execPath, [tsc, '-p', folder], (error, stdout) =>
      resolve({ code: error?.code ?? 0, stdout }),
    ),
  );
  expect(stdout).toBe('');
  expect(code).toBe(0);
});
