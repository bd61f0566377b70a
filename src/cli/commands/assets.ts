/** `dynpart assets list`: the assets of the pipeline and what they depend on. */
import type { Context } from '../context.ts';
import type { Declaration } from '../command-line/declaration.ts';

export function assetsCommand(program: Declaration): void {
  const assets = program.command('assets').description('the assets of the pipeline');
  assets.command('list').description('assets, their partitions and dependencies').action(list);
}

async function list(context: Context): Promise<void> {
  const known = await context.project.known(await context.project.store.read({}));
  const assets = known.assets.map(({ name, set, inputs, deps }) => ({ asset: name, set, inputs, deps }));
  Object.assign(context.output.document, { assets });
  if (assets.length === 0) return context.output.chat('the pipeline has no assets');
  await context.output.table({
    columns: [{ title: 'ASSET' }, { title: 'PARTITIONS' }, { title: 'INPUTS' }, { title: 'DEPS' }],
    rows: assets.map(({ asset, set, inputs, deps }) => [
      asset,
      set ?? '-',
      inputs.join(', ') || '-',
      deps.join(', ') || '-',
    ]),
  });
}
