/**
 * The code of a page of the documentation, as files: a block whose first line is a comment with a file's name is that file.
 * They lie in this repository while the tests run, where vitest reads TypeScript and knows `dynpart`.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll } from 'vitest';
import { root } from './project.ts';

export interface DocsPage {
  readonly folder: string;
  /** In the order of the page. */
  readonly files: readonly string[];
}

const BLOCK = /^```(?:ts|js|python|json|sh)\n(?:\/\/|#) (\S+\.\w+)\n(.*?)^```$/gms;

/** Files of the page by name. */
export function filesOf(page: string): ReadonlyMap<string, string> {
  const text = fs.readFileSync(path.join(root, page), 'utf8');
  return new Map([...text.matchAll(BLOCK)].map(([, name = '', code = '']) => [name, code]));
}

/** Puts the files of a page into a folder that goes away when the tests of this file have ended. */
export function writePage(page: string): DocsPage {
  const folder = path.join(root, '.pages', `${path.basename(page, '.md')}-${process.pid}`);
  fs.mkdirSync(folder, { recursive: true });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  const files = filesOf(page);
  for (const [name, code] of files) fs.writeFileSync(path.join(folder, name), code);
  return { folder, files: [...files.keys()] };
}

/** Runs the tests that a page shows, as tests of the file that calls it. @returns their files */
export async function runTestsOf({ folder, files }: DocsPage): Promise<readonly string[]> {
  const tests = files.filter((name) => name.endsWith('.test.ts'));
  for (const name of tests) await import(/* @vite-ignore */ path.join(folder, name));
  return tests;
}
