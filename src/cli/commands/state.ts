/** `dynpart state …`: what there is for the state itself, each command in a file of its own, which is loaded on use. */
import type { Declaration } from '../command-line/declaration.ts';

export function stateCommand(program: Declaration): void {
  const state = program.command('state').description('check, copy and restore the state');
  state
    .command('check')
    .description('every invariant of the state; a problem is exit code 5')
    .actionIn(() => import('./state-check.ts'));
  state
    .command('migrate')
    .description(
      'make the tables of a state in PostgreSQL, or bring them forward; prints what to say for other roles',
    )
    .actionIn(() => import('./state-migrate.ts'));
  state
    .command('adopt')
    .description('make the state that of this pipeline file: it belonged to another one, or was shared')
    .actionIn(() => import('./state-adopt.ts'));
  state
    .command('move')
    .description(
      'to another file, or to PostgreSQL: keys, runs, history, logs and values, compared where they went',
    )
    .option('--to <state>', 'a file, or postgres://…')
    .option('--no-values', 'leave what assets returned where it is')
    .option('--dry-run', 'count what would be moved')
    .option('--give-up', 'an interrupted move: the state stays here')
    .actionIn(() => import('./state-move.ts'));
  state
    .command('export')
    .argument('[file]', 'without it, or as -: standard output')
    .description('a copy of the state, as one consistent document')
    .actionIn(() => import('./state-export.ts'));
  state
    .command('restore')
    .argument('[file]', 'a copy made by export')
    .description('put a copy in the place of the state; what is there now is kept beside it')
    .option('--last', 'the newest intact generation')
    .actionIn(() => import('./state-restore.ts'));
}
