/** What dynpart has compiled of a pipeline, for another folder with the same one: to compile it takes longer than all else that a command does. */
import fs from 'node:fs';
import path from 'node:path';
import { packFileFor } from '../../src/cli/cache-folder.ts';
import { checksum } from '../../src/loader/checksum.ts';
import { readText } from '../../src/loader/module-pack.ts';

/** The folders in which pipelines stood first, by their text. */
const first = new Map<string, string>();

/**
 * As after an earlier command in this folder. Whether the pack is right is for dynpart to find out: it compares each file, and what is
 * beside it, as ever.
 */
export function bringPack(folder: string, cache: string): void {
  const packOf = (place: string): string =>
    packFileFor(path.join(place, 'pipeline.ts'), { XDG_CACHE_HOME: cache })!;
  const pipeline = path.join(folder, 'pipeline.ts');
  // A test may have put anything there.
  const text =
    fs.statSync(pipeline, { throwIfNoEntry: false })?.isFile() === true ? readText(pipeline) : null;
  if (text === null) return;
  const other = first.get(text);
  if (other === undefined) first.set(text, folder);
  if (other === undefined || fs.existsSync(packOf(folder)) || !fs.existsSync(packOf(other))) return;
  const pack = fs.readFileSync(packOf(other), 'utf8');
  const body = Buffer.from(pack.slice(pack.indexOf('\n') + 1).replaceAll(other, folder));
  fs.writeFileSync(packOf(folder), `${checksum(body)}\n${body.toString()}`, { mode: 0o600 });
}
