/** The file system under the state: whether it can do what commits need, for this user, and for how long there is room. */
import fs from 'node:fs';
import path from 'node:path';
import { openToOthers } from '../../files/open-to-others.ts';
import { openInWords } from '../open-state.ts';
import { probe } from '../../files/probe.ts';
import { causeOf } from '../../files/system-errors.ts';
import { shellQuoted } from '../../model/text.ts';
import { BESIDE } from '../../state/json/places-beside.ts';
import { bytes } from './bytes.ts';
import { type Check, failure, ok, warning } from './check.ts';

/** A commit writes the whole state anew beside the old one; below this many times its size it gets close. */
const ROOM = 4;

const MIB = 1024 * 1024;

/** The folder of the state, or the nearest one above it that is there: the first commit makes the rest. */
export function nearestFolder(folder: string): string {
  return fs.existsSync(folder) ? folder : nearestFolder(path.dirname(folder));
}

export function fileSystemCheck(folder: string): Check {
  const refused = probe(folder);
  return refused === null
    ? ok('file system', `${folder} can link, rename and sync`)
    : failure(
        'file system',
        `${folder} does not ${refused.step}: ${refused.cause}`,
        'a state needs a folder that this user may write to, on a file system with hard links; name another: --state FILE',
      );
}

export function spaceCheck(folder: string, stateBytes: number): Check {
  let room: fs.StatsFs;
  try {
    room = fs.statfsSync(folder);
  } catch (error) {
    return failure('disk space', `cannot be told: ${causeOf(error)}`, null);
  }
  const free = room.bavail * room.bsize;
  const message = `${bytes(free)} free on the disk of ${folder}`;
  const hint = 'make room on that disk, or move the state to another one: --state FILE';
  // Some file systems make files as they are needed, and have no number of them.
  if (room.files > 0 && room.ffree < 100)
    return failure('disk space', `${message}, but only ${room.ffree} more files`, hint);
  if (free < 2 * stateBytes || free < MIB)
    return failure('disk space', `${message}: the next commit does not fit`, hint);
  if (free < ROOM * stateBytes || free < 100 * MIB) return warning('disk space', message, hint);
  return ok('disk space', message);
}

/** Who may read and write the state: cron may be another user, and every user must not be. */
export function permissionsCheck(stateFile: string, beside: string): Check {
  const open = openToOthers(stateFile);
  if (open !== undefined) {
    const { message, hint } = openInWords(open);
    return warning('permissions', message, hint);
  }
  const places = [
    path.dirname(stateFile),
    stateFile,
    beside,
    ...BESIDE.map((name) => path.join(beside, name)),
  ];
  for (const place of places.filter((one) => fs.existsSync(one))) {
    try {
      fs.accessSync(place, fs.constants.R_OK | fs.constants.W_OK);
    } catch (error) {
      return failure(
        'permissions',
        `this user cannot read and write ${place}: ${causeOf(error)}`,
        `let one user run dynpart, also from cron, and give it all of it: sudo chown -R "$USER" ${shellQuoted(path.dirname(stateFile), 'FOLDER')}`,
      );
    }
  }
  const foreign =
    process.getuid === undefined
      ? undefined
      : places.find((one) => ownerOf(one) !== null && ownerOf(one) !== process.getuid!());
  if (foreign !== undefined)
    return warning(
      'permissions',
      `${foreign} belongs to another user (uid ${ownerOf(foreign)}): what that one makes may be closed to this one`,
      'let one user run dynpart, also from cron',
    );
  return ok('permissions', `this user may read and write the state`);
}

function ownerOf(place: string): number | null {
  return fs.statSync(place, { throwIfNoEntry: false })?.uid ?? null;
}
