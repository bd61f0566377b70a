/** Finds the driver, `pg`, which only those install who have their state in PostgreSQL. */
import { createRequire } from 'node:module';
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
  if (found !== null) {
    const driver = found.exports as Driver & { readonly defaults: Defaults };
    driver.defaults.password ??= passwordFile(found.file);
    return { driver, file: found.file };
  }
  return fail({
    reason: 'usage',
    message:
      'a state in PostgreSQL needs the package pg, which is neither beside the pipeline file nor beside dynpart',
    hint: 'install it beside the pipeline file: npm install pg@8',
  });
}

interface Defaults {
  password: unknown;
}

type PasswordFile = (connection: unknown, found: (password: string | undefined) => void) => void;

/**
 * The password of a connection where nothing else gives one: what `~/.pgpass` says. The driver would look there by itself, and some versions warn
 * each time that it will not for long: on stderr, which cron mails.
 */
function passwordFile(
  driver: string,
): (this: { readonly connectionParameters: unknown }) => Promise<unknown> {
  return function () {
    const look = createRequire(driver)('pgpass') as PasswordFile;
    return new Promise((resolve) => look(this.connectionParameters, resolve));
  };
}
