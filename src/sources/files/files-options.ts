/** What is said of files in a pipeline file, and what a key of them carries. */
import type { SourceOptions } from '../offer.ts';

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
