/** Finds the file of a value that is on record: in its place, or where it waits for it. Writes nothing. */
import path from 'node:path';
import type { ValueContext } from '../definitions/io-manager.ts';
import type { StagedValue } from '../definitions/staged-values.ts';
import { io, isThere, namesIn } from '../files/durable-files.ts';
import type { MadeBy } from './file-values.ts';
import { ENDINGS, placeIn } from './places.ts';
import { asStaged, isRemoval, Journal, stagedFileOf } from './journal.ts';

export interface FoundValue {
  readonly file: string;
  readonly kind: 'bytes' | 'nothing' | 'json';
}

const KINDS = { '.bin': 'bytes', '.none': 'nothing', '.json': 'json' } as const;

export async function findValue(
  stateFolder: string,
  madeBy: MadeBy,
  value: ValueContext,
): Promise<FoundValue | null> {
  const folder = path.join(stateFolder, 'values');
  const base = placeIn(folder, value);
  for (const staged of stagedIn(folder, base, value)) {
    if (!(await madeBy(staged.run)).assets.includes(value.asset)) continue;
    const file = stagedFileOf(staged);
    // It may just have been put in its place.
    if (io('read', file, () => isThere(file))) return { file, kind: kindOf(staged.file) };
  }
  const file = ENDINGS.map((ending) => `${base}${ending}`).find((one) => io('read', one, () => isThere(one)));
  return file === undefined ? null : { file, kind: kindOf(file) };
}

function stagedIn(
  folder: string,
  base: string,
  { asset, partitionKey }: ValueContext,
): Pick<StagedValue, 'run' | 'file'>[] {
  const journal = new Journal(folder);
  const staged = journal
    .ofOthers()
    .filter((one) => one.asset === asset && one.key === partitionKey && !isRemoval(one));
  if (staged.length > 0 || !journal.isFirstOfBoot) return staged;
  // After a loss of power there is no journal that could be trusted: the names tell, newest first.
  return io('read the folder', path.dirname(base), () => namesIn(path.dirname(base)))
    .flatMap((name) => {
      const { run, becomes } = asStaged(name) ?? { run: '', becomes: '' };
      const file = path.join(path.dirname(base), becomes);
      return ENDINGS.some((ending) => file === `${base}${ending}`) ? [{ run, file }] : [];
    })
    .sort((one, other) => (one.run < other.run ? 1 : -1));
}

function kindOf(file: string): FoundValue['kind'] {
  return KINDS[path.extname(file) as keyof typeof KINDS];
}
