/** `dynpart partitions …`: the keys of a set. What changes them by hand has a file of its own. */
import { counted, printable, quoted, toJson } from '../../model/text.ts';
import { fail } from '../../model/failure.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { age, wholeNumber } from '../command-line/options.ts';
import type { add, remove, sync } from './partitions-change.ts';

export function partitionsCommand(program: Declaration): void {
  const partitions = program.command('partitions').description('list, add and remove partition keys');
  partitions
    .command('list')
    .argument('[set]', 'the set; without it, the sets')
    .description('keys of a set in the order of adding; without SET the sets')
    .option('--prefix <text>', 'only keys that begin so')
    .option('--limit <n>', 'at most so many', wholeNumber('--limit', 1))
    .option('--after <key>', 'only keys that stand after this one')
    .option('--count', 'only how many the other flags leave')
    .option('--json-lines', 'each key as a JSON string, as `--from - --json-lines` reads them')
    .action(list);
  partitions
    .command('add')
    .argument('<set>')
    .argument('[keys...]')
    .description('add keys; those that are there already are skipped')
    .option('--from <file>', 'a key a line; - is standard input')
    .option('--json-lines', 'the lines of --from are JSON strings')
    .option('--materialize', 'materialize the assets of the set for the keys that are new')
    .action(async (...given: Parameters<typeof add>) =>
      (await import('./partitions-change.ts')).add(...given),
    );
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
    .action(async (...given: Parameters<typeof remove>) =>
      (await import('./partitions-change.ts')).remove(...given),
    );
  partitions
    .command('sync')
    .argument('<set>')
    .description('make a set equal to a list')
    .requiredOption('--from <file>', 'a key a line; - is standard input')
    .option('--json-lines', 'the lines of --from are JSON strings')
    .option('--allow-empty', 'an empty list empties the set')
    .option('--max-remove <n>', 'refuse to remove more: a number, or N% of the set')
    .option('--dry-run', 'only say what would change')
    .action(async (...given: Parameters<typeof sync>) =>
      (await import('./partitions-change.ts')).sync(...given),
    );
}

interface ListOptions {
  readonly prefix?: string;
  readonly limit?: number;
  readonly after?: string;
  readonly count?: boolean;
  readonly jsonLines?: boolean;
}

async function list(context: Context, options: ListOptions, set: string | undefined): Promise<void> {
  if (set === undefined) return listSets(context);
  await context.project.checkSet(set);
  const { prefix, after, limit } = options;
  const query = {
    set,
    ...(prefix !== undefined && { prefix }),
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
  };
  const view = await context.project.store.read({
    pages: [query],
    keys: [{ set, keys: after === undefined ? [] : [after] }],
  });
  if (after !== undefined && !view.present(set, [after]).has(after)) {
    fail({ reason: 'unknown-keys', sets: [set], keys: [after] });
  }
  const page = view.page(query);
  if (options.count) {
    Object.assign(context.output.document, { set, total: page.keys.length });
    return context.output.print(`${page.keys.length}\n`);
  }
  Object.assign(context.output.document, { set, ...page });
  if (context.output.options.json) return;
  if (options.jsonLines) return context.output.print(page.keys.map(({ key }) => `${toJson(key)}\n`).join(''));
  if (!context.terminal.stdout.isTerminal)
    return context.output.print(page.keys.map(({ key }) => `${printable(key)}\n`).join(''));
  if (page.total === 0)
    return context.output.chat(`set '${set}' is empty; add a key: dynpart partitions add ${set} KEY`);
  await context.output.table({
    columns: [
      { title: 'KEY', keeps: 'difference' },
      { title: 'ADDED', keeps: 'all' },
    ],
    rows: page.keys.map(({ key, addedAt }) => [printable(key), context.output.when(addedAt)]),
  });
  if (page.next !== null)
    context.output.chat(
      `${page.keys.length} of ${counted(page.total, 'key')}; the next ones: --after ${quoted(page.next)}`,
    );
}

async function listSets(context: Context): Promise<void> {
  const view = await context.project.store.read({ sets: true });
  const known = await context.project.known(view).catch((error: unknown) => {
    if (view.setNames().length > 0) return null;
    throw error;
  });
  const names = [...new Set([...(known?.sets ?? []), ...view.setNames()])];
  const sets = names.map((set) => ({ set, total: view.size(set) }));
  Object.assign(context.output.document, { sets });
  if (sets.length === 0)
    return context.output.chat('there is no set yet: an asset with partitions makes one');
  await context.output.table({
    columns: [{ title: 'SET' }, { title: 'KEYS', align: 'right' }],
    rows: sets.map(({ set, total }) => [set, String(total)]),
  });
}
