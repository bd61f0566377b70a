/** What can be kept as JSON and comes back as it was; and for all else, where in the value it stands and why not. */

export interface NotJson {
  /** `value`, `value.items[3].at` … */
  readonly path: string;
  readonly why: string;
}

const ARTICLES: Readonly<Record<string, string>> = {
  function: 'is a function',
  symbol: 'is a symbol',
  bigint: 'is a bigint; use a string or a number',
};

/** Why a value would not come back as it is from JSON; `null` when it would. `undefined` in an object is left out, as JSON does. */
export function whyNotJson(value: unknown, path = 'value', above: readonly unknown[] = []): NotJson | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return null;
    case 'number':
      return Number.isFinite(value) ? null : { path, why: `is ${value}` };
    case 'object':
      return value === null ? null : whyNoJsonObject(value, path, above);
    case 'undefined':
      return { path, why: 'is undefined' };
    default:
      return { path, why: ARTICLES[typeof value]! };
  }
}

function whyNoJsonObject(value: object, path: string, above: readonly unknown[]): NotJson | null {
  if (above.includes(value)) return { path, why: 'contains itself' };
  if (above.length > 1000) return { path, why: 'is nested more than 1,000 deep' };
  const inside = [...above, value];
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const found = whyNotJson(value[at], `${path}[${at}]`, inside);
      if (found !== null) return found;
    }
    return null;
  }
  if (!isPlainObject(value)) return { path, why: whatItIs(value) };
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function')
    return { path, why: 'has a toJSON function' };
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const step = /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
    const found = whyNotJson(item, `${path}${step}`, inside);
    if (found !== null) return found;
  }
  return null;
}

/** An object as `{}` makes it, also one from another realm, where `Object.prototype` is another object. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

function whatItIs(value: object): string {
  if (value instanceof Date) return 'is a Date; use its toISOString()';
  const name = (value.constructor as { name?: string } | undefined)?.name;
  return name === undefined || name === ''
    ? 'is not a plain object'
    : `is an instance of ${name}, not a plain object`;
}

/** What JSON can say. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** A value that may be kept as metadata of a materialization. */
export type MetadataValue = JsonValue;
