/** Names of assets, sensors and sets: which there may be, and that each stands once. */
import { nameOfType } from '../../model/partition-key.ts';
import { placeText } from '../../model/place.ts';
import { problem, type Problems } from './problem.ts';

const NAME = /^(?!__proto__$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;

export function* checkName(definition: unknown, what: 'asset' | 'sensor' | 'set', name: unknown): Problems {
  if (typeof name === 'string' && NAME.test(name)) return;
  const shown = typeof name === 'string' ? JSON.stringify(name) : nameOfType(name);
  yield problem(
    definition,
    'invalid-name',
    `${shown} is no name for ${what === 'asset' ? 'an' : 'a'} ${what}: use letters, digits, '_', '-' and '.', at most 200`,
  );
}

export function* checkUniqueNames(
  what: 'asset' | 'sensor',
  definitions: readonly { readonly name: string }[],
): Problems {
  const seen = new Map<string, unknown>();
  for (const definition of definitions) {
    const { name } = definition;
    // A name that is no string is a problem of `checkName`.
    if (typeof name !== 'string') continue;
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, definition);
      continue;
    }
    const place = placeText(first);
    yield problem(
      definition,
      `duplicate-${what}`,
      first === definition
        ? `${what} '${name}' stands in the list twice`
        : `there are two ${what}s named '${name}'${place === null ? '' : `; the first is at ${place}`}`,
    );
  }
}
