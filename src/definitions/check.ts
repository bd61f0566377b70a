/** Checks: what must be true of a value before it is kept. */
import type { MetadataValue } from '../model/json-value.ts';
import { brand, kindOf } from './brand.ts';
import { isSchema, issuesText, type StandardSchema } from './schema.ts';

/** What a check is given. */
export interface CheckContext<Value = unknown, Key = string | null, Item = unknown> {
  /** What `materialize` returned. */
  readonly value: Value;
  /** `null` for an asset without partitions. */
  readonly partitionKey: Key;
  /** What the key carries; `null` when that is nothing. */
  readonly item: Item;
  /** What `addMetadata` was given. */
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  /** Aborted at the check's timeout, on Ctrl-C, and when the run is canceled. */
  readonly signal: AbortSignal;
}

/** It is right, or what is wrong with it, or what somebody should know of it. */
export type CheckResult = true | string | Warning;

/** A function of the value, or a Standard Schema (zod, valibot, arktype) that the value must fit; what a schema makes of the value is not kept. */
export type Check<Value = unknown, Key = string | null, Item = unknown> =
  ((context: CheckContext<Value, Key, Item>) => CheckResult | Promise<CheckResult>) | StandardSchema;

/** By name, or one Standard Schema: then the check is called `schema`. */
export type Checks<Value = unknown, Key = string | null, Item = unknown> =
  StandardSchema | Readonly<Record<string, Check<Value, Key, Item>>>;

/** The value is kept, and this is recorded with it. */
export interface Warning {
  readonly [brand]: 'warning';
  readonly message: string;
}

/**
 * Returned by a check: the value is kept, and the words are recorded with its run (`runs show`, `partitions show`, the page).
 *
 * @param message what somebody should know, in a few words: at most 8 KiB of all warnings of an asset are kept
 * @throws TypeError when it is no text
 */
export function warn(message: string): Warning {
  if (typeof message !== 'string' || message.trim() === '')
    throw new TypeError("warn() takes what somebody should know, such as warn('only 3 words')");
  return Object.freeze({ [brand]: 'warning' as const, message });
}

/** Says what a check came to; anything may be returned. */
export type NamedCheck = (context: CheckContext) => unknown;

/** The check of a schema that has no name. */
const SCHEMA = 'schema';

/** What was given as `checks`, by name, in the order in which it stands there. */
export function namedChecks(checks: Checks | undefined): ReadonlyMap<string, NamedCheck> {
  if (checks === undefined) return new Map();
  const given = isSchema(checks) ? { [SCHEMA]: checks } : checks;
  return new Map(
    Object.entries(given).map(([name, check]) => [name, isSchema(check) ? fits(check) : check] as const),
  );
}

function fits(schema: StandardSchema): NamedCheck {
  return async ({ value }) => {
    const { issues } = await schema['~standard'].validate(value);
    return issues === undefined ? true : issuesText(issues) || 'it does not fit the schema';
  };
}

/** What a check said, read once: `null` is no answer at all. */
export function verdictIn(
  returned: unknown,
): 'right' | { readonly wrong: string } | { readonly warning: string } | null {
  if (returned === true) return 'right';
  if (typeof returned === 'string') return returned.trim() === '' ? null : { wrong: returned };
  if (kindOf(returned) !== 'warning') return null;
  const { message } = returned as Warning;
  return typeof message === 'string' ? { warning: message } : null;
}
