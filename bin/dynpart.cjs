#!/usr/bin/env node
'use strict';
// The entry. CommonJS, because that starts fastest on Node 20; `--version` alone needs nothing else.
if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-V')) {
  require('node:fs').writeSync(1, `${require('../package.json').version}\n`);
} else {
  void require('../dist/cli.cjs').main();
}
