/** What a folder lies on. */
import fs from 'node:fs';

/** The type of the file system by its longest mount point, or `unknown` where there is no /proc. */
export function fileSystemOf(folder) {
  let mounts;
  try {
    mounts = fs.readFileSync('/proc/self/mounts', 'utf8');
  } catch {
    return 'unknown';
  }
  const real = fs.realpathSync(folder);
  const [, type] = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(
      ([, point]) =>
        point !== undefined && (real === point || real.startsWith(point === '/' ? '/' : `${point}/`)),
    )
    .map(([, point, type]) => [point.length, type])
    // A later mount hides an earlier one at the same place.
    .reduce((best, one) => (one[0] >= best[0] ? one : best), [0, 'unknown']);
  return type;
}
