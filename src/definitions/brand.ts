/** How dynpart recognises its own definitions, also when a pipeline file resolved a second copy of the package. */

/** Registered in the global symbol registry, so that every copy of the package agrees on it. `instanceof` would not. */
export const brand: unique symbol = Symbol.for('dynpart.definition') as never;

export type DefinitionKind =
  'asset' | 'sensor' | 'dynamic-partitions' | 'pipeline' | 'skip' | 'warning' | 'keys';

/** Which definition a value is, or `undefined` when it is none of dynpart's. */
export function kindOf(value: unknown): DefinitionKind | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as { [brand]?: DefinitionKind })[brand];
}
