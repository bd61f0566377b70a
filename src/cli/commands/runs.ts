/** `dynpart runs …`: what there is for runs, each command in a file of its own. All but the list are loaded on use. */
import type { Declaration } from '../command-line/declaration.ts';
import { wholeNumber } from '../command-line/options.ts';
import { withRunFilters } from '../run-filters.ts';
import { run as list } from './runs-list.ts';

export function runsCommand(program: Declaration): void {
  const runs = program.command('runs').description('runs, what they printed, retry and cancel');
  withRunFilters(runs.command('list').description('runs, newest first'))
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1), 50)
    .option('--after <id>', 'only runs that stand after this one in the list')
    .action(list);
  runs
    .command('show')
    .argument('<id>')
    .description('one run, its assets and their metadata')
    .actionIn(() => import('./runs-show.ts'));
  runs
    .command('logs')
    .argument('<id>')
    .description('what a run printed, by attempt')
    .option('--follow', 'go on until the run has ended')
    .actionIn(() => import('./runs-logs.ts'));
  withRunFilters(runs.command('retry').argument('[ids...]'))
    .description('new runs for the assets that did not succeed; by filters: of the newest run of each key')
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .actionIn(() => import('./runs-retry.ts'));
  withRunFilters(runs.command('cancel').argument('[ids...]'))
    .description('cancel queued runs and abort started ones, also in another process')
    .actionIn(() => import('./runs-cancel.ts'));
  runs
    .command('release')
    .argument('<ids...>')
    .description('say that the process which owns these runs is gone for good: others may take them up')
    .actionIn(() => import('./runs-release.ts'));
}
