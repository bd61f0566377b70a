/** Preloaded into a process: leaves its peak of resident memory, in kB, in its home when it ends. */
'use strict';
const fs = require('node:fs');
const path = require('node:path');

process.on('exit', () => {
  // Not ru_maxrss where it can be helped: across exec it keeps what the parent had.
  let kb = process.resourceUsage().maxRSS;
  try {
    kb = Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1]);
  } catch {
    // Not Linux.
  }
  fs.writeFileSync(path.join(String(process.env['HOME']), 'peak-kb'), String(kb));
});
