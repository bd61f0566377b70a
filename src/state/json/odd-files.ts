/** A state file may be more than a file, or less: a link is followed, and what leads nowhere or has no end is refused. */
import fs from 'node:fs';
import { io, isThere } from '../../files/durable-files.ts';
import { fail } from '../../model/failure.ts';

/** A rename over a link would replace the link, and leave two states that do the same work. */
export function behindLink(file: string): string {
  const isLink = io('read', file, () => fs.lstatSync(file, { throwIfNoEntry: false }))?.isSymbolicLink();
  // Where a link leads nowhere, reading says so.
  return isLink && io('read', file, () => isThere(file))
    ? io('read', file, () => fs.realpathSync(file))
    : file;
}

/** A link that leads nowhere reads like a file that is not there, but its name is taken: the first commit would try for ever. */
export function refuseDeadLink(file: string): void {
  const entry = io('read', file, () => fs.lstatSync(file, { throwIfNoEntry: false }));
  if (entry?.isSymbolicLink())
    fail({
      reason: 'state-io',
      file,
      action: 'read',
      cause: 'it is a symbolic link that leads nowhere',
      kind: 'no-file',
    });
}

/** A pipe would be waited for, and a device may have no end. What a folder is, reading says. */
export function refuseDevice(file: string, stat: fs.Stats | undefined): void {
  if (stat !== undefined && !stat.isFile() && !stat.isDirectory())
    fail({
      reason: 'state-io',
      file,
      action: 'use',
      cause: 'it is a pipe or a device, not a file',
      kind: 'no-file',
    });
}
