/** A document of `--json` whose hints and commands can be pasted. Pure. */
import { toPaste } from './printed-commands.ts';

/** Fields with what users keep: these are given back as they are. */
const OF_USERS = new Set(['cursor', 'item', 'metadata', 'tags', 'value']);

/** What has nothing to be changed stays the same: a document may have a million keys. */
export function documentToPaste<Part extends object>(part: Part, flags: readonly string[]): Part {
  let made: Record<string, unknown> | undefined;
  for (const [name, before] of Object.entries(part) as [string, unknown][]) {
    if (OF_USERS.has(name)) continue;
    const after = fieldToPaste(part, name, { value: before, flags });
    if (after === before) continue;
    made ??= copyOf(part);
    made[name] = after;
  }
  return (made as Part | undefined) ?? part;
}

function copyOf(part: object): Record<string, unknown> {
  const copy: object = Array.isArray(part) ? [...(part as readonly unknown[])] : { ...part };
  return copy as Record<string, unknown>;
}

function fieldToPaste(
  part: object,
  name: string,
  { value, flags }: { readonly value: unknown; readonly flags: readonly string[] },
): unknown {
  if (typeof value === 'object' && value !== null) return documentToPaste(value, flags);
  const isSaid = (name === 'hint' && 'message' in part) || (name === 'command' && 'next' in part);
  return isSaid && typeof value === 'string' ? toPaste(value, flags) : value;
}
