/** What the driver and the server say when something is wrong, in the words of dynpart. */
import { FailureError } from '../../model/failure.ts';
import { networkWords } from '../../model/network-words.ts';
import type { Address } from './address.ts';

interface DatabaseError extends Error {
  readonly code?: string;
  readonly errors?: readonly DatabaseError[];
}

/** What is said of a database; `docs/when-something-went-wrong.md` has a place for each. */
export const DATABASE_CODES = [
  'database-unreachable',
  'database-refuses',
  'database-not-migrated',
  'database-foreign',
  'database-version',
  'database-too-old',
] as const;

/** Nothing more can be said over this connection. */
const LOST_CODES = /^(08|57P0|ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN|ENOENT|53300|25P0[34])/;
const LOST_WORDS =
  /connection terminated|connection error|timeout exceeded when trying to connect|query read timeout|client was closed|connection ended/i;

export function isLost(error: unknown): boolean {
  const { code = '', message } = first(error);
  return LOST_CODES.test(code) || LOST_WORDS.test(message);
}

/** A column that is asked for is not there. */
export function lacksColumn(error: unknown): boolean {
  return first(error).code === '42703';
}

/** Something on the server's disk cannot be read. */
export function isDamage(error: unknown): boolean {
  return first(error).code?.startsWith('XX') === true;
}

/** A failure for what can be expected of a database; `null` for what would be a mistake of dynpart's. */
export function wordsFor(error: unknown, address: Address): FailureError | null {
  if (error instanceof FailureError) return error;
  const { place } = address;
  const { code = '', message } = first(error);
  if (['3F000', '42P01'].includes(code)) return notMigrated(address);
  if (['42703', '42883', '42704'].includes(code)) return foreign(address);
  const refused = refusal(code, message);
  if (refused !== null)
    return failure(
      'database-refuses',
      `${place} refuses: ${NO_PASSWORD.test(message) ? 'it asks for a password, and there is none' : message}`,
      refused,
    );
  if (isLost(error) || isOfTls(code, message))
    return failure(
      'database-unreachable',
      `cannot reach the state in ${place}: ${isOfTls(code, message) ? message || code : whyNotReached(first(error), place)}`,
      'what was committed before stands; see that the server runs and that the address is right, then run the command again',
    );
  return null;
}

/** A code of the system alone helps nobody. */
function whyNotReached(error: DatabaseError, place: string): string {
  const { code = '', message } = error;
  // The driver was told of no host: it looked for a server of this machine.
  if (code === 'ENOENT') return `no server is listening on this machine (${message})`;
  return networkWords(error, new URL(place).host || 'the server') || code;
}

function notMigrated({ place }: Address): FailureError {
  return failure(
    'database-not-migrated',
    `there are no tables of a state in ${place} yet`,
    'make them, as the owner of the schema: dynpart state migrate',
  );
}

export function foreign({ place, schema }: Address): FailureError {
  return failure(
    'database-foreign',
    `schema ${schema} of ${place} holds tables that are not dynpart's`,
    'nothing was changed; name another schema: ?schema=NAME',
  );
}

export function otherVersion({ place }: Address, found: number, known: number): FailureError {
  return failure(
    'database-version',
    `the tables in ${place} have version ${found}; this dynpart knows version ${known}`,
    found > known
      ? 'install the newer dynpart that made them: npm install -g dynpart@latest'
      : 'stop what works with them, then bring them forward: dynpart state migrate',
  );
}

export function tooOld({ place }: Address, version: string): FailureError {
  return failure(
    'database-too-old',
    `${place} is PostgreSQL ${version}; dynpart needs 13 or newer`,
    'nothing was changed; use a newer server',
  );
}

function failure(code: (typeof DATABASE_CODES)[number], message: string, hint: string): FailureError {
  return new FailureError({ reason: 'database', code, message, hint });
}

/** As the driver says that nobody gave it one. */
const NO_PASSWORD = /password must be a (?:non-empty )?string/;

/** What to do where the server says no. */
function refusal(code: string, message: string): string | null {
  if (/no PostgreSQL user name/.test(message))
    return 'name the user in the address, postgres://USER@HOST/DATABASE: without it the environment has to (USER), and that of cron does not';
  if (code.startsWith('28') || message.includes('SASL') || NO_PASSWORD.test(message))
    return 'give the password in PGPASSWORD or in ~/.pgpass (a file that nobody else may read: chmod 600), and see that the user is right';
  if (code === '3D000') return 'make the database (createdb NAME), or name another one in the address';
  if (code === '42501')
    return 'let the owner of the schema give the rights: dynpart state migrate prints them';
  if (code.startsWith('53'))
    return 'nothing of this step was committed; make room on the server, then run the command again';
  if (code === '55000')
    return 'let the database be connected to again (ALTER DATABASE … ALLOW_CONNECTIONS true), then run the command again';
  return code === '25006' ? 'nothing was changed; name the primary server, not a replica' : null;
}

function isOfTls(code: string, message: string): boolean {
  return (
    /^(ERR_TLS|ERR_SSL|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_)/.test(code) ||
    /\b(SSL|TLS|certificate)\b/.test(message)
  );
}

/** Of several addresses of a host each has its own error. */
function first(error: unknown): DatabaseError {
  const one = error as DatabaseError;
  if (!(error instanceof Error)) return new Error(String(error));
  return one.errors?.[0] ?? one;
}
