/** Which files and folders are mounts of their own: what is mounted cannot be replaced by a rename. */
import fs from 'node:fs';
import path from 'node:path';

/** Whether something is mounted on this very file. `false` where the system does not say (only Linux does). */
export function isMountPoint(file: string): boolean {
  let mounts: string;
  let real: string;
  try {
    mounts = fs.readFileSync('/proc/self/mountinfo', 'utf8');
    real = path.join(fs.realpathSync(path.dirname(file)), path.basename(file));
  } catch {
    return false;
  }
  // The fifth field. Blanks, tabs, line ends and backslashes are written as three octal digits there.
  const escaped = real.replaceAll(
    /[\s\\]/g,
    (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return mounts.includes(` ${escaped} `) && mounts.split('\n').some((line) => line.split(' ')[4] === escaped);
}
