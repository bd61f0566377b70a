/**
 * Where values wait for the record of their materialization: beside the place that they will take, under the name of their run.
 *
 * A rename within a folder that was synced survives a loss of power as the one or the other name, so nothing has to be synced
 * after the commit. Each session of a process keeps a journal of what it has staged, for those who read meanwhile and for those who
 * come after it was killed. The journal is not synced: after a loss of power, once a boot, all folders are looked through.
 */
import fs from 'node:fs';
import path from 'node:path';
import {
  io,
  readIfThere,
  isThere,
  makePassingFolder,
  namesIn,
  openToAppend,
  removeIfThere,
  removeQuietly,
  writeAll,
} from '../files/durable-files.ts';
import { isGone, isLeftOver, processTag, thisProcess } from '../files/process-owner.ts';
import type { StagedValue } from '../definitions/staged-values.ts';
import { GONE } from './places.ts';
import { syncFiles, syncFolders } from './sync-files.ts';
import { fits, object, optional, orNull, text } from '../model/shape.ts';

const stagedShape = object<StagedValue>({
  run: text,
  asset: text,
  key: orNull(text),
  file: text,
  mark: optional(text),
});

/** A value waits under the name that it will have, `~` and its run. */
export function stagedFileOf({ file, run }: Pick<StagedValue, 'file' | 'run'>): string {
  return `${file}~${run}`;
}

/** Where a value belongs, however it is kept. */
export function placeOf({ file }: Pick<StagedValue, 'file'>): string {
  return file.replace(/\.\w+$/, '');
}

/** A file's name, the name of what it becomes, and its run; `null` for a value in its place. Encoded keys may hold a `~` as well. */
export function asStaged(name: string): { readonly becomes: string; readonly run: string } | null {
  const [, becomes, run] = /^(.+\.(?:bin|none|json|gone))~([^~.]+)$/.exec(name) ?? [];
  return becomes === undefined || run === undefined ? null : { becomes, run };
}

/** Whether nothing becomes of it but that the value in its place goes. */
export function isRemoval({ file }: Pick<StagedValue, 'file'>): boolean {
  return file.endsWith(GONE);
}

/** Stands in place of the run where somebody said by hand that a key is skipped. Nothing is staged then: the journal alone says it. */
const BY_HAND = '';

export function isByHand({ run }: Pick<StagedValue, 'run'>): boolean {
  return run === BY_HAND;
}

export interface LeftBehind {
  readonly values: StagedValue[];
  /** Nobody lives who could have adopted it: neither its process nor the one that it staged for. */
  readonly isNobodys: boolean;
  readonly settled: () => void;
}

/** The files of journals that are open in this process. */
const open = new Set<string>();

export class Journal {
  readonly #folder: string;
  readonly #parent: string | undefined;
  readonly #family: string;
  #opened: { readonly file: string; readonly fd: number } | undefined;

  /**
   * @param parent the tag of the process that adopts what this one stages, or what else it stages for; not given: this one is nobody's child
   */
  constructor(valuesFolder: string, parent?: string) {
    this.#folder = path.join(valuesFolder, '.tmp');
    this.#parent = parent;
    this.#family = parent ?? processTag();
  }

  add(value: StagedValue): void {
    const { file, fd } = this.#open();
    io('write', file, () => writeAll(fd, `${JSON.stringify(value)}\n`));
  }

  /** Values that are to go once their keys are on record as skipped. Durable: after a loss of power nothing else tells of them. */
  async addRemovals(values: readonly Omit<StagedValue, 'run'>[]): Promise<void> {
    const { file, fd } = this.#open();
    const lines = values.map((value) => `${JSON.stringify({ run: BY_HAND, ...value })}\n`);
    io('write', file, () => writeAll(fd, lines.join('')));
    await syncFiles([file]);
    syncFolders(new Set([this.#folder, path.dirname(this.#folder)]));
  }

  #open(): { readonly file: string; readonly fd: number } {
    if (this.#opened !== undefined) return this.#opened;
    const file = this.#freeFile();
    const fd = io('write', file, () => {
      makePassingFolder(this.#folder);
      return openToAppend(file);
    });
    open.add(file);
    return (this.#opened = { file, fd });
  }

  /** Two sessions of a process, as those before and after an edit, have one each: who clears it speaks for nothing that the other has staged. */
  #freeFile(): string {
    const tag = processTag();
    const named = (name: string): string => path.join(this.#folder, name);
    let file = named(this.#parent === undefined ? tag : `${tag}.${this.#parent}`);
    for (let count = 2; open.has(file); count++) file = named(`${tag}.${count}.${this.#family}`);
    return file;
  }

  /** Nothing is staged any more. */
  clear(): void {
    if (this.#opened === undefined) return;
    const { file, fd } = this.#opened;
    this.#opened = undefined;
    open.delete(file);
    io('write', file, () => {
      fs.closeSync(fd);
      removeIfThere(file);
    });
  }

  /** What others have staged, newest first. */
  ofOthers(): StagedValue[] {
    return this.#others().flatMap((name) => this.#valuesIn(name));
  }

  /** What processes have staged that are gone, and how to say that it is settled. */
  ofTheDead(): LeftBehind[] {
    return this.#others()
      .filter((name) => isLeftOver(path.join(this.#folder, name), name.split('.')[0]!))
      .map((name) => ({
        values: this.#valuesIn(name),
        isNobodys: isGone(name.slice(name.lastIndexOf('.') + 1)),
        settled: () => removeQuietly(path.join(this.#folder, name)),
      }));
  }

  /** Whether nobody has looked for what a loss of power has left, since this machine was started. */
  get isFirstOfBoot(): boolean {
    return !io('read', this.#boot, () => isThere(this.#boot));
  }

  lookedThrough(): void {
    io('write', this.#boot, () => {
      makePassingFolder(this.#folder);
      for (const name of namesIn(this.#folder))
        if (name.startsWith('boot-')) removeQuietly(path.join(this.#folder, name));
      fs.closeSync(openToAppend(this.#boot));
    });
  }

  get #boot(): string {
    return path.join(this.#folder, `boot-${thisProcess().bootId ?? processTag()}`);
  }

  /** What a process and those that stage values for it have staged is known to it, and told by it. */
  #others(): string[] {
    const isOfFamily = (name: string): boolean => name === this.#family || name.endsWith(`.${this.#family}`);
    return io('read the folder', this.#folder, () => namesIn(this.#folder)).filter(
      (name) => !isOfFamily(name) && !name.startsWith('boot-'),
    );
  }

  #valuesIn(name: string): StagedValue[] {
    const file = path.join(this.#folder, name);
    const lines = (io('read', file, () => readIfThere(file)) ?? '').split('\n');
    return lines
      .slice(0, -1)
      .reverse()
      .flatMap((line) => parsed(line));
  }
}

/** A value of an older dynpart that was never put in place is no line of a journal. */
function parsed(line: string): StagedValue[] {
  try {
    const value: unknown = JSON.parse(line);
    return fits(stagedShape, value) ? [value] : [];
  } catch {
    return [];
  }
}
