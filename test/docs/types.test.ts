/** The code of the pages compiles, by the options of this repository: what is shown is what the types say. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { filesOf } from '../support/docs-page.ts';
import { root } from '../support/project.ts';

const PAGES = [
  'docs/testing.md',
  'docs/cookbook.md',
  'docs/for-assistants.md',
  'docs/keys-and-automation.md',
];

it('the code of the pages compiles', async () => {
  const folder = path.join(root, '.pages', `types-${process.pid}`);
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const page of PAGES) {
    fs.mkdirSync(path.join(folder, page), { recursive: true });
    for (const [name, code] of filesOf(page)) fs.writeFileSync(path.join(folder, page, name), code);
  }
  fs.writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions: { checkJs: false }, include: ['.'] }),
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
