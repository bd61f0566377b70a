/** A JSON state file in a temporary folder, with a hand on it from outside: another process's commits and its death. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Clock } from '../../src/model/time.ts';
import { applyChanges } from '../../src/state/document/apply-changes.ts';
import { HistoryFiles } from '../../src/state/json/history-files.ts';
import { JsonFileStore } from '../../src/state/json/json-file-store.ts';
import { parseState } from '../../src/state/json/parse-state.ts';
import { processTag } from '../../src/files/process-owner.ts';
import { StateFile } from '../../src/state/json/state-file.ts';
import { withCommit } from '../../src/state/json/writers.ts';
import { emptyDocument, type StateDocument } from '../../src/state/document/state-document.ts';
import type { Mapping } from '../../src/state/store.ts';
import type { StateChange } from '../../src/state/changes.ts';
import { FakeClock } from './fake-clock.ts';

/** A folder that goes with the test. */
export class TemporaryFolder implements Disposable {
  readonly path: string;

  constructor(parent = os.tmpdir()) {
    this.path = fs.realpathSync(fs.mkdtempSync(path.join(parent, 'dynpart-unit-')));
  }

  file(...names: string[]): string {
    return path.join(this.path, ...names);
  }

  /** All files in it, with what is in them. */
  content(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const entry of fs.readdirSync(this.path, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      found[path.relative(this.path, file)] = entry.isFile() ? fs.readFileSync(file, 'latin1') : 'a folder';
    }
    return found;
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.path, { recursive: true, force: true });
  }
}

let seeds = 1;

export class JsonRig implements Disposable {
  readonly folder: TemporaryFolder;
  readonly stateFile: string;
  readonly warnings: string[] = [];
  readonly store: JsonFileStore;
  readonly #written: Promise<void>[] = [];

  constructor(parent?: string) {
    this.folder = new TemporaryFolder(parent);
    this.stateFile = this.folder.file('.dynpart', 'state.json');
    this.store = this.open();
  }

  /** Another store on the same file, as another process would have one. */
  open(clock: Clock = new FakeClock(undefined, ++seeds)): JsonFileStore {
    return new JsonFileStore({
      file: this.stateFile,
      clock,
      version: '0.0.0',
      warn: (message) => this.warnings.push(message),
    });
  }

  /** What is in the file, read past every store. */
  onDisk(): StateDocument {
    if (!fs.existsSync(this.stateFile)) return emptyDocument();
    return parseState(fs.readFileSync(this.stateFile, 'utf8'), this.stateFile);
  }

  /** What another process would read: also where a writer was stopped between its two steps. */
  newest(): StateDocument {
    return new StateFile(this.stateFile, () => undefined).newestIntact().present ?? emptyDocument();
  }

  /** What another process commits, from its first step to its last, before this call returns. */
  commitElsewhere(changes: readonly StateChange[], mapping: Mapping | null = null): void {
    const before = this.newest();
    new HistoryFiles(path.dirname(this.stateFile)).recordRuns(
      changes.flatMap((change) =>
        change.type === 'runs-finished' ? change.runs.map(({ record }) => record) : [],
      ),
      [],
    );
    const none = (): undefined => undefined;
    const serial = before.serial + 1;
    this.write({
      ...applyChanges(before, changes, none, mapping),
      serial,
      writers: withCommit(before.writers, { id: `${processTag()}-else`, serial }),
      lineage: before.lineage || 'made elsewhere',
    });
  }

  /** Publishes a document as it is. The steps of a write are synchronous; a failure shows in `dispose`. */
  write(document: StateDocument): void {
    this.#written.push(
      new StateFile(this.stateFile, (message) => this.warnings.push(message)).write(document),
    );
  }

  /** As if the executor's process had been killed, and its pid given to another one. */
  kill(executor: string): void {
    const document = this.onDisk();
    if (!document.executors.some(({ id }) => id === executor))
      throw new Error(`there is no executor ${executor}`);
    this.write({
      ...document,
      serial: document.serial + 1,
      executors: document.executors.map((entry) =>
        entry.id === executor ? { ...entry, startTime: '1' } : entry,
      ),
    });
  }

  async settled(): Promise<void> {
    await Promise.all(this.#written);
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}
