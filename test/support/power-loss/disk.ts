/**
 * A disk with a cache above it: what the kernel shows, and what a loss of power may leave of it.
 *
 * What is assumed of the file system is less than what ext4, xfs and btrfs promise, so that whoever survives here survives there:
 *
 * - Only `fsync` makes anything durable. That of a file its bytes and its size, and not its name; that of a folder the
 *   names in it, and neither the bytes of its files nor what is inside its folders. No time makes anything durable.
 * - Without it every write, cut and name reaches the disk or does not, each for itself and in any order, across files and
 *   folders alike: a later one may be there and an earlier one not.
 * - A name is whole: after a link, a rename or a removal it means the file from before or the one from after, and a rename
 *   over a name never leaves that name empty. The two halves of a rename are two names, though: the file may be under both, or
 *   under none of them, which no journal allows.
 * - Of a write any prefix may be there. Where bytes before or behind are missing, the file has zeroes (delayed allocation),
 *   never what other files held before.
 * - Whoever is killed loses nothing: what the kernel has stays until the power goes.
 *
 * Since a change of a name sets what it means, whatever was before, the subsets of changes come to this: each name means any of
 * what it meant since its folder was last synced. That is a far smaller number than that of the subsets.
 */
import fs from 'node:fs';
import path from 'node:path';

/** One thing that a process did, as the recorder writes it down. Paths are relative to the folder that is watched. */
export type Operation =
  | { readonly op: 'open'; readonly fd: number; readonly path: string; readonly flags: string }
  | { readonly op: 'close'; readonly fd: number }
  | { readonly op: 'fsync'; readonly fd: number; readonly path: string }
  | { readonly op: 'truncate'; readonly fd: number; readonly size: number }
  | {
      readonly op: 'write';
      readonly fd: number;
      readonly path: string;
      readonly position: number | null;
      readonly bytes: string;
    }
  | { readonly op: 'mkdir' | 'unlink'; readonly path: string }
  | { readonly op: 'link' | 'rename'; readonly from: string; readonly to: string }
  /** The outside world was told something, or user code ran: from here on what was committed must stay. */
  | { readonly op: 'told'; readonly what: string; readonly code?: number }
  | { readonly op: 'unknown'; readonly what: string; readonly path: string };

type DataChange = { readonly at: number; readonly bytes: Buffer } | { readonly size: number };

export class FileNode {
  durable: Buffer;
  current: Buffer;
  /** Since the last sync, in order. */
  pending: DataChange[] = [];
  #contents: Buffer[] | undefined;

  constructor(bytes: Buffer) {
    this.durable = bytes;
    this.current = bytes;
  }

  change(change: DataChange): void {
    this.pending.push(change);
    this.#contents = undefined;
    this.current = changed(this.current, change);
  }

  sync(): void {
    this.durable = this.current;
    this.pending = [];
  }

  /** What the file may hold after a loss of power, what is durable first; what the kernel shows is among it. */
  contents(most: number): readonly Buffer[] {
    if (this.pending.length === 0) return [this.durable];
    this.#contents ??= this.#allContents();
    return this.#contents.slice(0, most);
  }

  #allContents(): Buffer[] {
    const found = new Map<string, Buffer>();
    const add = (bytes: Buffer): void => {
      const text = bytes.toString('latin1');
      if (!found.has(text)) found.set(text, bytes);
    };
    const apply = (changes: readonly DataChange[]): Buffer => changes.reduce(changed, this.durable);
    const writes = this.pending;
    add(this.durable);
    add(this.current);
    // The size was on its way before the bytes were.
    add(apply([{ size: this.current.length }]));
    const some =
      writes.length <= 4 ? writes.map((_, at) => at) : [0, 1, writes.length >> 1, writes.length - 1];
    for (const at of some) {
      const before = writes.slice(0, at);
      const change = writes[at]!;
      // All but this one, and nothing from this one on; then a part of it.
      add(apply([...before, ...writes.slice(at + 1)]));
      add(apply(before));
      if (!('bytes' in change)) continue;
      const size = change.bytes.length;
      for (const length of [size >> 1, 1, size - 1, 512, 4096])
        if (length > 0 && length < size)
          add(apply([...before, { at: change.at, bytes: change.bytes.subarray(0, length) }]));
    }
    if (writes.length <= 4)
      for (let subset = 1; subset < 2 ** writes.length - 1; subset++)
        add(apply(writes.filter((_, at) => (subset >> at) % 2 === 1)));
    // Written and cut again: both are one.
    this.current = found.get(this.current.toString('latin1'))!;
    return [...found.values()];
  }
}

function changed(bytes: Buffer, change: DataChange): Buffer {
  const size = 'size' in change ? change.size : Math.max(bytes.length, change.at + change.bytes.length);
  const after = Buffer.alloc(size);
  bytes.copy(after);
  if ('bytes' in change) change.bytes.copy(after, change.at);
  return after;
}

export class FolderNode {
  durable = new Map<string, FileNode | FolderNode>();
  current = new Map<string, FileNode | FolderNode>();
  /** What each name has meant since the last sync, in order; `null`: nothing. */
  pending = new Map<string, (FileNode | FolderNode | null)[]>();

