/** docs/testing.md: every test that it shows, and node's runner on the one that is for it. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runTestsOf, writePage } from '../support/docs-page.ts';

const page = writePage('docs/testing.md');

describe('what docs/testing.md shows', async () => {
  expect(await runTestsOf(page)).toEqual([
    'shop.test.ts',
    'invoice.test.ts',
    'time.test.ts',
    'crash.test.ts',
  ]);
});

it('its test for node', async () => {
  const file = path.join(page.folder, 'node.test.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, ['--test-reporter=tap', file]);
  expect(stdout).toMatch(/^# pass 1$/m);
});
