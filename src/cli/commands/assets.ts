/** `dynpart assets …`: the assets of the pipeline and what they depend on; marking keys is in a file of its own. */
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { oneOf, repeated } from '../command-line/options.ts';
import type { KnownGathered } from '../../model/known-pipeline.ts';
import type { AssetList } from '../json-results.ts';

export function assetsCommand(program: Declaration): void {
  const assets = program.command('assets').description('list assets, mark keys by hand');
  assets.command('list').description('assets, their partitions and dependencies').action(list);
  assets
    .command('mark')
    .argument('<asset>')
    .description('say of keys that they were made elsewhere, are not there, or have nothing to make')
    .requiredOption(
      '--as <state>',
      'materialized (with their version), missing or skipped',
      oneOf('--as', ['materialized', 'missing', 'skipped']),
    )
    .option('--key <key>', 'this key (repeatable, never split at commas)', repeated)
    .option('--keys-from <file>', 'the keys of a file, one a line; - is standard input')
    .option('--json-lines', 'the lines of --keys-from are JSON strings')
    .option('--all', 'all keys')
    .option('--missing', 'keys that were never materialized')
    .option('--failed', 'keys whose last materialization failed')
    .option('--stale', 'keys of which what was made is stale')
    .option('--prefix <text>', 'only keys that begin so')
    .option('--dry-run', 'only say what would be marked')
    .actionIn(() => import('./assets-mark.ts'));
}

async function list({ output, project }: Context): Promise<AssetList> {
  const known = await project.known(await project.store.read({}));
  const assets = known.assets.map(({ name, set, inputs, deps, gathers = [] }) => ({
    asset: name,
    set,
    inputs,
    deps,
    gathers,
  }));
  if (assets.length === 0) output.chat('the pipeline has no assets');
  await output.table({
    columns: ['ASSET', 'PARTITIONS', 'INPUTS', 'DEPS', 'MANY KEYS OF'].map((title) => ({ title })),
    rows: assets.map(({ asset, set, inputs, deps, gathers }) => [
      asset,
      set ?? '-',
      inputs.join(', ') || '-',
      deps.join(', ') || '-',
      gathers.map((one) => inWords(one)).join(', ') || '-',
    ]),
  });
  return { assets };
}

function inWords({ asset, last, mapped }: KnownGathered): string {
  if (mapped) return `${asset} (mapped)`;
  return last === undefined ? `${asset} (all)` : `${asset} (last ${last})`;
}
