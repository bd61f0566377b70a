/** Where caches live: the user's cache folder, never beside the pipeline. */
import path from 'node:path';
import { fileNameOf } from '../files/file-name.ts';

/** The file for the compiled code of a pipeline, or `null` where the user has no folder for it. A cache is never needed. */
export function packFileFor(
  pipeline: string,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  const home = env['HOME'] ?? homeOfUser();
  const base = env['XDG_CACHE_HOME'] || (home === null ? null : path.join(home, '.cache'));
  if (base === null || !path.isAbsolute(base)) return null;
  return path.join(base, 'dynpart', 'code', `${fileNameOf(pipeline)}.pack`);
}

/** cron may set no HOME. */
function homeOfUser(): string | null {
  try {
    return process.getBuiltinModule('node:os').userInfo().homedir;
  } catch {
    return null;
  }
}
