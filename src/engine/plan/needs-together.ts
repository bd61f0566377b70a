/** Needs of a plan that is made of several. Pure. */
import type { Needs } from '../../state/needs.ts';

export function together(...all: readonly Needs[]): Needs {
  const needs: Record<string, unknown> = {};
  for (const some of all) {
    for (const [name, need] of Object.entries(some)) {
      const before = needs[name];
      if (before === 'all') continue;
      needs[name] = Array.isArray(before) && Array.isArray(need) ? [...before, ...(need as unknown[])] : need;
    }
  }
  return needs;
}
