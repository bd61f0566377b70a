/** `dynpart state check`: every invariant of the state. */
import { checkState } from '../../state/document/check-state.ts';
import type { Context } from '../context.ts';
import type { CheckedState } from '../json-results.ts';
import type { Store } from '../stores.ts';

async function checked(store: Store): Promise<Pick<CheckedState, 'serial' | 'problems'>> {
  if ('database' in store) return store.checked();
  const document = await store.document();
  return { serial: document.serial, problems: checkState(document) };
}

export async function run({ output, project }: Context): Promise<CheckedState> {
  const { serial, problems } = await checked(project.store);
  if (problems.length === 0) {
    output.print(`ok: serial ${serial}, no problems\n`);
    return { ok: true, serial, problems };
  }
  for (const { code, message } of problems) output.print(`${code}: ${message}\n`);
  output.sayProblem({
    code: 'state-problems',
    message: `${project.place} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`,
    hint: 'to take a copy that has none: dynpart state restore FILE, or --last for the generation before',
  });
  output.exitWith(5);
  return { ok: false, serial, problems };
}
