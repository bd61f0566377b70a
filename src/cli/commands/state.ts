/** `dynpart state …`: every invariant checked, a copy, the way back. */
import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { describe } from '../../definitions/failure-words.ts';
import { fail, FailureError } from '../../definitions/failure.ts';
import { isoTime } from '../../definitions/time.ts';
import { checkState } from '../../state/check-state.ts';
import {
  io,
  makeFolder,
  readIfThere,
  removeQuietly,
  syncFolder,
  writeDurably,
} from '../../state/json/durable-files.ts';
import { newLineage } from '../../state/json/json-file-store.ts';
import { parseState } from '../../state/json/parse-state.ts';
import { LAST_SERIAL, type StateDocument } from '../../state/state-document.ts';
import type { Context } from '../context.ts';
import type { Act } from '../act.ts';

export function stateCommand(program: Command, act: Act): void {
  const state = program.command('state').description('check, copy and restore the state');
  state
    .command('check')
    .description('every invariant of the state; a problem is exit code 5')
    .action(act(check));
  state
    .command('export')
    .argument('[file]', 'without it: standard output')
    .description('a copy of the state, as one consistent document')
    .action(act(exportTo));
  state
    .command('restore')
    .argument('[file]', 'a copy made by export')
    .description('put a copy in the place of the state; what is there now is kept beside it')
    .option('--last', 'the newest intact generation')
    .action(act(restore));
}

async function check(context: Context): Promise<void> {
  const document = await context.store.document();
  const problems = checkState(document);
  Object.assign(context.document, { ok: problems.length === 0, serial: document.serial, problems });
  if (problems.length === 0) return context.print(`ok: serial ${document.serial}, no problems\n`);
  for (const { code, message } of problems) context.print(`${code}: ${message}\n`);
  context.sayProblem({
    code: 'state-problems',
    message: `${context.store.file.path} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`,
    hint: 'to take a copy that has none: dynpart state restore FILE, or --last for the generation before',
  });
  context.exitWith(5);
}

async function exportTo(context: Context, _: object, file: string | undefined): Promise<void> {
  const document = await context.store.document();
  const text = `${JSON.stringify(document)}\n`;
  if (file === undefined) {
    if (context.options.json)
      fail({
        reason: 'usage',
        message: 'with --json the copy needs a file of its own',
        hint: 'dynpart state export FILE --json',
      });
    return context.print(text);
  }
  const target = path.resolve(context.terminal.cwd, file);
  // Something else than a file, such as /dev/stdout, would be replaced by one.
  const there = io('read', target, () => fs.statSync(target, { throwIfNoEntry: false }));
  if (there !== undefined && !there.isFile() && !there.isDirectory())
    fail({
      reason: 'usage',
      message: `${target} is not a file`,
      hint: 'without a name the copy goes to standard output',
    });
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    io('write', target, () => {
      writeDurably(temporary, text);
      fs.renameSync(temporary, target);
      syncFolder(path.dirname(target));
    });
  } finally {
    removeQuietly(temporary);
  }
  Object.assign(context.document, { file: target, serial: document.serial });
  context.chat(`serial ${document.serial} written to ${target}`);
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
  const stateFile = context.store.file;
  const copy =
    file === undefined ? newestIntact(context) : readCopy(path.resolve(context.terminal.cwd, file));
  const kept = keepPresent(context);
  const serial = Math.max(stateFile.highestSerial(), serialOf(readIfThere(stateFile.path)), copy.serial) + 1;
  const now = isoTime(context.clock.now());
  // Runs that were queued then belong to nobody now, and whoever executed them has long finished or died.
  const runs = copy.runs.map((group) => ({
    ...group,
    owner: null,
    ownedSince: 0,
    status: group.status.replaceAll('s', 'q'),
    startedAt: {},
  }));
  await stateFile.write({
    ...copy,
    lineage: copy.lineage || newLineage(context.clock),
    serial,
    writtenBy: { version: context.version, at: now },
    executors: [],
    runs,
  });
  Object.assign(context.document, { file: stateFile.path, serial });
  context.chat(
    `restored as serial ${serial}${kept === null ? '' : `; what was there before is kept as ${kept}`}`,
  );
}

function newestIntact(context: Context): StateDocument {
  // The last one may be what is wrong: it shares its content with a state file that was edited in place.
  const newest = context.store.file.newestGeneration((document) => checkState(document).length === 0);
  const file = context.store.file.path;
  return (
    newest?.document ??
    fail({ reason: 'copy-unusable', file, why: 'there is no intact generation beside it' })
  );
}

function readCopy(file: string): StateDocument {
  const text = io('read', file, () => readIfThere(file));
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

/** The present file, whatever is in it, under a name of its own. */
function keepPresent(context: Context): string | null {
  const { path: file, folder } = context.store.file;
  makeFolder(folder);
  const text = io('read', file, () => (fs.existsSync(file) ? fs.readFileSync(file) : null));
  if (text === null) return null;
  const kept = `${file}.before-restore-${isoTime(context.clock.now()).replace(/[:.]/g, '-')}`;
  io('write', kept, () => writeDurably(kept, text));
  return kept;
}

/** The serial in a file that may be damaged. */
function serialOf(text: string | null): number {
  const serial = Number(/"serial":(\d{1,12})\b/.exec(text ?? '')?.[1] ?? 0);
  // One that is damaged, too, must not become the new one.
  return serial < LAST_SERIAL ? serial : 0;
}
