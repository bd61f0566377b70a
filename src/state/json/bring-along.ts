/**
 * Brings along what an older dynpart kept beside a state: there all states of a folder shared one place, now each has its own.
 *
 * The new place is made whole under another name and then renamed, so that a kill leaves the old place or the new one. The old
 * one stays: it may belong to other states as well. Values and logs are linked: a value is replaced by another file and never
 * changed in place, and a log grows only for its run. All else is copied.
 */
import fs from 'node:fs';
import path from 'node:path';
import {
  errno,
  io,
  isThere,
  makeFolder,
  namesIn,
  syncFolder,
  writeDurably,
} from '../../files/durable-files.ts';
import { fileNameOf } from '../../files/file-name.ts';
import { isLeftOver, processTag } from '../../files/process-owner.ts';
import { recordsOf } from '../../files/segmented-log.ts';
import type { StateDocument } from '../document/state-document.ts';
import { BESIDE, besideOf, statesBeside } from './places-beside.ts';
import { runShape } from '../document/record-shapes.ts';
import { fits } from '../../model/shape.ts';

/** What of a shared place is this state's, by names. */
interface Share {
  readonly assets: ReadonlySet<string>;
  readonly sensors: ReadonlySet<string>;
}

/** @returns where everything is now */
export function bringAlong(stateFile: string, document: StateDocument): string {
  const from = path.dirname(stateFile);
  const to = besideOf(stateFile);
  const making = `${to}.tmp.${processTag()}`;
  removeLeftOvers(to);
  io('make the folder', making, () => fs.rmSync(making, { recursive: true, force: true }));
  const share = statesBeside(stateFile).length === 0 ? null : shareOf(document);
  io('write', to, () => {
    makeFolder(making);
    for (const name of BESIDE) copyFolder(path.join(from, name), path.join(making, name), wanted(share));
    if (share !== null) keepOwnRuns(path.join(from, 'history'), making, share);
    if (!renamedUnlessThere(making, to)) fs.rmSync(making, { recursive: true, force: true });
    syncFolder(from);
  });
  return to;
}

function shareOf({ assets, sensors, pipeline, runs }: StateDocument): Share {
  const known = pipeline ?? { assets: [], sensors: [] };
  return {
    assets: new Set([
      ...Object.keys(assets),
      ...known.assets.map(({ name }) => name),
      ...runs.flatMap((group) => group.assets),
    ]),
    sensors: new Set([...Object.keys(sensors), ...known.sensors.map(({ name }) => name)]),
  };
}

/** Whether an entry of the shared place is taken, by its path in there. */
function wanted(share: Share | null): (parts: readonly string[]) => boolean {
  if (share === null) return (parts) => parts[1] !== '.tmp';
  const assets = new Set([...share.assets].map(fileNameOf));
  const sensors = new Set([...share.sensors].map(fileNameOf));
  return ([room, name = '', file = '']) => {
    if (room === 'values') return name === '' || assets.has(name);
    if (room === 'history')
      return (
        name === '' || (name === 'ticks' && (file === '' || sensors.has(file.replace(/\.\d{6}\.jsonl$/, ''))))
      );
    return room !== 'logs';
  };
}

/** Finished runs of this state's assets, with what they printed. */
function keepOwnRuns(history: string, making: string, { assets }: Share): void {
  const logs = path.join(path.dirname(history), 'logs');
  for (const name of namesIn(history).filter((file) => /^runs\.\d{6}\.jsonl$/.test(file))) {
    const records = [...recordsOf(path.join(history, name))].reverse();
    const own = records.filter(
      (record) => !fits(runShape, record) || record.assets.every(({ asset }) => assets.has(asset)),
    );
    makeFolder(path.join(making, 'history'));
    writeDurably(
      path.join(making, 'history', name),
      own.map((record) => `${JSON.stringify(record)}\n`).join(''),
    );
    for (const run of own.filter((record) => fits(runShape, record)))
      copyFile(
        path.join(logs, `${fileNameOf(run.id)}.jsonl`),
        path.join(making, 'logs', `${fileNameOf(run.id)}.jsonl`),
      );
  }
}

function copyFolder(from: string, to: string, isWanted: (parts: readonly string[]) => boolean): void {
  const copy = (parts: readonly string[]): void => {
    const source = path.join(path.dirname(from), ...parts);
    const target = path.join(path.dirname(to), ...parts);
    if (!isWanted(parts)) return;
    if (fs.statSync(source, { throwIfNoEntry: false })?.isDirectory() !== true)
      return copyFile(source, target);
    makeFolder(target);
    for (const name of namesIn(source)) copy([...parts, name]);
    syncFolder(target);
  };
  if (io('read', from, () => isThere(from))) copy([path.basename(from)]);
}

/** What is gone meanwhile was a claim, or a log that went with its run. */
function copyFile(from: string, to: string): void {
  try {
    makeFolder(path.dirname(to));
    if (/[\\/](?:values|logs)[\\/]/.test(to) && linkedHere(from, to)) return;
    writeDurably(to, fs.readFileSync(from));
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error;
  }
}

/** Somebody else's file may not be linked, and some file systems cannot: then it is copied. */
function linkedHere(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (errno(error) === 'ENOENT') throw error;
    return false;
  }
}

function renamedUnlessThere(from: string, to: string): boolean {
  try {
    fs.renameSync(from, to);
    return true;
  } catch (error) {
    if (errno(error) === 'ENOTEMPTY' || errno(error) === 'EEXIST') return false;
    throw error;
  }
}

/** What processes left that were killed while they made the new place. */
function removeLeftOvers(to: string): void {
  const prefix = `${path.basename(to)}.tmp.`;
  for (const name of namesIn(path.dirname(to))) {
    const left = path.join(path.dirname(to), name);
    if (name.startsWith(prefix) && isLeftOver(left, name.slice(prefix.length)))
      fs.rmSync(left, { recursive: true, force: true });
  }
}
