/** What a loss of power may leave of a disk at one moment: every combination where there are few, a fair part where there are many. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type Disk, FileNode, FolderNode } from './disk.ts';

/** Files by path, a folder as `null`; and one name for all trees that are the same. */
export interface Survivor {
  readonly id: string;
  readonly files: ReadonlyMap<string, Buffer | null>;
}

export interface SurvivorOptions {
  /** As many combinations are all tried. */
  readonly every: number;
  /** Of more, all that are so many choices away from nothing having been written, or from all. */
  readonly distance: 1 | 2;
  /** … and so many at random. */
  readonly random: number;
  /** So many contents of a file whose bytes were not synced. */
  readonly contents: number;
  readonly chance: () => number;
}

/** One thing that is open: what a name means, or what a file holds. Choice 0 is the durable one. */
type Question = { readonly newest: number } & (
  | { readonly folder: FolderNode; readonly name: string; readonly choices: (FileNode | FolderNode | null)[] }
  | { readonly file: FileNode; readonly choices: readonly Buffer[] }
);

export function* survivors(disk: Disk, options: SurvivorOptions): Generator<Survivor> {
  const questions = questionsOf(disk.root, options.contents);
  const seen = new Set<string>();
  for (const answers of combinations(questions, options)) {
    const survivor = treeOf(disk.root, questions, answers);
    if (seen.has(survivor.id)) continue;
    seen.add(survivor.id);
    yield survivor;
  }
}

/** The disk as the kernel shows it: what is left when the power stays. */
export function shown(disk: Disk): Survivor {
  const questions = questionsOf(disk.root, Infinity);
  return treeOf(
    disk.root,
    questions,
    questions.map(({ newest }) => newest),
  );
}

function questionsOf(root: FolderNode, contents: number): Question[] {
  const questions: Question[] = [];
  const met = new Set<FileNode | FolderNode>();
  const visit = (node: FileNode | FolderNode | null): void => {
    if (node === null || met.has(node)) return;
    met.add(node);
    if (node instanceof FileNode) {
      const choices = node.contents(contents);
      if (choices.length > 1) questions.push({ file: node, choices, newest: choices.indexOf(node.current) });
      return;
    }
    for (const name of node.pending.keys()) {
      const choices = node.meanings(name);
      const newest = choices.indexOf(node.current.get(name) ?? null);
      if (choices.length > 1) questions.push({ folder: node, name, choices, newest });
      for (const choice of choices) visit(choice);
    }
    for (const other of node.current.values()) visit(other);
  };
  visit(root);
  return questions;
}

/** Each a choice for every question. */
function* combinations(questions: readonly Question[], options: SurvivorOptions): Generator<number[]> {
  const sizes = questions.map(({ choices }) => choices.length);
  const total = sizes.reduce((product, size) => product * size, 1);
  if (total <= options.every) {
    for (let number = 0; number < total; number++) {
      let rest = number;
      yield sizes.map((size) => {
        const choice = rest % size;
        rest = Math.floor(rest / size);
        return choice;
      });
    }
    return;
  }
  for (const base of [sizes.map(() => 0), questions.map(({ newest }) => newest)]) {
    yield base;
    yield* near(base, sizes, options.distance, 0);
  }
  for (let left = options.random; left > 0; left--)
    yield sizes.map((size) => Math.floor(options.chance() * size));
}

/** All that differ from the base in one to so many places. */
function* near(
  base: number[],
  sizes: readonly number[],
  distance: number,
  from: number,
): Generator<number[]> {
  for (let at = from; at < sizes.length; at++) {
    for (let choice = 0; choice < sizes[at]!; choice++) {
      if (choice === base[at]) continue;
      const changed = base.with(at, choice);
      yield changed;
      if (distance > 1) yield* near(changed, sizes, distance - 1, at + 1);
    }
  }
}

const hashes = new WeakMap<Buffer, string>();

function hashOf(bytes: Buffer): string {
  const hash = hashes.get(bytes) ?? createHash('sha1').update(bytes).digest('base64');
  hashes.set(bytes, hash);
  return hash;
}

function treeOf(root: FolderNode, questions: readonly Question[], answers: readonly number[]): Survivor {
  const contents = new Map<FileNode, Buffer>();
  const names = new Map<FolderNode, Map<string, FileNode | FolderNode | null>>();
  questions.forEach((question, at) => {
    const answer = answers[at]!;
    if ('file' in question) return contents.set(question.file, question.choices[answer]!);
    const ofFolder = names.get(question.folder) ?? new Map<string, FileNode | FolderNode | null>();
    return names.set(question.folder, ofFolder.set(question.name, question.choices[answer]!));
  });
  const files = new Map<string, Buffer | null>();
  const walk = (folder: FolderNode, place: string): void => {
    const entries = new Map<string, FileNode | FolderNode | null>([
      ...folder.durable,
      ...(names.get(folder) ?? []),
    ]);
    for (const [name, node] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (node === null) continue;
      const file = path.join(place, name);
      files.set(file, node instanceof FileNode ? (contents.get(node) ?? node.durable) : null);
      if (node instanceof FolderNode) walk(node, file);
    }
  };
  walk(root, '');
  const id = createHash('sha1');
  for (const [file, bytes] of files) id.update(`${file}\0${bytes === null ? '' : hashOf(bytes)}\0`);
  return { id: id.digest('base64'), files };
}

/** Puts a tree into an empty folder. */
export function writeTree(folder: string, { files }: Survivor): void {
  fs.mkdirSync(folder, { recursive: true });
  for (const [file, bytes] of files) {
    if (bytes === null) fs.mkdirSync(path.join(folder, file));
    else fs.writeFileSync(path.join(folder, file), bytes);
  }
}
