/** What the driver and the server say when something is wrong, in the words of dynpart. */
import { FailureError } from '../../model/failure.ts';
import type { Address } from './address.ts';

interface DatabaseError extends Error {
  readonly code?: string;
  readonly errors?: readonly DatabaseError[];
}

/** Nothing more can be said over this connection. */
const LOST_CODES = /^(08|57P0|ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN|ENOENT|53300|25P0[34])/;
const LOST_WORDS =
  /connection terminated|connection error|timeout exceeded when trying to connect|query read timeout|client was closed|connection ended/i;

export function isLost(error: unknown): boolean {
  const { code = '', message } = first(error);
  return LOST_CODES.test(code) || LOST_WORDS.test(message);
}

/** A failure for what can be expected of a database; `null` for what would be a mistake of dynpart's. */
export function wordsFor(error: unknown, { place, schema }: Address): FailureError | null {
  if (error instanceof FailureError) return error;
  const { code = '', message } = first(error);
  if (['3F000', '42P01'].includes(code))
    return new FailureError({ reason: 'database-not-migrated', place, schema });
  if (['42703', '42883', '42704'].includes(code))
    return new FailureError({ reason: 'database-foreign', place, schema });
  const why = refusal(code, message);
  if (why !== null) return new FailureError({ reason: 'database-refuses', place, cause: message, why });
  if (isLost(error) || isOfTls(code, message))
    return new FailureError({ reason: 'database-unreachable', place, cause: message || code });
  return null;
}

export type Refusal = 'login' | 'no-database' | 'no-right' | 'full' | 'read-only';

function refusal(code: string, message: string): Refusal | null {
  if (code.startsWith('28') || /SASL|password must be a string/.test(message)) return 'login';
  if (code === '3D000') return 'no-database';
  if (code === '42501') return 'no-right';
  if (code.startsWith('53')) return 'full';
  return code === '25006' ? 'read-only' : null;
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
