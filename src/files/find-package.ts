/** Finds packages that only some users install, and loads them when they are used. */
import { createRequire } from 'node:module';
import path from 'node:path';

export interface FoundPackage {
  /** What it exports. */
  readonly exports: unknown;
  /** For threads, which load it themselves. */
  readonly file: string;
}

/** @param folders where to look, in this order; @returns `null` where it is in none of them */
export function findPackage(name: string, folders: readonly string[]): FoundPackage | null {
  for (const folder of folders) {
    const require = createRequire(path.join(folder, 'any.js'));
    try {
      const file = require.resolve(name);
      return { exports: require(file), file };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return null;
}
