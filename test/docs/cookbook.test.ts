/** docs/cookbook.md: the test of every recipe. */
import { describe, expect } from 'vitest';
import { runTestsOf, writePage } from '../support/docs-page.ts';

const page = writePage('docs/cookbook.md');

describe('the recipes of docs/cookbook.md', async () => {
  expect(await runTestsOf(page)).toEqual(
    ['prices', 'members', 'late', 'feeds', 'uploads', 'backup', 'bucket', 'words'].map(
      (name) => `${name}.test.ts`,
    ),
  );
});
