/** Where the value of an asset and key belongs. */
import path from 'node:path';
import type { ValueContext } from '../definitions/io-manager.ts';
import { fileNameOf } from '../files/file-name.ts';

/** How a value is kept: as bytes, as nothing, as JSON. */
export const ENDINGS = ['.bin', '.none', '.json'] as const;

/** Stands in place of an ending where the value is to go, see `skip`. */
export const GONE = '.gone';

/** Its file, but for the ending. */
export function placeIn(valuesFolder: string, { asset, partitionKey }: ValueContext): string {
  // An asset without partitions has one value; its name cannot be a key's, since keys are encoded and never hold a '='.
  return path.join(valuesFolder, fileNameOf(asset), partitionKey === null ? '=' : fileNameOf(partitionKey));
}
