/** docs/reference-api.md is what `npm run reference` makes of the declarations, and each of them says what it is for. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { apiReference } from '../../build/api-reference.mjs';
import { root } from '../support/project.ts';

const page = fs.readFileSync(path.join(root, 'docs/reference-api.md'), 'utf8');

it('is current: npm run reference', () => {
  expect(page).toBe(apiReference());
});

it('has a sentence on each function that is exported', () => {
  const sections = [...page.matchAll(/^### (\w+)\n\n([^]*?)(?=^##|(?![^]))/gm)];
  expect(sections.length).toBeGreaterThan(60);
  const silent = sections.filter(([, name, text]) => /^[a-z]/.test(name!) && text!.startsWith('```'));
  expect(silent.map(([, name]) => name)).toEqual([]);
});
