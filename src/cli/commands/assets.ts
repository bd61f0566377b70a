/** `dynpart assets list`: the assets of the pipeline and what they depend on. */
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';
import type { AssetList } from '../json-results.ts';

export function assetsCommand(program: Declaration): void {
  const assets = program.command('assets').description('the assets of the pipeline');
  assets.command('list').description('assets, their partitions and dependencies').action(list);
}

async function list({ output, project }: Context): Promise<AssetList> {
  const known = await project.known(await project.store.read({}));
  const assets = known.assets.map(({ name, set, inputs, deps }) => ({ asset: name, set, inputs, deps }));
  if (assets.length === 0) output.chat('the pipeline has no assets');
  await output.table({
    columns: [{ title: 'ASSET' }, { title: 'PARTITIONS' }, { title: 'INPUTS' }, { title: 'DEPS' }],
    rows: assets.map(({ asset, set, inputs, deps }) => [
      asset,
      set ?? '-',
      inputs.join(', ') || '-',
      deps.join(', ') || '-',
    ]),
  });
  return { assets };
}
