/** Finds the driver, `pg`, which only those install who have their state in PostgreSQL. */
import { findPackage } from '../../files/find-package.ts';
import { fail } from '../../model/failure.ts';
import type { Driver } from './database.ts';

export interface FoundDriver {
  readonly driver: Driver;
  /** For threads, which load it themselves. */
  readonly file: string;
}

/** @param folders where to look, in this order: beside the pipeline file, beside dynpart */
export function findDriver(folders: readonly string[]): FoundDriver {
  const found = findPackage('pg', folders);
  if (found !== null) return { driver: found.exports as Driver, file: found.file };
  return fail({
    reason: 'usage',
    message:
      'a state in PostgreSQL needs the package pg, which is neither beside the pipeline file nor beside dynpart',
    hint: 'install it beside the pipeline file: npm install pg@8',
  });
}
