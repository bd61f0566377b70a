/** Puts a copy in the place of the present state. */
import { bytesIfThere, io, makeFolder, readIfThere, removeQuietly } from '../../files/durable-files.ts';
import { fail, FailureError } from '../../model/failure.ts';
import { type Restored, restoredDocument } from '../document/restored-document.ts';
import {
  emptyDocument,
  type ExecutorEntry,
  LAST_SERIAL,
  type StateDocument,
} from '../document/state-document.ts';
import { besideOf, placeBeside } from './places-beside.ts';
import { bringAlong } from './bring-along.ts';
import { Generations } from './generations.ts';
import { refuseOthers } from './only-a-state.ts';
import { Conflict, type StateFile } from './state-file.ts';
import { contentIn, wholeIn } from './state-text.ts';

export interface RestoreTools {
  readonly file: StateFile;
  /** Throws where the present state must not be touched. */
  readonly admit: (present: StateDocument, isOlder: boolean) => Promise<void>;
  readonly isAlive: (executor: ExecutorEntry) => boolean;
  /** As the next commit of this process. */
  readonly stamped: (document: StateDocument) => StateDocument;
}

export interface KeepPresent {
  /** What the name of what is kept begins with; `null`: nothing is kept. */
  readonly as: string | null;
  readonly generation: boolean;
}

export async function restoreState(
  { file, admit, isAlive, stamped }: RestoreTools,
  copy: StateDocument,
  keep: KeepPresent,
): Promise<Restored> {
  for (;;) {
    refuseOthers(file.path, { hasGenerations: file.highestSerial() > 0 });
    const { present, isOlder } = file.newestIntact();
    await admit(present ?? emptyDocument(), isOlder);
    // What is written is no older one any more: from then on nobody would look where an older version kept things.
    if (isOlder && placeBeside(file.path, isOlder) !== besideOf(file.path)) bringAlong(file.path, present!);
    const { as, generation } = keep;
    const kept = as === null ? [] : keepPresent(file, { as, generation });
    const serial = Math.max(highestSerialToldOf(file), copy.serial) + 1;
    if (serial > LAST_SERIAL)
      fail({ reason: 'copy-unusable', file: file.path, why: `there is no serial behind ${serial - 1}` });
    try {
      const document = restoredDocument({ copy, present, serial, isAlive });
      await file.write(stamped({ ...document, serial: serial - 1 }));
    } catch (error) {
      const isUnsure = error instanceof FailureError && error.failure.reason === 'commit-unsure';
      // Somebody committed meanwhile, and what was kept is not the last of what was there; or nothing took its place.
      if (!isUnsure) for (const one of kept) removeQuietly(one);
      if (!(error instanceof Conflict)) throw error;
      continue;
    }
    const replaced = present === null || present.lineage === copy.lineage ? null : present.lineage;
    return { serial, kept, replaced };
  }
}

/**
 * Keeps what is there now, whatever it is. Also the newest generation, where that is asked for and the file is damaged or
 * behind it: its name will leave the window.
 */
export function keepPresent(
  file: StateFile,
  { as, generation }: { readonly as: string; readonly generation: boolean },
): string[] {
  makeFolder(file.folder);
  const bytes = io('read', file.path, () => bytesIfThere(file.path));
  const kept = bytes === null ? [] : [file.keepCopy(as, bytes)];
  const inFile = bytes === null ? null : wholeIn(contentIn(bytes), file.path);
  const generations = new Generations(file.path);
  const newest = generation ? (generations.intact()?.document.serial ?? 0) : 0;
  if (newest > (inFile?.document.serial ?? 0)) {
    const name = generations.file(newest);
    const text = io('read', name, () => readIfThere(name));
    if (text !== null && text !== '') kept.push(file.keepCopy(as, text));
  }
  return kept;
}

/** The highest serial, also where the generations are gone and the file is damaged: what the file says first of its serial. */
function highestSerialToldOf(file: StateFile): number {
  const text = io('read', file.path, () => readIfThere(file.path)) ?? '';
  const told = Number(/"serial":(\d{1,12})\b/.exec(text)?.[1] ?? 0);
  // One that is damaged, too, must not become the new one.
  return Math.max(file.highestSerial(), told < LAST_SERIAL ? told : 0);
}
