/** `dynpart state …`: every invariant checked, a copy, the way back. */
import path from 'node:path';
import { describe } from '../../model/failure-words.ts';
import { fail, FailureError } from '../../model/failure.ts';
import { isoTime } from '../../model/time.ts';
import { checkState } from '../../state/document/check-state.ts';
import { parseState } from '../../state/json/parse-state.ts';
import { stateContent } from '../../state/json/state-text.ts';
import type { StateDocument } from '../../state/document/state-document.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { writeFile } from '../write-file.ts';

export function stateCommand(program: Declaration): void {
  const state = program.command('state').description('check, copy and restore the state');
  state.command('check').description('every invariant of the state; a problem is exit code 5').action(check);
  state
    .command('adopt')
    .description('make the state that of this pipeline file: it belonged to another one, or was shared')
    .action(adopt);
  state
    .command('export')
    .argument('[file]', 'without it: standard output')
    .description('a copy of the state, as one consistent document')
    .action(exportTo);
  state
    .command('restore')
    .argument('[file]', 'a copy made by export')
    .description('put a copy in the place of the state; what is there now is kept beside it')
    .option('--last', 'the newest intact generation')
    .action(restore);
}

async function check(context: Context): Promise<void> {
  const document = await context.project.store.document();
  const problems = checkState(document);
  Object.assign(context.output.document, { ok: problems.length === 0, serial: document.serial, problems });
  if (problems.length === 0) return context.output.print(`ok: serial ${document.serial}, no problems\n`);
  for (const { code, message } of problems) context.output.print(`${code}: ${message}\n`);
  context.output.sayProblem({
    code: 'state-problems',
    message: `${context.project.store.file.path} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`,
    hint: 'to take a copy that has none: dynpart state restore FILE, or --last for the generation before',
  });
  context.output.exitWith(5);
}

export interface AdoptedState {
  /** The pipeline file that it belonged to; `null`: to none. */
  readonly from: string | null;
  readonly to: string;
}

async function adopt(context: Context): Promise<void> {
  context.project.useForeignState();
  const known = await context.project.loadedAsKnown();
  const from = await context.project.store.commit({ executors: true }, (view) => {
    const busy = view.executors().find(({ alive }) => alive);
    if (busy !== undefined && view.pipeline?.file !== known.file)
      fail({
        reason: 'usage',
        message: `process ${busy.pid} on ${busy.host} is executing runs of ${view.pipeline?.file ?? 'another pipeline'} in this state`,
        hint: 'let it end, or end it, and run the command again',
      });
    return { changes: [{ type: 'pipeline-known', pipeline: known }], outcome: view.pipeline?.file ?? null };
  });
  const adopted: AdoptedState = { from, to: known.file };
  Object.assign(context.output.document, adopted);
  context.output.chat(
    `${context.project.store.file.path} belongs to ${known.file} now${from === null || from === known.file ? '' : `; it was the state of ${from}`}`,
  );
}

async function exportTo(context: Context, _: object, file: string | undefined): Promise<void> {
  const document = await context.project.store.document();
  const { path: stateFile } = context.project.store.file;
  const text = `${JSON.stringify(document)}\n`;
  if (file === undefined) {
    if (context.output.options.json)
      fail({
        reason: 'usage',
        message: 'with --json the copy needs a file of its own',
        hint: 'dynpart state export FILE --json',
      });
    return context.output.print(text);
  }
  // What no restore would take is no copy.
  if (document.serial === 0)
    fail({
      reason: 'usage',
      message: `there is no state yet in ${stateFile}`,
      hint: 'the first tick, or partitions add, makes it',
    });
  const target = writeFile(context, file, {
    content: text,
    // A copy of another state may be the only one that there is.
    isOwn: (head) => head.startsWith('{"schema":') && head.includes(`"lineage":"${document.lineage}"`),
  });
  Object.assign(context.output.document, { file: target, serial: document.serial });
  context.output.chat(`serial ${document.serial} written to ${target}`);
}

async function restore(
  context: Context,
  { last }: { readonly last?: boolean },
  file: string | undefined,
): Promise<void> {
  if ((last === true) === (file !== undefined))
    fail({
      reason: 'usage',
      message: 'say what to restore: a file, or --last',
      hint: 'dynpart state restore FILE, or: dynpart state restore --last',
    });
  const copy =
    file === undefined ? newestIntact(context) : readCopy(path.resolve(context.terminal.cwd, file));
  const { path: stateFile } = context.project.store.file;
  const time = isoTime(context.clock.now()).replace(/[:.]/g, '-');
  const { serial, kept, replaced } = await context.project.store.restore(
    copy,
    `before-restore-${time}`,
    file !== undefined,
  );
  Object.assign(context.output.document, { file: stateFile, serial, kept });
  if (replaced !== null)
    context.output.warn(
      `${file} is a copy of another state (its lineage is ${copy.lineage}, what was here is ${replaced})`,
    );
  context.output.chat(
    `restored as serial ${serial}${kept.length === 0 ? '' : `; what was there before is kept as ${kept.join(' and ')}`}`,
  );
}

function newestIntact(context: Context): StateDocument {
  // The last one may be what is wrong: it shares its content with a state file that was edited in place.
  const newest = context.project.store.file.newestGeneration((document) => checkState(document).length === 0);
  const file = context.project.store.file.path;
  return newest ?? fail({ reason: 'copy-unusable', file, why: 'there is no intact generation beside it' });
}

function readCopy(file: string): StateDocument {
  const text = stateContent(file);
  if (text === null)
    return fail({
      reason: 'usage',
      message: `there is no file ${file}`,
      hint: 'name a copy made by: dynpart state export FILE',
    });
  const unusable = (why: string): never => fail({ reason: 'copy-unusable', file, why });
  try {
    const copy = parseState(text, file);
    const [problem] = checkState(copy);
    return problem === undefined ? copy : unusable(problem.message);
  } catch (error) {
    if (!(error instanceof FailureError) || error.failure.reason === 'copy-unusable') throw error;
    return unusable(describe(error.failure).message);
  }
}
