/** What a tick asks the process that looks at files, and what that process tells, line by line. */

/** A file as it was looked at. */
export interface FoundFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** When the file, or what the system keeps of it, last changed. */
  readonly touched: number;
  readonly inode: number;
}

export type Question =
  | {
      readonly ask: 'walk';
      readonly cwd: string;
      readonly patterns: readonly string[];
      readonly ignore: readonly string[];
      /** Places that did not answer when they were asked before. */
      readonly passOver: readonly string[];
    }
  | {
      readonly ask: 'again';
      readonly cwd: string;
      readonly files: readonly FoundFile[];
      /** Whether they are read. */
      readonly hashes: boolean;
      readonly passOver: readonly string[];
    };

/** A place relative to the folder, `''` for itself; a base is a folder without which there is nothing to look for. */
export type Kind = 'base' | 'folder' | 'file';

export type Told =
  /** The calls from here on are about this place. Told before them: one may never come back. */
  | readonly ['at', string, Kind]
  | readonly ['file', FoundFile]
  /** This file of the question is the same at a second look, may be read, and has this hash where one was asked for. */
  | readonly ['whole', number, string | null]
  | readonly ['unseen', string, string]
  /** There is nothing to look for: the folder, and why. */
  | readonly ['failed', string, string]
  | readonly ['alive']
  | readonly ['end'];

export interface Tell {
  at(place: string, kind: Kind): void;
  file(file: FoundFile): void;
  whole(at: number, hash: string | null): void;
  unseen(name: string, error: string): void;
  failed(folder: string, error: string): void;
  /** To be called between calls of the system: a long work is no silence. */
  alive(): void;
}
