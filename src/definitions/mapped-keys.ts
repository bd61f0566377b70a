/** Asks a pipeline's own functions which upstream keys a key is made of. */
import { isPartitionKey, nameOfType } from '../model/partition-key.ts';
import { quoted } from '../model/text.ts';
import { describeThrown } from '../model/thrown.ts';
import type { Gathered } from './gathered.ts';
import type { AssetDefinition, Pipeline } from './pipeline.ts';

export type Mapped =
  | { readonly keys: readonly string[]; readonly isOne: boolean }
  /** What is wrong with the function. */
  | { readonly wrong: string; readonly frames: readonly string[] };

/** Which keys the function names, each once. */
export function mappedKeys({ which }: Gathered, key: string): Mapped {
  if (which.kind !== 'mapped') throw new Error('no function names these keys');
  let answer: unknown;
  let isOne = false;
  try {
    answer = which.map(key);
    isOne = typeof answer === 'string';
    if (isOne) answer = [answer];
    else if (Array.isArray(answer)) answer = [...(answer as unknown[])];
    else return wrongAnswer(`returned ${nameOfType(answer)}, where a key or a list of keys is meant`);
  } catch (error) {
    const { message, frames } = describeThrown(error);
    return { wrong: `threw: ${message}`, frames };
  }
  const keys = answer as unknown[];
  const odd = keys.find((one) => !isPartitionKey(one));
  if (odd !== undefined || keys.includes(undefined))
    return wrongAnswer(
      `named ${typeof odd === 'string' ? `${quoted(odd.slice(0, 60))}, which is no key` : `${nameOfType(odd)} as a key`}`,
    );
  return { keys: [...new Set(keys as string[])], isOne };
}

function wrongAnswer(wrong: string): Mapped {
  return { wrong, frames: [] };
}

/** Asked once for each key, as long as the pipeline is loaded. */
export function mappingOf({
  assets,
}: Pick<Pipeline, 'assets'>): (asset: string, at: number, key: string) => readonly string[] | null {
  const known = new Map<string, readonly string[] | null>();
  return (asset, at, key) => {
    const name = JSON.stringify([asset, at, key]);
    let keys = known.get(name);
    if (keys === undefined) {
      const gathered = assets.get(asset)?.gathers[at];
      const mapped = gathered?.which.kind === 'mapped' ? mappedKeys(gathered, key) : null;
      keys = mapped !== null && 'keys' in mapped ? mapped.keys : null;
      known.set(name, keys);
    }
    return keys;
  };
}

/** Whether a function names some of its upstream keys: then each of its keys takes others. */
export function isMappedAsset({ gathers }: Pick<AssetDefinition, 'gathers'>): boolean {
  return gathers.some(({ which }) => which.kind === 'mapped');
}
