/** Where the files beside a state are: values, history, logs, claims, executors. Each state has its own. */
import fs from 'node:fs';
import path from 'node:path';
import { io, isThere } from '../../files/durable-files.ts';

/** What is kept beside a state, by folder. */
export const BESIDE = ['values', 'history', 'logs', 'claims', 'executors'] as const;

/** Those of `state.json` are in its folder; those of any other `X.json`, or of a file `X`, are in `X.dynpart/`. */
export function besideOf(stateFile: string): string {
  const { dir, base } = path.parse(stateFile);
  return base === 'state.json' ? dir : path.join(dir, `${base.replace(/(?<=.)\.json$/, '')}.dynpart`);
}

/**
 * Where these files are now. Older versions kept them in the folder of the state, whatever the state's name: there they are read until the
 * first command that writes brings them along.
 *
 * @param isOlder whether the state is still as an older version left it
 */
export function placeBeside(stateFile: string, isOlder: boolean): string {
  const own = besideOf(stateFile);
  const common = path.dirname(stateFile);
  const isToMove =
    isOlder &&
    own !== common &&
    io('read the folder', own, () => !isThere(own)) &&
    BESIDE.map((name) => path.join(common, name)).some((place) => io('read', place, () => isThere(place)));
  return isToMove ? common : own;
}

/** Another file whose name differs by `.json` only, and which is a state too: both would have one folder for what is beside them. */
export function twinOf(stateFile: string): string | null {
  const { dir, base } = path.parse(stateFile);
  if (base === 'state.json') return null;
  const twin = base.endsWith('.json') ? base.slice(0, -'.json'.length) : `${base}.json`;
  if (twin === '' || twin === 'state.json') return null;
  const place = path.join(dir, twin);
  return io('read', place, () => isThere(place)) && hasGenerations(dir, twin) ? place : null;
}

/** Other states in the same folder. */
export function statesBeside(stateFile: string): string[] {
  const { dir, base } = path.parse(stateFile);
  const names = fs.readdirSync(dir).map((name) => /^\.(.+)\.\d{12}$/.exec(name)?.[1]);
  return [...new Set(names)].filter((name): name is string => name !== undefined && name !== base);
}

function hasGenerations(folder: string, name: string): boolean {
  return fs.readdirSync(folder).some((entry) => entry.startsWith(`.${name}.`) && /\.\d{12}$/.test(entry));
}