  set(name: string, node: FileNode | FolderNode | null): void {
    this.pending.set(name, [...(this.pending.get(name) ?? []), node]);
    if (node === null) this.current.delete(name);
    else this.current.set(name, node);
  }

  sync(): void {
    this.durable = new Map(this.current);
    this.pending = new Map();
  }

  /** What a name may mean after a loss of power, what is durable first; what the kernel shows is among it. */
  meanings(name: string): (FileNode | FolderNode | null)[] {
    return [...new Set([this.durable.get(name) ?? null, ...(this.pending.get(name) ?? [])])];
  }
}

interface Opened {
  readonly node: FileNode | FolderNode;
  readonly appends: boolean;
  position: number;
}

export class Disk {
  readonly root: FolderNode;
  readonly #opened = new Map<number, Opened>();

  /** What is in the folder now, all of it durable. Names that share a file share it here, too. */
  static of(folder: string): Disk {
    const files = new Map<number, FileNode>();
    const read = (from: string): FolderNode => {
      const node = new FolderNode();
      for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
        const full = path.join(from, entry.name);
        const { ino } = fs.statSync(full);
        if (!entry.isDirectory()) files.set(ino, files.get(ino) ?? new FileNode(fs.readFileSync(full)));
        node.set(entry.name, entry.isDirectory() ? read(full) : files.get(ino)!);
      }
      node.sync();
      return node;
    };
    return new Disk(read(folder));
  }

  private constructor(root: FolderNode) {
    this.root = root;
  }

  /** Another disk with the same on it. Only before anything was done: nothing is pending on it. */
  copy(): Disk {
    const copies = new Map<FileNode | FolderNode, FileNode | FolderNode>();
    const copyOf = (node: FileNode | FolderNode): FileNode | FolderNode => {
      const copy =
        copies.get(node) ?? (node instanceof FileNode ? new FileNode(node.durable) : new FolderNode());
      if (!copies.has(node) && node instanceof FolderNode && copy instanceof FolderNode) {
        for (const [name, other] of node.current) copy.set(name, copyOf(other));
        copy.sync();
      }
      copies.set(node, copy);
      return copy;
    };
    return new Disk(copyOf(this.root) as FolderNode);
  }

  /** Another process goes on with the same disk: descriptors are its own. */
  nextProcess(): void {
    this.#opened.clear();
  }

  do(operation: Operation): void {
    switch (operation.op) {
      case 'open': {
        const { fd, path: file, flags } = operation;
        const [folder, name] = this.#place(file);
        let node = name === '' ? folder : folder.current.get(name);
        if (node === undefined) {
          node = new FileNode(Buffer.alloc(0));
          folder.set(name, node);
        } else if (flags.startsWith('w') && node instanceof FileNode && node.current.length > 0) {
          node.change({ size: 0 });
        }
        return void this.#opened.set(fd, { node, appends: flags.startsWith('a'), position: 0 });
      }
      case 'close':
        return void this.#opened.delete(operation.fd);
      case 'fsync':
        return this.#opened.get(operation.fd)!.node.sync();
      case 'truncate':
        return this.#file(operation.fd).change({ size: operation.size });
      case 'write': {
        const node = this.#file(operation.fd);
        const opened = this.#opened.get(operation.fd)!;
        const bytes = Buffer.from(operation.bytes, 'base64');
        const at = opened.appends ? node.current.length : (operation.position ?? opened.position);
        if (operation.position === null) opened.position = at + bytes.length;
        return node.change({ at, bytes });
      }
      case 'mkdir':
        return this.#set(operation.path, new FolderNode());
      case 'unlink':
        return this.#set(operation.path, null);
      case 'link':
        return this.#set(operation.to, this.#node(operation.from));
      case 'rename': {
        const node = this.#node(operation.from);
        this.#set(operation.to, node);
        return this.#set(operation.from, null);
      }
      case 'told':
        return;
      case 'unknown':
        throw new Error(`the model of the disk does not know ${operation.what} of ${operation.path}`);
    }
  }

  #file(fd: number): FileNode {
    const node = this.#opened.get(fd)?.node;
    if (node instanceof FileNode) return node;
    throw new Error(`descriptor ${fd} is no open file`);
  }

  #set(file: string, node: FileNode | FolderNode | null): void {
    const [folder, name] = this.#place(file);
    folder.set(name, node);
  }

  #node(file: string): FileNode | FolderNode {
    const [folder, name] = this.#place(file);
    const node = folder.current.get(name);
    if (node === undefined) throw new Error(`the model has no ${file}`);
    return node;
  }

  #place(file: string): [FolderNode, string] {
    const parts = file.split('/');
    const name = parts.pop()!;
    let folder = this.root;
    for (const part of parts) {
      const next = folder.current.get(part);
      if (!(next instanceof FolderNode)) throw new Error(`the model has no folder for ${file}`);
      folder = next;
    }
    return [folder, name];
  }
}
