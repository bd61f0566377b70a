/** Preloaded: notes in `fsyncs.txt` which process waited for the disk, and from when to when, in milliseconds since 1970. */
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

// A start with flags keeps no compiled code, nor takes it: that of this one would not be what users wait for.
process.execArgv.length = 0;

const sync = fs.fsyncSync;
/** @type {string[]} */
const noted = [];
const now = () => performance.timeOrigin + performance.now();

fs.fsyncSync = (file) => {
  const began = now();
  try {
    sync(file);
  } finally {
    noted.push(`${process.pid} ${began} ${now()}\n`);
  }
};
syncBuiltinESMExports();
process.once('exit', () => fs.appendFileSync('fsyncs.txt', noted.join('')));
