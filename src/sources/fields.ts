/** What a source takes of an entry or row by the names of its fields, where nobody wants to write a function. */

/** The value of a field; dots lead inside, where no field is called so. `undefined`: there is none. */
export function fieldIn(thing: unknown, name: string): unknown {
  if (Object.hasOwn(Object(thing) as object, name)) return (thing as Record<string, unknown>)[name];
  let value = thing;
  for (const part of name.split('.'))
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Record<string, unknown>)[part]
        : undefined;
  return value;
}

/** These fields as what a key carries: plain data, so times become text. What is not there is `null`. */
export function itemOf(names: readonly string[], field: (name: string) => unknown): unknown {
  const item = Object.fromEntries(names.map((name) => [name, field(name) ?? null]));
  return JSON.parse(
    JSON.stringify(item, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  );
}

/** @throws TypeError for what is neither */
export function checkField(value: unknown, what: string): void {
  if (typeof value !== 'function' && (typeof value !== 'string' || value === ''))
    throw new TypeError(`${what}, the name of a field or a function`);
}

/** @throws TypeError for what is neither names nor a function */
export function checkItem(source: string, item: unknown): void {
  if (item === undefined || typeof item === 'function') return;
  if (!Array.isArray(item) || item.length === 0 || !item.every((name) => typeof name === 'string'))
    throw new TypeError(`item of ${source}() must be a list of names, or a function`);
}
