/** What the folder of a benchmark lies on: on tmpfs a sync costs nothing. */
import os from 'node:os';
import { expect, test } from 'vitest';
import { fileSystemOf } from '../../bench/file-system.mjs';

const elsewhere = process.platform !== 'linux';
const name = 'a folder is on the file system of its nearest mount point';

test.skipIf(elsewhere)(elsewhere ? `SKIPPED, there is no /proc: ${name}` : name, () => {
  expect(fileSystemOf('/proc/self')).toBe('proc');
  expect(fileSystemOf(os.tmpdir())).not.toBe('proc');
});
