/** What a folder lies on. */
import fs from 'node:fs';

/**
 * The type of the file system by its longest mount point, or `unknown` where there is no /proc.
 * @param {string} folder
 */
export function fileSystemOf(folder) {
  let mounts;
  try {
    mounts = fs.readFileSync('/proc/self/mounts', 'utf8');
  } catch {
    return 'unknown';
  }
  const real = fs.realpathSync(folder);
  const best = { point: '', type: 'unknown' };
  for (const line of mounts.split('\n')) {
    const [, point, type] = line.split(' ');
    if (point === undefined || type === undefined) continue;
    const holds = real === point || real.startsWith(point === '/' ? '/' : `${point}/`);
    // A later mount hides an earlier one at the same place.
    if (holds && point.length >= best.point.length) Object.assign(best, { point, type });
  }
  return best.type;
}
