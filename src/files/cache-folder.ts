/** Where this user's caches lie. */
import path from 'node:path';

/** dynpart's part of the user's cache folder; `null` where the user has none. A cache is never needed. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string | null {
  const home = env['HOME'] ?? homeOfUser();
  const base = env['XDG_CACHE_HOME'] || (home === null ? null : path.join(home, '.cache'));
  return base === null || !path.isAbsolute(base) ? null : path.join(base, 'dynpart');
}

/** cron may set no HOME. */
function homeOfUser(): string | null {
  try {
    return process.getBuiltinModule('node:os').userInfo().homedir;
  } catch {
    return null;
  }
}
