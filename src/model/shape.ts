/** Shapes of parsed JSON: what a value must be, and the place of the first one that is something else. */

export interface Misfit {
  /** From the outermost value on, as `.sets.letters.keys[1]`; empty: that value itself. */
  readonly place: string;
  readonly expected: string;
}

/**
 * Finds the first misfit in a value; `null`: all of it fits. A place is written on the way back from a misfit, so that a million
 * values that fit cost no text. `T` is what the value is then; a shape that forgets a field of it does not compile.
 */
export interface Shape<T> {
  (value: unknown): Misfit | null;
  readonly fits?: T;
}

export function misfit(expected: string, place = ''): Misfit {
  return { place, expected };
}

export function fits<T>(shape: Shape<T>, value: unknown): value is T {
  return shape(value) === null;
}

export function is<T>(passes: (value: unknown) => boolean, expected: string): Shape<T> {
  const found = misfit(expected);
  return (value) => (passes(value) ? null : found);
}

/** A shape, and a rule for what has it. */
export function where<T>(shape: Shape<T>, rule: (value: T) => Misfit | null): Shape<T> {
  return (value) => shape(value) ?? rule(value as T);
}

export const anything: Shape<never> = () => null;
export const text = is<string>((value) => typeof value === 'string', 'a string');
/** As `newId` makes them; it is part of the names of files, and must not lead to another folder. */
export const id = is<string>(
  (value) => typeof value === 'string' && /^\w[\w.-]{0,99}$/.test(value),
  'an ID: letters, digits, - and .',
);
export const finite = is<number>(Number.isFinite, 'a number');

/** So large that nothing ever counted that far, and room to count on: what is beyond 2 ** 53 could not be read back. */
const LARGEST_COUNT = 2 ** 53 - 2 ** 32;

export const count = where(
  is<number>((value) => Number.isSafeInteger(value) && (value as number) >= 0, 'a whole number of 0 or more'),
  (value) => (value > LARGEST_COUNT ? misfit(`a number of ${LARGEST_COUNT} at most`) : null),
);

/** As `isoTime` writes it, and nothing else: times are compared as texts, too. */
const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

export const time = is<string>(
  (value) => typeof value === 'string' && TIME.test(value),
  'a time such as 2026-01-31T12:00:00.000Z',
);

export function oneOf<const T extends string>(...words: readonly T[]): Shape<T> {
  return is((value) => words.includes(value as T), words.join(', ').replace(/, ([^,]+)$/, ' or $1'));
}

/** A string of single letters. */
export function letters(pattern: RegExp, which: string): Shape<string> {
  return is((value) => typeof value === 'string' && pattern.test(value), `a string of ${which}`);
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value) => {
    const found = value === null ? null : shape(value);
    return found?.place === '' ? misfit(`${found.expected} or null`) : found;
  };
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value) => (value === undefined ? null : shape(value));
}

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return misfit('a list');
    for (let at = 0; at < value.length; at++) {
      const found = item(value[at]);
      if (found !== null) return misfit(found.expected, `[${at}]${found.place}`);
    }
    return null;
  };
}

/** A list whose first items are these. */
export function tuple<T extends readonly unknown[]>(
  ...items: { readonly [K in keyof T]: Shape<T[K]> }
): Shape<T> {
  return (value) => {
    if (!Array.isArray(value)) return misfit('a list');
    for (const [at, item] of items.entries()) {
      const found = item(value[at]);
      if (found !== null) return misfit(found.expected, `[${at}]${found.place}`);
    }
    return null;
  };
}

/** An object with any names, which all stand for the same. */
export function entries<T>(item: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value) => {
    if (!isObject(value)) return misfit('an object');
    for (const [name, inside] of Object.entries(value)) {
      const found = item(inside);
      if (found !== null) return misfit(found.expected, `.${name}${found.place}`);
    }
    return null;
  };
}

type Fields<T> = {
  readonly [K in keyof T]-?: Shape<object extends Pick<T, K> ? T[K] | undefined : T[K]>;
};

/** An object with these fields. Others may be there: a newer dynpart wrote them. */
export function object<T>(fields: Fields<T>): Shape<T> {
  const shapes = Object.entries<Shape<unknown>>(fields);
  return (value) => {
    if (!isObject(value)) return misfit('an object');
    for (const [name, shape] of shapes) {
      const found = shape(value[name]);
      if (found !== null) return misfit(found.expected, `.${name}${found.place}`);
    }
    return null;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
