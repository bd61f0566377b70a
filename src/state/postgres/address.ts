/** The address of a state in PostgreSQL: what it says, and how it is told without its password. Pure. */
import { fail } from '../../model/failure.ts';

export interface Address {
  /** For the driver: without what only dynpart knows. It may hold a password. */
  readonly connection: string;
  readonly schema: string;
  /** For messages and records: without a password. */
  readonly place: string;
  /** How long a process may be silent before others take up its runs. */
  readonly leaseMs: number;
  readonly hasPassword: boolean;
}

const DEFAULT_SCHEMA = 'dynpart';
const DEFAULT_LEASE_S = 45;
const LEAST_LEASE_S = 10;

/** Of the driver's own parameters those that change how a connection is made, not what is said over it. */
const PARAMETERS = new Set([
  'schema',
  'lease',
  'host',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'application_name',
]);

/**
 * @param env where the driver looks for what the address does not say
 * @throws FailureError `usage`
 */
export function parseAddress(state: string, env: Readonly<Record<string, string | undefined>>): Address {
  const url = parsed(state);
  const { searchParams: given } = url;
  for (const name of given.keys())
    if (!PARAMETERS.has(name))
      wrong(
        `the address of the state has a parameter '${name}' that is not known`,
        [...PARAMETERS].join(', '),
      );
  const schema = given.get('schema') ?? DEFAULT_SCHEMA;
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(schema) || /^pg_/i.test(schema))
    wrong(
      `'${schema}' is no name for a schema`,
      "letters, digits and '_', at most 63, and not beginning with a digit or pg_",
    );
  const leaseS = Number(given.get('lease') ?? DEFAULT_LEASE_S);
  if (!Number.isFinite(leaseS) || leaseS < LEAST_LEASE_S || leaseS > 3600)
    wrong(
      `lease=${given.get('lease')} is not a number of seconds from ${LEAST_LEASE_S} to 3600`,
      'leave it away: it is 45 seconds then',
    );
  refuseOpenLine(
    given.get('host') ?? (url.hostname || env['PGHOST']) ?? '',
    given.get('sslmode') ?? env['PGSSLMODE'] ?? null,
  );
  const connection = new URL(url);
  for (const name of ['schema', 'lease']) connection.searchParams.delete(name);
  const shown = new URL(url);
  shown.password = '';
  for (const name of given.keys()) if (name !== 'schema' && name !== 'host') shown.searchParams.delete(name);
  if (schema === DEFAULT_SCHEMA) shown.searchParams.delete('schema');
  return {
    connection: connection.href,
    schema,
    place: shown.href,
    leaseMs: leaseS * 1000,
    hasPassword: url.password !== '',
  };
}

function parsed(state: string): URL {
  const text = state.replace(/^postgres(?:ql)?:/i, 'postgres:');
  // Without a host the driver's own is meant: a socket, or what the environment says.
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !text.startsWith('postgres://'))
    return wrong(
      'the address of the state cannot be read',
      'such as postgres://USER@HOST:5432/DATABASE?schema=NAME',
    );
  // The driver decodes them when it connects, where nobody expects it to fail.
  if (![url.username, url.password, url.hostname, url.pathname].every(isEncoded))
    return wrong(
      'the address of the state cannot be read: a % in it stands for itself as %25',
      'such as postgres://USER:50%25@HOST:5432/DATABASE',
    );
  return url;
}

function isEncoded(part: string): boolean {
  try {
    return decodeURIComponent(part) !== undefined;
  } catch {
    return false;
  }
}

/** The driver would talk in the clear without a word. */
function refuseOpenLine(host: string, mode: string | null): void {
  const isHere =
    host === '' ||
    host.startsWith('/') ||
    /^(localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(decodeURIComponent(host));
  if (mode === 'verify-full' || mode === 'disable' || (mode === null && isHere)) return;
  if (mode === null)
    wrong(
      `the way to ${host} is not protected: the address of the state has no sslmode`,
      'add sslmode=verify-full (with sslrootcert=FILE for a certificate authority of your own), or sslmode=disable on a network that nobody else can read',
    );
  wrong(
    `sslmode=${mode} does not make sure of who answers`,
    'sslmode=verify-full, or sslmode=disable on a network that nobody else can read',
  );
}

function wrong(message: string, hint: string): never {
  return fail({ reason: 'usage', message, hint });
}
