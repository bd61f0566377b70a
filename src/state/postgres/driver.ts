/** Finds the driver, `pg`, which only those install who have their state in PostgreSQL. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fail } from '../../model/failure.ts';
import type { Driver } from './database.ts';

export interface FoundDriver {
  readonly driver: Driver;
  /** For threads, which load it themselves. */
  readonly file: string;
}

/** @param folders where to look, in this order: beside the pipeline file, beside dynpart */
export function findDriver(folders: readonly string[]): FoundDriver {
  for (const folder of folders) {
    const require = createRequire(path.join(folder, 'any.js'));
    try {
      const file = require.resolve('pg');
      return { driver: require(file) as Driver, file };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return fail({
    reason: 'usage',
    message:
      'a state in PostgreSQL needs the package pg, which is neither beside the pipeline file nor beside dynpart',
    hint: 'install it beside the pipeline file: npm install pg@8',
  });
}
