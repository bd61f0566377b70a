#!/usr/bin/env node
'use strict';
// The entry. CommonJS, because that starts fastest on Node 20; what is the same each time needs nothing but a file.
const fs = require('node:fs');
const path = require('node:path');

/** `--version` and `--help` alone: nothing else that was typed or that is on this machine changes what they say. */
function saysPrepared() {
  const [, , flag, ...more] = process.argv;
  if (more.length > 0 || !['--version', '-V', '--help', '-h'].includes(flag)) return false;
  try {
    const isVersion = flag === '--version' || flag === '-V';
    fs.writeSync(
      1,
      isVersion
        ? `${require('../package.json').version}\n`
        : fs.readFileSync(path.join(__dirname, '../dist/help.txt')),
    );
    return true;
  } catch {
    // The long way knows what to do with a closed pipe.
    return false;
  }
}

/** The command line, compiled at an earlier start where that may be. */
function commandLine() {
  const { fileFor, openCodeCache } = require('./code-cache.cjs');
  const dist = path.join(__dirname, '../dist');
  const file = fileFor(process, dist);
  if (file === null) return require('../dist/cli-core.cjs');
  const cache = openCodeCache(file, dist);
  process.once('exit', (code) => {
    if (code === 0) cache.keep();
  });
  return cache.load('cli-core.cjs');
}

if (!saysPrepared()) void commandLine().main();
