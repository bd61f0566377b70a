/** Where caches live: the user's cache folder, never beside the pipeline. */
import fs from 'node:fs';
import path from 'node:path';
import { isPrivate } from '../loader/module-pack.ts';
import { makeMissing } from '../state/json/durable-files.ts';
import { fileNameOf } from '../state/json/file-name.ts';

/**
 * The file for the compiled code of a pipeline, or `null` where none can be written. A cache is never needed.
 * Neither is it used in a folder that somebody else could put a file into, since what is in it is executed.
 */
export function packFileFor(
  pipeline: string,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  const home = env['HOME'] ?? homeOfUser();
  const base = env['XDG_CACHE_HOME'] || (home === null ? null : path.join(home, '.cache'));
  if (base === null || !path.isAbsolute(base)) return null;
  const folder = path.join(base, 'dynpart', 'code');
  try {
    makeMissing(folder, 0o700);
    fs.accessSync(folder, fs.constants.W_OK);
    if (!isPrivate(fs.statSync(folder))) return null;
    return path.join(folder, `${fileNameOf(pipeline)}.pack`);
  } catch {
    return null;
  }
}

/** cron may set no HOME. */
function homeOfUser(): string | null {
  try {
    return process.getBuiltinModule('node:os').userInfo().homedir;
  } catch {
    return null;
  }
}
