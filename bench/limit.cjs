/** The physical limits: what reading, rewriting, or keeping so many small files costs a process of node that does nothing else. */
'use strict';
// As many threads as a batch of syncs can use; before the first asynchronous call, or it has no effect.
process.env['UV_THREADPOOL_SIZE'] = '64';
const fs = require('node:fs');
const { promisify } = require('node:util');

const fsync = promisify(fs.fsync);

const [, , what, file = '', count] = process.argv;
if (what === 'parse') parsed();
else if (what === 'rewrite') rewrite();
else if (what === 'values') void keepValues(file, Number(count));
else throw new Error(`no limit is called ${what}`);

function parsed() {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function rewrite() {
  const temporary = `${file}.limit`;
  const bytes = Buffer.from(JSON.stringify(parsed()), 'utf8');
  const fd = fs.openSync(temporary, 'w');
  for (let written = 0; written < bytes.length;) written += fs.writeSync(fd, bytes, written);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  // Onto the name of the last round, as a commit renames over the state file.
  fs.renameSync(temporary, `${file}.rewritten`);
}

/**
 * In batches, so that open files stay few: write all, sync all, rename all, sync the folder.
 * @param {string} folder
 * @param {number} many
 */
async function keepValues(folder, many) {
  const BATCH = 500;
  for (let from = 0; from < many; from += BATCH) {
    const names = Array.from(
      { length: Math.min(BATCH, many - from) },
      (_, at) => `${folder}/key-${String(from + at + 1).padStart(7, '0')}.json`,
    );
    const fds = names.map((name) => {
      const fd = fs.openSync(`${name}.new`, 'wx');
      fs.writeSync(fd, `"value of ${name.slice(-16, -5)}"\n`);
      return fd;
    });
    await Promise.all(fds.map((fd) => fsync(fd)));
    for (const fd of fds) fs.closeSync(fd);
    for (const name of names) fs.renameSync(`${name}.new`, name);
    const fd = fs.openSync(folder, 'r');
    fs.fsyncSync(fd);
    fs.closeSync(fd);
  }
}
