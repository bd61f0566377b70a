/** Keeps the time of a file fresh from a thread of its own: a sign of life also while user code blocks the main thread. */

export interface LifeThreadOptions {
  /** Made when it is not there. */
  readonly file: string;
  readonly everyMs: number;
}

/** As text: it needs nothing of dynpart, and so no file of its own in what is built. */
const SCRIPT = `
const fs = require('node:fs');
const { file, everyMs } = require('node:worker_threads').workerData;
const show = () => {
  try {
    fs.closeSync(fs.openSync(file, 'a'));
    const now = new Date();
    fs.utimesSync(file, now, now);
  } catch {
    // The disk is in trouble, or the folder is gone: the next time, or never.
  }
};
show();
setInterval(show, everyMs);
`;

/** Answers with what ends it. */
export function showLifeFromThread(options: LifeThreadOptions): () => Promise<void> {
  return beside(SCRIPT, options);
}

/** Runs a text in a thread. Answers with what ends it. */
export function beside(script: string, workerData: unknown): () => Promise<void> {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const thread = new Worker(script, { eval: true, workerData, execArgv: [], env: {} });
  thread.unref();
  // Without a thread the process shows itself as before.
  thread.on('error', () => undefined);
  return async () => void (await thread.terminate());
}
