/** A text that is handed to a program and never shown: not in messages, not in the log, not in what is recorded. */

/** Registered, so that every copy of the package finds the text. */
const text: unique symbol = Symbol.for('dynpart.secret') as never;

/** How node's own printing asks a value for its form. */
const inspected: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

const SHOWN = '***';

/** A text that is shown as `***` wherever it is printed. */
export interface Secret {
  readonly [text]: string;
  toString(): string;
  toJSON(): string;
}

/**
 * Keeps a text out of sight: `exec('curl', ['-H', secret(`Authorization: ${token}`), url])`. The program is given the text; in
 * messages, in the log and in the history it is `***`, also where the program itself prints it within a line.
 * Other users of the machine may see the arguments of a running program, but not its environment: prefer `env`.
 */
export function secret(value: string): Secret {
  if (typeof value !== 'string') throw new TypeError('secret() takes a text');
  const shown = { toString: () => SHOWN, toJSON: () => SHOWN, [inspected]: () => SHOWN };
  // Not enumerable: neither a copy nor a dump of the object shows it.
  return Object.freeze(Object.defineProperty(shown, text, { value })) as unknown as Secret;
}

/** The text of a secret; `undefined` for anything else. */
export function secretIn(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null ? (value as Partial<Secret>)[text] : undefined;
}

/** The text that a program is given. */
export function plainText(value: string | Secret): string {
  return secretIn(value) ?? (value as string);
}
