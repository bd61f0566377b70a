/** What a source was given, checked at once: a mistake is told where it stands, and not by the first tick. */
import type { DynamicPartitions } from '../definitions/partitions.ts';
import { whyNotAKey } from '../model/partition-key.ts';
import type { SourceOptions } from './offer.ts';

/** @throws TypeError for a set that is none, and for options that cannot be meant */
export function checkSource(source: string, set: unknown, options: SourceOptions): void {
  if (typeof (set as Partial<DynamicPartitions> | undefined)?.buildAddRequest !== 'function')
    throw new TypeError(`${source}() needs a set that its keys are for, made by dynamicPartitions()`);
  // Without TypeScript anything may be given.
  if (Object(options) !== options) throw new TypeError(`${source}() needs an object of options`);
  const { prefix, backlog, requestRuns } = options;
  if (requestRuns !== undefined && typeof requestRuns !== 'boolean')
    throw new TypeError(`requestRuns of ${source}() must be true or false`);
  if (prefix !== undefined && (typeof prefix !== 'string' || (prefix !== '' && whyNotAKey(prefix) !== null)))
    throw new TypeError(`prefix of ${source}() must be a text that may begin a key`);
  if (prefix !== undefined && Buffer.byteLength(prefix) > 512)
    throw new TypeError(`prefix of ${source}() has more than 512 bytes`);
  if (backlog === undefined) return;
  const { first, perTick } = backlog;
  if ((first !== 'newest' && first !== 'oldest') || !Number.isInteger(perTick) || perTick < 1)
    throw new TypeError(
      `backlog of ${source}() must be { first: 'newest' or 'oldest', perTick: a whole number above 0 }`,
    );
}

/** @throws TypeError */
export function checkLimits<Name extends string>(
  source: string,
  options: { readonly [name in Name]?: number },
  names: readonly Name[],
): void {
  for (const name of names)
    if (options[name] !== undefined && !(options[name] > 0))
      throw new TypeError(`${name} of ${source}() must be a number above 0`);
}

/** @throws TypeError for what is no address, or one of another kind */
export function addressOf(
  source: string,
  url: unknown,
  { example, kinds }: { readonly example: string; readonly kinds: readonly string[] },
): URL {
  let address: URL;
  try {
    address = new URL(url as string);
  } catch (error) {
    throw new TypeError(`${source}() needs an address such as ${example}, not ${JSON.stringify(url)}`, {
      cause: error,
    });
  }
  if (!kinds.includes(address.protocol)) {
    const all = kinds.map((kind) => (kind === 'data:' ? kind : `${kind}//`));
    throw new TypeError(
      `${source}() reads ${all.slice(0, -1).join(', ')} and ${all.at(-1)}, not ${address.protocol}`,
    );
  }
  return address;
}
