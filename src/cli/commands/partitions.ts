/** `dynpart partitions …`: what there is for the keys of a set, each command in a file of its own. All but the list are loaded on use. */
import type { Declaration } from '../command-line/declaration.ts';
import { age, oneOf, wholeNumber } from '../command-line/options.ts';
import { run as list } from './partitions-list.ts';

export function partitionsCommand(program: Declaration): void {
  const partitions = program.command('partitions').description('list, add and remove partition keys');
  partitions
    .command('list')
    .argument('[set]', 'the set; without it, the sets')
    .description('keys of a set in the order of adding; without SET the sets')
    .option('--prefix <text>', 'only keys that begin so')
    .option(
      '--status <status>',
      'only keys of which an asset is in this state (materialized: all of them)',
      oneOf('--status', ['missing', 'failed', 'stale', 'skipped', 'materialized', 'backlog']),
    )
    .option('--asset <asset>', 'only this asset counts for --status')
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1))
    .option('--after <key>', 'only keys that stand after this one')
    .option('--count', 'only how many the other flags leave')
    .option('--json-lines', 'each key as a JSON string, as `--from - --json-lines` reads them')
    .action(list);
  partitions
    .command('show')
    .argument('<set>')
    .argument('<key>')
    .description('one key: per asset its state, last run, error and value')
    .actionIn(() => import('./partitions-show.ts'));
  partitions
    .command('add')
    .argument('<set>')
    .argument('[keys...]')
    .description('add keys; those that are there already are skipped, or updated with what is given')
    .option('--from <file>', 'a key a line; - is standard input')
    .option('--json-lines', 'the lines of --from are JSON strings, or {"key", "version", "item"}')
    .option('--version <text>', 'the version of the one key: another one makes stale what was made of it')
    .option('--item <json>', 'what the one key carries')
    .option('--materialize', 'materialize the assets of the set for the keys that are new')
    .actionIn(() => import('./partitions-add.ts'));
  partitions
    .command('remove')
    .argument('<set>')
    .argument('[keys...]')
    .description('remove keys and cancel their runs; stored values stay')
    .option('--from <file>', 'a key a line; - is standard input')
    .option('--json-lines', 'the lines of --from are JSON strings')
    .option('--older-than <age>', 'keys that were added longer ago, such as 30d', age('--older-than'))
    .option(
      '--keep-last <n>',
      'all but the newest N keys (with --older-than: only those that both name)',
      wholeNumber('--keep-last', 0),
    )
    .option('--keep-out', 'sensors may not bring them back')
    .option('--purge', 'delete their stored values, too')
    .option('--dry-run', 'only say what would be removed')
    .actionIn(() => import('./partitions-remove.ts'));
  partitions
    .command('sync')
    .argument('<set>')
    .description('make a set equal to a list')
    .requiredOption('--from <file>', 'a key a line; - is standard input')
    .option('--json-lines', 'the lines of --from are JSON strings')
    .option('--allow-empty', 'an empty list empties the set')
    .option('--max-remove <n>', 'refuse to remove more: a number, or N% of the set')
    .option('--dry-run', 'only say what would change')
    .actionIn(() => import('./partitions-sync.ts'));
}
