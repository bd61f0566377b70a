/** Notices that a state changes: by the signs that the system or the database gives, and where there are none by a look now and then. */
import fs from 'node:fs';
import path from 'node:path';
import type { Store } from '../stores.ts';

export interface StateEvents {
  /** Something may have changed. */
  readonly onChange: () => void;
  /** A run may have written something. */
  readonly onLog: () => void;
}

/** Several signs of one commit are one. */
const TOGETHER_MS = 30;
const LOGS_TOGETHER_MS = 250;

/** A database calls for queued runs only, and a look at it is one short query. */
const LOOK_AT_DATABASE_MS = 1000;

/** For file systems that give no sign, as of what another machine writes. */
const LOOK_AT_FILES_MS = 5000;

/** @returns what ends it */
export function watchState(store: Store, { onChange, onLog }: StateEvents): () => void {
  const log = together(onLog, LOGS_TOGETHER_MS);
  if ('database' in store) {
    const change = together(onChange, TOGETHER_MS);
    const stopListening = store.watchChanges(change.call);
    const looks = every(LOOK_AT_DATABASE_MS, () => (change.call(), log.call()));
    return () => [stopListening, looks, change.end, log.end].forEach((end) => end());
  }
  const folders = new WatchedFolders();
  const change = together(() => (watch(), onChange()), TOGETHER_MS);
  // Folders may come later, or be others than before.
  const watch = (): void => {
    // Before the first commit there is none.
    folders.watch(path.dirname(store.file.folder), change.call, !fs.existsSync(store.file.folder));
    folders.watch(store.file.folder, change.call);
    for (const name of ['history', path.join('history', 'ticks'), 'executors'])
      folders.watch(path.join(store.beside, name), change.call);
    folders.watch(path.join(store.beside, 'logs'), log.call);
  };
  watch();
  const looks = every(LOOK_AT_FILES_MS, () => (change.call(), log.call()));
  return () => [looks, () => folders.end(), change.end, log.end].forEach((end) => end());
}

class WatchedFolders {
  readonly #watchers = new Map<string, { readonly watcher: fs.FSWatcher; readonly made: string }>();

  /** Does nothing where it is watched already, or is not there. @param isWanted whether it is to be watched at all */
  watch(folder: string, onEvent: () => void, isWanted = true): void {
    const made = isWanted ? madeAt(folder) : null;
    const known = this.#watchers.get(folder);
    if (known !== undefined && known.made === made) return;
    known?.watcher.close();
    this.#watchers.delete(folder);
    if (made === null) return;
    try {
      const watcher = fs.watch(folder, { persistent: false }, onEvent);
      watcher.on(
        'error',
        () => this.#watchers.get(folder)?.watcher === watcher && this.#watchers.delete(folder),
      );
      this.#watchers.set(folder, { watcher, made });
      // What came before it was watched.
      onEvent();
    } catch {
      // The system has no more of them: it is looked at now and then all the same.
    }
  }

  end(): void {
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}

/** Tells a folder from another one of its name; `null`: there is none, or it cannot be seen. */
function madeAt(folder: string): string | null {
  try {
    const { ino, birthtimeMs } = fs.statSync(folder);
    return `${ino} ${birthtimeMs}`;
  } catch {
    return null;
  }
}

/** At most one call in so much time, and one after the last sign. */
function together(call: () => void, ms: number): { readonly call: () => void; readonly end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  return {
    call: () =>
      void (timer ??= setTimeout(() => {
        timer = undefined;
        call();
      }, ms).unref()),
    end: () => clearTimeout(timer),
  };
}

function every(ms: number, call: () => void): () => void {
  const timer = setInterval(call, ms).unref();
  return () => clearInterval(timer);
}
