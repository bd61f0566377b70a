/** `files()`: the files of a folder as keys, once they are whole. */
import path from 'node:path';
import type { DynamicPartitions } from '../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../definitions/sensor.ts';
import { markPlace, placeText } from '../model/place.ts';
import { durationMs } from '../model/duration.ts';
import type { FileItem, FilesOptions, FilesToFind } from './files/files-options.ts';
import { checkSource } from './options.ts';

/**
 * `evaluate` of a sensor: a key for each file that a pattern finds, its path relative to `cwd`. A file counts when it was neither
 * written nor renamed for `settle`, and two looks within a tick agree. What may not be read is named in `failures`.
 *
 * @param pattern a glob such as `'inbox/*.csv'`, or several; within `cwd`
 * @throws TypeError at once for patterns and options that cannot be meant; Error in `evaluate` when the folder cannot be read
 */
export function files(
  set: DynamicPartitions<FileItem>,
  pattern: string | readonly string[],
  options: FilesOptions = {},
): (context: SensorContext) => Promise<SensorResult> {
  checkSource('files', set, options);
  const { settle = '5s', version = 'mtime+size', ignore = [], prefix = '' } = options;
  const cwd = options.cwd ?? path.dirname(placeText(markPlace({}, files)) ?? path.resolve('x'));
  if (!path.isAbsolute(cwd))
    throw new TypeError(`cwd of files() must be a whole path, not ${JSON.stringify(cwd)}`);
  if (version !== 'mtime+size' && version !== 'sha256')
    throw new TypeError("version of files() must be 'mtime+size' or 'sha256'");
  const wanted: FilesToFind = {
    patterns: [pattern].flat().map(patternOf),
    ignore: [ignore].flat(),
    cwd,
    settleMs: durationMs(settle, 'settle of files()'),
    version,
    prefix,
  };
  return async (context) => {
    const { lookForFiles } = await import('./files/look-for-files.ts');
    return lookForFiles(context, { ...wanted, set, options });
  };
}

function patternOf(pattern: unknown): string {
  if (typeof pattern !== 'string' || pattern === '')
    throw new TypeError("files() needs a pattern such as 'inbox/*.csv'");
  if (path.isAbsolute(pattern) || pattern.split(/[\\/]/).includes('..'))
    throw new TypeError(
      `the pattern ${JSON.stringify(pattern)} of files() leads out of its folder: name that folder as cwd`,
    );
  return pattern.replace(/^(?:\.\/)+/, '').normalize('NFC');
}
