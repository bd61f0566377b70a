/** Cuts the power after every operation of a recording and judges all that may be left. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseState } from '../../../src/state/json/parse-state.ts';
import type { StateDocument } from '../../../src/state/document/state-document.ts';
import { type Disk, FileNode, type Operation } from './disk.ts';
import { type Observation, observe, pendingRuns } from './observation.ts';
import type { Recording } from './recording.ts';
import { shown, type Survivor, type SurvivorOptions, survivors, writeTree } from './survivors.ts';

export interface Verdict {
  /** Operations after which the power may go. */
  readonly points: number;
  /** How many of them were looked at one by one: they cover the others. */
  readonly enumerated: number;
  /** Combinations that were tried, and how many different folders they came to. */
  readonly tried: number;
  readonly folders: readonly Survivor[];
  /** The first few of what must not be; each once. */
  readonly problems: readonly string[];
}

/** What must hold at one moment. */
interface Moment {
  /** What the command has done until now. */
  readonly operation: Operation;
  readonly number: number;
  /** Documents that were published so far, what was there before as the first; by serial. */
  readonly published: ReadonlyMap<number, StateDocument>;
  /** Nothing older may come back. */
  readonly told: number;
  readonly isOver: boolean;
}

/** So many folders are looked at at once: whoever finds a commit half in place waits a little for its writer. */
const AT_ONCE = 400;

export class Judge {
  readonly #recording: Recording;
  readonly #scratch: string;
  readonly #options: SurvivorOptions & { readonly far?: (words: string) => void };
  readonly #seen = new Map<string, Promise<Observation>>();
  readonly #folders: Survivor[] = [];
  readonly #problems = new Map<string, string>();
  #before!: Observation;
  #after!: Observation;
  #original: ReadonlyMap<string, Buffer | null> = new Map();
  #scratches = 0;
  /** Folders that were looked at. */
  readonly #done: string[] = [];

  /** @param far is told now and then how far it has come */
  constructor(
    recording: Recording,
    scratch: string,
    options: SurvivorOptions & { readonly far?: (words: string) => void },
  ) {
    this.#recording = recording;
    this.#scratch = scratch;
    this.#options = options;
  }

