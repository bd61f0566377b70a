/** `dynpart materialize`: make assets for chosen keys, now. */
import { materializeSelection, type RunFlags } from '../materialize-selection.ts';
import { fail } from '../../model/failure.ts';
import type { Selection } from '../../engine/plan/materialize/selection.ts';
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import type { Executed } from '../json-results-of-runs.ts';
import { age, oneOf, repeated, wholeNumber } from '../command-line/options.ts';
import { type ChosenKeys, keysChosen } from '../read-keys.ts';

export function materializeCommand(program: Declaration): void {
  program
    .command('materialize')
    .argument('[assets...]', 'what to materialize; without it, all assets')
    .description('materialize assets for chosen keys')
    .option('--key <key>', 'this key (repeatable, never split at commas)', repeated)
    .option('--keys-from <file>', 'the keys of a file, one a line; - is standard input')
    .option('--json-lines', 'the lines of --keys-from are JSON strings')
    .option('--all', 'all keys')
    .option('--missing', 'keys that were never materialized')
    .option('--failed', 'keys whose last materialization failed')
    .option('--stale', 'keys of which what was made is stale: version, code or upstream changed since')
    .option('--prefix <text>', 'only keys that begin so')
    .option('--add', 'register unknown keys first')
    .option('--order <order>', 'oldest or newest keys first', oneOf('--order', ['oldest', 'newest']))
    .option('--limit <n>', 'at most so many keys of a set', wholeNumber('--limit', 1))
    .option('--concurrency <n>', 'so many runs at the same time', wholeNumber('--concurrency', 1))
    .option(
      '--for <duration>',
      'no run begins after so long (10m); the rest stays queued',
      age('--for', '10m'),
    )
    .option('--fail-fast', 'start nothing more after a failure')
    .option('--dry-run', 'only say what would run')
    .option('--no-run', 'leave the runs queued for a worker')
    .option('--summary', 'leave the list of runs out of --json')
    .action(materialize);
}

interface MaterializeOptions extends ChosenKeys, RunFlags {
  readonly missing?: boolean;
  readonly failed?: boolean;
  readonly stale?: boolean;
  readonly prefix?: string;
  readonly add?: boolean;
  readonly order?: 'oldest' | 'newest';
  readonly limit?: number;
}

async function materialize(
  context: Context,
  options: MaterializeOptions,
  assets: readonly string[],
): Promise<Executed> {
  const keys = keysChosen(context.terminal, options);
  if (options.add && keys === null)
    fail({
      reason: 'usage',
      message: '--add registers named keys, and none was named',
      hint: 'name them with --key KEY or --keys-from FILE',
    });
  const selection: Selection = {
    assets,
    keys,
    waits: options.key !== undefined,
    all: options.all ?? false,
    missing: options.missing ?? false,
    failed: options.failed ?? false,
    stale: options.stale ?? false,
    prefix: options.prefix ?? null,
    order: options.order ?? 'oldest',
    limit: options.limit ?? null,
    add: options.add ?? false,
  };
  return materializeSelection(context, selection, options);
}
