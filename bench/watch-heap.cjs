/** Preloaded into a watch: on SIGUSR2 its main thread collects its garbage and notes what is left. */
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { isMainThread } = require('node:worker_threads');

if (isMainThread) {
  process.on('SIGUSR2', () => {
    // What waits for its turn is garbage after it.
    setImmediate(() => {
      globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      const line = JSON.stringify({ thread: 'main', heapUsed, rss });
      fs.appendFileSync(path.join(String(process.env['HOME']), 'heap.jsonl'), `${line}\n`);
    });
  });
}
