/** pg-boss, pinned: installed once, into a cache folder, since dynpart does not depend on it. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const BOSS = 'pg-boss@12.38.0';

/** @returns {{ folder: string, missing?: undefined } | { missing: string, folder?: undefined }} */
export function findBoss() {
  const cache = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
  const folder = path.join(cache, 'dynpart-bench', BOSS);
  const marker = path.join(folder, 'installed');
  if (!fs.existsSync(marker)) {
    process.stderr.write(`installing ${BOSS} into ${folder} …\n`);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{"private":true}\n');
    const { status, stderr, error } = spawnSync(
      'npm',
      ['install', '--no-audit', '--no-fund', '--loglevel=error', BOSS],
      { cwd: folder, encoding: 'utf8' },
    );
    if (error !== undefined || status !== 0)
      return { missing: `npm could not install it: ${error?.message ?? stderr.trim().split('\n').at(-1)}` };
    fs.writeFileSync(marker, '');
  }
  return { folder };
}
