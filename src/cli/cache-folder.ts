/** Where the compiled code of a pipeline lies: in the user's cache folder, never beside the pipeline. */
import path from 'node:path';
import { cacheFolder } from '../files/cache-folder.ts';
import { fileNameOf } from '../files/file-name.ts';

/** `null` where the user has no folder for it. */
export function packFileFor(
  pipeline: string,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  const folder = cacheFolder(env);
  return folder === null ? null : path.join(folder, 'code', `${fileNameOf(pipeline)}.pack`);
}
