/** `files()`: the files of a folder as keys, once they are whole. */
import path from 'node:path';
import type { DynamicPartitions } from '../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../definitions/sensor.ts';
import { markPlace, placeText } from '../model/place.ts';
import { durationMs } from '../model/duration.ts';
import type { SourceOptions } from './offer.ts';
import { checkSource } from './options.ts';

/** What a key of `files()` carries. */
export interface FileItem {
  /** Relative to `cwd`, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** ISO 8601 in UTC. */
  readonly modified: string;
}

/** The options of `files()`. */
export interface FilesOptions extends SourceOptions {
  /** What patterns and keys are relative to. Default: the folder of the file that calls `files`, most often the pipeline file. */
  readonly cwd?: string;
  /** For so long nobody may have written to a file. A duration; default `'5s'`. */
  readonly settle?: string;
  /** By what a change is seen. Default `'mtime+size'`; `'sha256'` reads each file whose time or size is new. */
  readonly version?: 'mtime+size' | 'sha256';
  /** Patterns of what is left out, besides names that begin with a dot and those of files that are being written (`.part`, `.tmp` …). */
  readonly ignore?: string | readonly string[];
}

/** `files()` with its defaults filled in. */
export interface FilesToFind {
  readonly patterns: readonly string[];
  readonly ignore: readonly string[];
  readonly cwd: string;
  readonly settleMs: number;
  readonly version: 'mtime+size' | 'sha256';
  readonly prefix: string;
}

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
