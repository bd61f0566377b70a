/** `dynpart state migrate`: makes the tables of a state in PostgreSQL, or brings them forward. The only command that does. */
import { fail } from '../../model/failure.ts';
import type { Context } from '../context.ts';
import type { MigratedState } from '../json-results.ts';

export async function run({ output, project, clock }: Context): Promise<MigratedState> {
  const { database } = project;
  if (database === null)
    return fail({
      reason: 'usage',
      message: `the state ${project.stateFile} is a file, which needs no migration of its own`,
      hint: 'the next command that changes it brings it forward; for a state in PostgreSQL: dynpart state migrate --state postgres://…',
    });
  const { from, to, roles } = await database.migrate(clock);
  output.chat(
    from === to
      ? `${database.place} has version ${to} already`
      : `${database.place} ${from === null ? 'was made with' : `went from version ${from} to`} version ${to}`,
  );
  // Also where nothing was to be made: roles may come later.
  output.print(`${roles}\n`);
  return { from, to };
}
