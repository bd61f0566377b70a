/** Which file is meant, and whether it was edited. */
import fs from 'node:fs';
import path from 'node:path';
import { statOf } from '../files/stat-of.ts';
import { fail } from '../model/failure.ts';

/** The names that are looked for, in this order, when no file is given. */
const NAMES = ['pipeline.ts', 'pipeline.mts', 'pipeline.js', 'pipeline.mjs'];

/** The pipeline file that is meant: the given one, or the first of the usual names in a folder. */
export function findPipelineFile(given: string | undefined, folder: string): string {
  if (given !== undefined) return path.resolve(folder, given);
  const found = NAMES.map((name) => path.join(folder, name)).find((file) => fs.existsSync(file));
  return found ?? fail({ reason: 'pipeline-not-found', file: folder, given: false });
}

export function isFile(file: string): boolean {
  return statOf(file)?.isFile() ?? false;
}

/** Tells whether any of the files of a pipeline was edited since: one line a file. */
export function stampOf(files: readonly string[]): string {
  return files.map((file) => `${changeOf(file)} ${file}`).join('\n');
}

/** Whether the files of a stamp are as they were. */
export function isAsStamped(stamp: string): boolean {
  return stampOf(filesIn(stamp)) === stamp;
}

/** Which files a stamp is of. */
export function filesIn(stamp: string): string[] {
  return stamp.split('\n').map((line) => line.slice(line.indexOf(' ') + 1));
}

/** The time of change, which no tool can set back as it can that of the content, and the size. */
function changeOf(file: string): string {
  const stat = statOf(file);
  return stat === undefined ? 'gone' : `${stat.ctimeMs}-${stat.size}`;
}
