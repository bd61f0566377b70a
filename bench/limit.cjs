/** The physical limit: what reading, and what rewriting a JSON file costs a process of node that does nothing else. */
'use strict';
const fs = require('node:fs');

const [, , what, file] = process.argv;
const value = JSON.parse(fs.readFileSync(file, 'utf8'));
if (what === 'rewrite') {
  const temporary = `${file}.limit`;
  const bytes = Buffer.from(JSON.stringify(value), 'utf8');
  const fd = fs.openSync(temporary, 'w');
  for (let written = 0; written < bytes.length;) written += fs.writeSync(fd, bytes, written);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  // Onto the name of the last round, as a commit renames over the state file.
  fs.renameSync(temporary, `${file}.rewritten`);
}
