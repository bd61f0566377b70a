/** `dynpart init`: a pipeline that runs as it is, with what an editor and git need beside it. Never overwrites. */
import fs from 'node:fs';
import path from 'node:path';
import { makeMissing, writeAll } from '../../files/durable-files.ts';
import { causeOf, errno } from '../../files/system-errors.ts';
import { fail } from '../../model/failure.ts';
import { shellWord } from '../../model/shell-words.ts';
import { clean } from '../../model/text.ts';
import { oneOf } from '../command-line/options.ts';
import type { Declaration } from '../command-line/declaration.ts';
import type { Context } from '../context.ts';
import { foundAbove, gitignoreWith, isPassing, tsconfigFor } from '../init/around-a-pipeline.ts';
import { inTemplate, TEMPLATES, type Template } from '../init/templates.ts';
import type { Initialized } from '../json-results.ts';

export function initCommand(program: Declaration): void {
  program
    .command('init')
    .argument('[dir]', 'the folder, which is made when it is not there; without it, this one')
    .description('a pipeline.ts that runs as it is, and what an editor and git need beside it')
    .option('--template <name>', `what it reads: ${TEMPLATES.join(', ')}`, oneOf('--template', TEMPLATES))
    .action(init);
}

async function init(
  context: Context,
  { template = 'files' }: { readonly template?: Template },
  dir = '.',
): Promise<Initialized> {
  const { output, terminal, ownFolder } = context;
  const folder = path.resolve(terminal.cwd, dir);
  const own = path.join(ownFolder, '..');
  const files = new Map(
    inTemplate(path.join(own, 'templates', template)).map(({ name, bytes }) => [
      path.join(folder, name),
      bytes,
    ]),
  );
  refuseWhatIsThere(folder, [...files.keys()]);
  const tsconfig = path.join(folder, 'tsconfig.json');
  const hasTsconfig = isTaken(tsconfig);
  if (!hasTsconfig) files.set(tsconfig, Buffer.from(tsconfigFor(folder, own)));
  const written = write(folder, files);
  for (const file of written) output.print(`${clean(path.relative(terminal.cwd, file))}\n`);
  if (hasTsconfig)
    output.say(
      'tsconfig.json stays as it is; for pipeline.ts it needs "module": "preserve" and "types": ["node"]',
    );
  output.say(clean(nextCommands({ cwd: terminal.cwd, folder, own })));
  return { files: written };
}

/** @throws FailureError naming all that is in the way */
function refuseWhatIsThere(folder: string, files: readonly string[]): void {
  const there = files.filter(isTaken).map((file) => path.relative(folder, file));
  if (there.length > 0)
    fail({
      reason: 'file-in-the-way',
      file: there.join(', '),
      isList: there.length > 1,
      why: `init would write ${there.length === 1 ? 'it' : 'them'} into ${folder}, and overwrites nothing`,
      hint: 'name another folder: dynpart init DIR; to start anew in this one, move what is in the way elsewhere',
    });
}

/** Also by a link that leads nowhere. */
function isTaken(file: string): boolean {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Something above it is no folder, or closed: writing says so.
    return false;
  }
}

/** All of them, or none. */
function write(folder: string, files: ReadonlyMap<string, Uint8Array>): string[] {
  const written: string[] = [];
  const put = (file: string, bytes: Uint8Array): void => {
    const fd = fs.openSync(file, 'wx');
    // Half a file would be in the way of the next try, too.
    written.push(file);
    try {
      writeAll(fd, bytes);
    } finally {
      fs.closeSync(fd);
    }
  };
  try {
    for (const [file, bytes] of files) {
      makeMissing(path.dirname(file));
      put(file, bytes);
    }
    const gitignore = gitignoreWith(folder);
    return gitignore === null ? written : [...written, gitignore];
  } catch (error) {
    if (errno(error) === undefined) throw error;
    for (const file of written) fs.rmSync(file, { force: true });
    return fail({
      reason: 'usage',
      message: `cannot write into ${folder}: ${causeOf(error)}`,
      hint: 'name a folder that you may write to: dynpart init DIR',
    });
  }
}

function nextCommands({
  cwd,
  folder,
  own,
}: {
  readonly cwd: string;
  readonly folder: string;
  readonly own: string;
}): string {
  const isHere = foundAbove(folder, 'dynpart');
  const command = isHere || isPassing(own) ? 'npx dynpart' : 'dynpart';
  const lines = [
    folder === cwd ? 'next:' : `next, after cd ${shellWord(path.relative(cwd, folder), 'DIR')}:`,
    `  ${command} check          what is wrong with the pipeline`,
    `  ${command} sensor tick    finds keys, and makes what is missing`,
    `  ${command} status         what there is`,
  ];
  const wanted = [
    ...(!isHere && isPassing(own) ? ['dynpart'] : []),
    ...(foundAbove(folder, '@types/node') ? [] : ['typescript', '@types/node']),
  ];
  if (wanted.length > 0)
    lines.push(`for the types in an editor and for tsc: npm install --save-dev ${wanted.join(' ')}`);
  return lines.join('\n');
}
