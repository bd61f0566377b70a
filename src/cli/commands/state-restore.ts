/** `dynpart state restore`: puts a copy in the place of the state. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { io } from '../../files/durable-files.ts';
import { describe } from '../../model/describe-failure.ts';
import { fail, FailureError } from '../../model/failure.ts';
import { isoTime } from '../../model/time.ts';
import { checkState } from '../../state/document/check-state.ts';
import type { StateDocument } from '../../state/document/state-document.ts';
import { toldAsNoState } from '../../state/json/only-a-state.ts';
import { parseState } from '../../state/json/parse-state.ts';
import { stateContent } from '../../state/json/state-text.ts';
import type { Context } from '../context.ts';
import type { Project } from '../project.ts';
import type { RestoredState } from '../json-results.ts';

export async function run(
  { output, project, terminal, clock }: Context,
  { last }: { readonly last?: boolean },
  file: string | undefined,
): Promise<RestoredState> {
  if ((last === true) === (file !== undefined))
    fail({
      reason: 'usage',
      message: 'say what to restore: a file, or --last',
      hint: 'dynpart state restore FILE, or: dynpart state restore --last',
    });
  project.useNewState();
  const copy = file === undefined ? newestIntact(project) : readCopy(path.resolve(terminal.cwd, file));
  const time = isoTime(clock.now()).replace(/[:.]/g, '-');
  const { serial, kept, replaced } = await project.store.restore(
    copy,
    `before-restore-${time}`,
    file !== undefined,
  );
  if (replaced !== null)
    output.warn(
      `${file} is a copy of another state (its lineage is ${copy.lineage}, what was here is ${replaced})`,
    );
  output.chat(
    `restored as serial ${serial}${kept.length === 0 ? '' : `; what was there before is kept as ${kept.join(' and ')}`}`,
  );
  return { file: project.place, serial, kept };
}

function newestIntact(project: Project): StateDocument {
  const { store, place: file } = project;
  if ('database' in store)
    return fail({ reason: 'copy-unusable', file, why: 'a database has no generations' });
  // The last one may be what is wrong: it shares its content with a state file that was edited in place.
  const newest = store.file.newestGeneration((document) => checkState(document).length === 0);
  return newest ?? fail({ reason: 'copy-unusable', file, why: 'there is no intact generation beside it' });
}

function misnamed(message: string): never {
  return fail({ reason: 'usage', message, hint: 'name a copy made by: dynpart state export FILE' });
}

function readCopy(file: string): StateDocument {
  const named = io('read', file, () => statSync(file, { throwIfNoEntry: false }));
  if (named?.isDirectory()) return misnamed(`${file} is a folder, not a file`);
  // It may never end, as /dev/zero.
  if (named?.isCharacterDevice()) return misnamed(`${file} is a device, not a file`);
  const text = stateContent(file);
  if (text === null) return misnamed(`there is no file ${file}`);
  const unusable = (why: string): never => fail({ reason: 'copy-unusable', file, why });
  try {
    const copy = parseState(text, file);
    const [problem] = checkState(copy);
    return problem === undefined ? copy : unusable(problem.message);
  } catch (error) {
    if (!(error instanceof FailureError) || error.failure.reason === 'copy-unusable') throw error;
    return unusable(describe(toldAsNoState(error.failure, text)).message);
  }
}
