/** The virtual environment of the peers that are written in Python: made once, in a cache folder, pinned by requirements.txt. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const here = import.meta.dirname;

/**
 * The folder of its programs, or why it is not there.
 * @typedef {{ programs: string, missing?: undefined } | { missing: string, programs?: undefined }} Found
 * @typedef {Found & { version: string }} Peer
 */

/**
 * @param {readonly string[]} [only] the names that matter; all others are not installed. Default: all
 * @returns for each line of requirements.txt, by its name, either the folder of its programs or why it is not there
 */
export function pythonPeers(only) {
  const requirements = fs.readFileSync(path.join(here, 'requirements.txt'), 'utf8').trim().split('\n');
  const wanted = requirements.filter((line) => only?.includes(line.split('==')[0] ?? '') ?? true);
  /**
   * @param {(requirement: string) => Found} of
   * @returns {Record<string, Peer>}
   */
  const byName = (of) =>
    Object.fromEntries(
      wanted.map((line) => {
        const [name = '', version = ''] = line.split('==');
        return [name, { version, ...of(line) }];
      }),
    );
  const version = quietly('python3', ['--version']);
  if (version.failed) return byName(() => ({ missing: 'python3 is not there' }));
  const digest = createHash('sha256').update(version.said).update(requirements.join('\n')).digest('hex');
  const cache = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
  const folder = path.join(cache, 'dynpart-bench', `peers-${digest.slice(0, 12)}`);
  const programs = path.join(folder, 'bin');
  if (!fs.existsSync(path.join(programs, 'pip'))) {
    const made = quietly('python3', ['-m', 'venv', folder]);
    if (made.failed) return byName(() => ({ missing: `no virtual environment: ${made.said}` }));
  }
  return byName((requirement) => {
    const marker = path.join(folder, `${requirement}.installed`);
    if (!fs.existsSync(marker)) {
      process.stderr.write(`installing ${requirement} into ${folder} …\n`);
      const installed = quietly(path.join(programs, 'pip'), [
        'install',
        '--quiet',
        '--disable-pip-version-check',
        requirement,
      ]);
      if (installed.failed) return { missing: `pip could not install it: ${installed.said}` };
      fs.writeFileSync(marker, '');
    }
    return { programs };
  });
}

/**
 * With the environment of the caller: a proxy and an index of packages are named there.
 * @param {string} program
 * @param {readonly string[]} args
 */
function quietly(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  const said = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').at(-1) ?? '';
  return { failed: error !== undefined || status !== 0, said: error?.message ?? said };
}
