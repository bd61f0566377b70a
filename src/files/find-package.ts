/** Finds packages that only some users install, and loads them when they are used. */
import { createRequire } from 'node:module';
import path from 'node:path';

export interface FoundPackage {
  /** What it exports. */
  readonly exports: unknown;
  /** For threads, which load it themselves. */
  readonly file: string;
}

export interface Finding {
  /** Whether one that is there and lacks a package of its own is thrown over, and not passed over. Default: passed over. */
  readonly throwsBroken?: boolean;
}

/** @param folders where to look, in this order; @returns `null` where it is in none of them */
export function findPackage(
  name: string,
  folders: readonly string[],
  { throwsBroken = false }: Finding = {},
): FoundPackage | null {
  for (const folder of folders) {
    const require = createRequire(path.join(folder, 'any.js'));
    try {
      const file = require.resolve(name);
      return { exports: require(file), file };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'MODULE_NOT_FOUND' || (throwsBroken && !message.includes(`'${name}'`))) throw error;
    }
  }
  return null;
}