  async judge(): Promise<Verdict> {
    const disk = this.#recording.disk();
    const start = shown(disk);
    this.#original = start.files;
    this.#before = await this.#observe(start);
    this.#after = await observe(this.#recording.project);
    const first = this.#before.document;
    let moment: Moment = {
      operation: { op: 'told', what: 'nothing yet' },
      number: 0,
      published: new Map(first === null ? [] : [[first.serial, first]]),
      told: first?.serial ?? 0,
      isOver: false,
    };
    let points = 0;
    let enumerated = 0;
    let tried = 0;
    const waiting: Promise<void>[] = [];
    let open = 0;
    let goOn: (() => void) | null = null;
    let isNew = false;
    for (const [number, operation] of this.#recording.operations.entries()) {
      if (operation === null) {
        disk.nextProcess();
        continue;
      }
      disk.do(operation);
      moment = after(moment, operation, number, disk);
      this.#checkCall(moment);
      points++;
      // What may be left after an operation may be left after the next one, too, until something is synced or somebody told.
      isNew ||= !['close', 'fsync'].includes(operation.op);
      const next = this.#recording.operations[number + 1]?.op;
      const isLast = next === undefined || next === 'fsync' || operation.op === 'told';
      if (!isNew || !isLast) continue;
      isNew = false;
      enumerated++;
      this.#options.far?.(
        `operation ${number + 1} of ${this.#recording.operations.length}, ${tried} combinations`,
      );
      for (const survivor of survivors(disk, this.#options)) {
        tried++;
        const isKnown = this.#seen.has(survivor.id);
        if (!isKnown) open++;
        const checked = this.#check(survivor, moment).finally(() => {
          if (!isKnown) open--;
          goOn?.();
        });
        waiting.push(checked);
        while (open >= AT_ONCE) await new Promise<void>((resolve) => (goOn = resolve));
      }
    }
    await Promise.all(waiting);
    this.#removeDone();
    this.#compareWithTheRealOne(disk);
    return {
      points,
      enumerated,
      tried,
      folders: this.#folders,
      problems: [...this.#problems.values()],
    };
  }

  /** That somebody is called was published before, so that it survives with all else that was: nobody is called twice within a minute. */
  #checkCall({ operation, published }: Moment): void {
    if (operation.op !== 'told' || !operation.what.startsWith('somebody is told')) return;
    const newest = published.get(Math.max(...published.keys()));
    if (Object.keys(newest?.incidents?.calling ?? {}).length === 0)
      this.#problems.set(operation.what, `${operation.what}, and no commit says that it is`);
  }

  /** Everything that the command did was recorded, and the model has understood it. */
  #compareWithTheRealOne(disk: Disk): void {
    const { project } = this.#recording;
    const { files } = shown(disk);
    const real = fs.readdirSync(project, { recursive: true }).map(String).sort();
    const isAsReal = (name: string): boolean => {
      const bytes = files.get(name);
      const full = path.join(project, name);
      if (bytes == null) return bytes === null && fs.statSync(full).isDirectory();
      return bytes.equals(fs.readFileSync(full));
    };
    const wrong = [...new Set([...real, ...files.keys()])].filter(
      (name) => !real.includes(name) || !isAsReal(name),
    );
    if (wrong.length > 0)
      throw new Error(
        `${this.#recording.scenario.name}: the replay ends with other files: ${wrong.join(', ')}`,
      );
  }

  #observe(survivor: Survivor): Promise<Observation> {
    const known = this.#seen.get(survivor.id);
    if (known !== undefined) return known;
    this.#folders.push(survivor);
    const folder = path.join(this.#scratch, String(++this.#scratches));
    writeTree(folder, survivor);
    const observed = observe(folder).finally(() => {
      this.#done.push(folder);
      if (this.#done.length >= AT_ONCE) this.#removeDone();
    });
    this.#seen.set(survivor.id, observed);
    return observed;
  }

  /** Many at once, by a program: node takes longer to remove a folder than all else that is done with it. */
  #removeDone(): void {
    execFileSync('rm', ['-rf', ...this.#done.splice(0)]);
  }

  async #check(survivor: Survivor, moment: Moment): Promise<void> {
    const seen = await this.#observe(survivor);
    for (const problem of this.#problemsOf(seen, survivor, moment)) {
      const short = problem.replace(/[0-9a-z]{15}|\d+/g, '#');
      const { operation, number } = moment;
      if (!this.#problems.has(short))
        this.#problems.set(
          short,
          `${this.#recording.scenario.name}: after operation ${number}, ${wordsFor(operation)}: ${problem}\n    left: ${[...survivor.files.keys()].filter((name) => !name.endsWith('.mjs')).join(' ')}`,
        );
    }
  }

  *#problemsOf(seen: Observation, { files }: Survivor, moment: Moment): Generator<string> {
    yield* seen.problems;
    for (const warning of seen.warnings)
      if (!warning.includes('the generation is used'))
        yield `it warned: ${warning.replaceAll(this.#scratch, '')}`;
    const { document } = seen;
    if (document === null) {
      const asBefore = seen.failure === this.#before.failure && moment.told === 0;
      if (!asBefore) yield `the state cannot be read: ${seen.failure}`;
      return;
    }
    const { serial } = document;
    const published = moment.published.get(serial);
    if (published === undefined || JSON.stringify(published) !== JSON.stringify(document))
      yield `serial ${serial} is none of the commits ${[...moment.published.keys()].join(', ')}`;
    if (serial < moment.told) yield `serial ${serial} came back, and the world knows of ${moment.told}`;
    yield* this.#problemsOfRuns(seen, document, moment);
    const { gone, kept } = this.#recording.scenario;
    for (const name of files.keys()) if (moment.isOver && gone?.test(name)) yield `${name} came back`;
    const isReplaced = serial !== this.#before.document?.serial;
    const original = this.#original.get(kept?.of ?? '');
    const isKept = [...files].some(
      ([name, bytes]) => kept?.name.test(name) && bytes !== null && original?.equals(bytes),
    );
    if (kept !== undefined && isReplaced && !isKept) yield `${kept.of} was replaced and not kept`;
  }

  /** What has left the queue is in the history, and its values are those that it made. */
  *#problemsOfRuns(seen: Observation, document: StateDocument, { published }: Moment): Generator<string> {
    for (const [id, run] of this.#before.finished)
      if (seen.finished.get(id)?.status !== run.status) yield `run ${id} has left the history`;
    const pending = pendingRuns(document);
    const made = new Set<string>();
    for (const [serial, earlier] of published) {
      if (serial > document.serial) continue;
      for (const [id, works] of pendingRuns(earlier)) {
        if (pending.has(id)) continue;
        const { status } = this.#after.finished.get(id) ?? {};
        if (seen.finished.get(id)?.status !== status || status === undefined)
          yield `run ${id} has ended as ${status}, the history says ${seen.finished.get(id)?.status ?? 'nothing'}`;
        for (const work of works) made.add(work);
      }
    }
    for (const [work, value] of seen.values) {
      const now = this.#after.values.get(work);
      if (value === now || (!made.has(work) && value === this.#before.values.get(work))) continue;
      // Its key is about to be removed, and nothing made it.
      yield `${work} is ${made.has(work) ? 'made and not the new value' : 'neither the old nor the new value'}: ${value.slice(0, 80)}`;
    }
  }
}

function after(before: Moment, operation: Operation, number: number, disk: Disk): Moment {
  const published = new Map(before.published);
  if (operation.op === 'link' || operation.op === 'rename') {
    const text = /^\.dynpart\/(state\.json|\.state\.json\.\d{12})$/.test(operation.to)
      ? textAt(disk, operation.to)
      : '';
    if (text !== '') {
      const document = parseState(text, operation.to);
      published.set(document.serial, document);
    }
  }
  const isTold = operation.op === 'told';
  return {
    operation,
    number,
    published,
    told: isTold ? Math.max(before.told, ...published.keys()) : before.told,
    isOver: before.isOver || (isTold && operation.code === 0),
  };
}

function textAt(disk: Disk, file: string): string {
  let node: unknown = disk.root;
  for (const part of file.split('/')) node = (node as Disk['root']).current.get(part);
  return node instanceof FileNode ? node.current.toString('utf8') : '';
}

function wordsFor(operation: Operation): string {
  const { op } = operation;
  if (op === 'told' || op === 'unknown') return operation.what;
  if (op === 'link' || op === 'rename') return `${op} ${operation.from} to ${operation.to}`;
  return `${op} ${'path' in operation ? operation.path : ''}`;
}
