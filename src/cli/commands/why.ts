/** `dynpart why`: why an asset was made, will be, or is not, by the plan that `materialize --dry-run` and automation follow. */
import { fail } from '../../model/failure.ts';
import type { Declaration } from '../command-line/declaration.ts';
import type { Context } from '../context.ts';
import type { WhyKey, WhySet } from '../json-results.ts';
import { checkedKeys } from '../read-keys.ts';
import { askedAbout } from '../why/asked-about.ts';
import { whyKey } from '../why/one-key.ts';
import { whySet } from '../why/whole-set.ts';

export function whyCommand(program: Declaration): void {
  program
    .command('why')
    .argument('<asset>')
    .description('why an asset was made for a key, will be, or is not; and what changes it')
    .option('--key <key>', 'of this key; without it, how many keys are in which state')
    .action(why);
}

interface WhyOptions {
  readonly key?: string;
}

async function why(context: Context, { key }: WhyOptions, name: string): Promise<WhyKey | WhySet> {
  if (key !== undefined) checkedKeys([key], '--key');
  const subject = await askedAbout(context, name);
  const { asset } = subject;
  if (asset.set === null && key !== undefined)
    fail({ reason: 'asset-without-key', asset: name, set: null, keys: [key] });
  return asset.set !== null && key === undefined
    ? whySet(context, subject)
    : whyKey(context, subject, key ?? null);
}
