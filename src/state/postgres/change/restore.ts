/** Puts a copy in the place of what is there. */
import type { MoveMark } from '../../../model/move-mark.ts';
import { type Restored, restoredDocument } from '../../document/restored-document.ts';
import type { StateDocument } from '../../document/state-document.ts';
import { executorView } from '../executors.ts';
import type { Port } from '../port.ts';
import type { WholeState } from '../read/whole.ts';
import { putWhole } from './put-whole.ts';

const KEEP = `insert into @.kept_state (name, document) values ($1, $2)`;

export async function restoreOver(
  port: Port,
  { document: present, moment }: WholeState,
  by: {
    readonly copy: StateDocument;
    /** What is there is kept under that name; `null`: not at all. */
    readonly keepAs: string | null;
    readonly leaseMs: number;
    readonly now: number;
  },
): Promise<Restored & { readonly move: MoveMark | null }> {
  const { copy, keepAs, leaseMs, now } = by;
  const serial = Math.max(present.serial, copy.serial) + 1;
  const alive = new Set(moment.executors.flatMap((row) => (executorView(row, now).alive ? [row.id] : [])));
  const restored = restoredDocument({ copy, present, serial, isAlive: ({ id }) => alive.has(id) });
  const kept = keepAs === null || present.serial === 0 ? [] : [keepAs];
  for (const name of kept) await port.execute(KEEP, [name, JSON.stringify(present)]);
  await putWhole(port, restored, leaseMs);
  const replaced = present.serial > 0 && present.lineage !== copy.lineage ? present.lineage : null;
  return { serial, kept, replaced, move: restored.move ?? null };
}
