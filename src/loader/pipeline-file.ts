/** Which file is meant, and whether it was edited. */
import fs from 'node:fs';
import path from 'node:path';
import { fail } from '../model/failure.ts';

/** The names that are looked for, in this order, when no file is given. */
const NAMES = ['pipeline.ts', 'pipeline.mts', 'pipeline.js', 'pipeline.mjs'];

/** The pipeline file that is meant: the given one, or the first of the usual names in a folder. */
export function findPipelineFile(given: string | undefined, folder: string): string {
  if (given !== undefined) return path.resolve(folder, given);
  const found = NAMES.map((name) => path.join(folder, name)).find((file) => fs.existsSync(file));
  return found ?? fail({ reason: 'pipeline-not-found', file: folder, given: false });
}

/** Changes when the file is edited. */
export function stampOf(file: string): string | null {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat === undefined || !stat.isFile() ? null : `${stat.mtimeMs}-${stat.size}`;
}
