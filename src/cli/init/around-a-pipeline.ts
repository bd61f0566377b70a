/** What stands around a pipeline: how TypeScript finds the types, and what git leaves out. */
import fs from 'node:fs';
import path from 'node:path';

/** `docs/start.md` has the same: right for projects of any `type`, also for those without a `package.json`. */
const COMPILER_OPTIONS = {
  target: 'esnext',
  module: 'preserve',
  types: ['node'],
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
};

/** @param own the folder of the dynpart that runs: its types are named where the folder has no dynpart of its own */
export function tsconfigFor(folder: string, own: string): string {
  const types = (name: string): string[] => [path.join(own, 'dist/types', name)];
  const paths = { dynpart: types('index.d.ts'), 'dynpart/sources': types('sources/index.d.ts') };
  const finds = foundAbove(folder, 'dynpart') || isPassing(own);
  const compilerOptions = finds ? COMPILER_OPTIONS : { ...COMPILER_OPTIONS, paths };
  const text = JSON.stringify({ compilerOptions }, null, 2);
  // Short lists in one line, as formatters have them.
  return `${text.replaceAll(/\[\s+("[^"]*")\s+\]/g, '[$1]')}\n`;
}

/** Whether npx has fetched it for one command, into a place where it does not stay. */
export function isPassing(own: string): boolean {
  return own.split(path.sep).includes('_npx');
}

/** Whether a package is found from a folder, as TypeScript and Node.js look for one. */
export function foundAbove(folder: string, name: string): boolean {
  if (fs.existsSync(path.join(folder, 'node_modules', name, 'package.json'))) return true;
  const above = path.dirname(folder);
  return above !== folder && foundAbove(above, name);
}

/** Keeps the state out of the repository. @returns the file when something was added to it */
export function gitignoreWith(folder: string): string | null {
  const file = path.join(folder, '.gitignore');
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) {
    fs.writeFileSync(file, 'node_modules/\n.dynpart/\n', { flag: 'wx' });
    return file;
  }
  if (!stat.isFile()) return null;
  const text = fs.readFileSync(file, 'utf8');
  if (/^\/?\.dynpart\/?\s*$/m.test(text)) return null;
  fs.appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}.dynpart/\n`);
  return file;
}
