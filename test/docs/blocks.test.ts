/** No block of the README or of docs/ is passed over: each is run, or is held by a test, or says why it is not run. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type Block, blocksOf, PAGES } from '../support/docs-page.ts';
import { root } from '../support/project.ts';

const blocks = PAGES.flatMap((page) => blocksOf(page));

/** Those of the first two lines are run by `console.test.ts`, the others by `code.test.ts`. */
const isRun = ({ language, file }: Block): boolean =>
  language === 'console' || language === 'sh' || language === 'ts' || (language !== '' && file !== null);

it('every fence of the pages is a block that was read', () => {
  for (const page of PAGES) {
    const fences = fs.readFileSync(path.join(root, page), 'utf8').match(/^```/gm) ?? [];
    expect([page, fences.length]).toEqual([page, 2 * blocksOf(page).length]);
  }
});

it('each is run, is held by a test, or says why not', () => {
  const passedOver = blocks.filter(
    (block) => !isRun(block) && block.heldBy === null && block.notRun === null,
  );
  expect(passedOver.map(({ page, line, language }) => `${page}:${line} ${language}`)).toEqual([]);
});

it('a test that holds one is there, and reads the page', () => {
  for (const { page, line, heldBy } of blocks) {
    if (heldBy === null) continue;
    const seen = readWith(heldBy);
    expect([`${page}:${line}`, heldBy, seen.includes(page)]).toEqual([`${page}:${line}`, heldBy, true]);
  }
});

/** A test with what it imports from beside it and from support/. */
function readWith(test: string): string {
  const text = fs.readFileSync(path.join(root, test), 'utf8');
  const imports = [...text.matchAll(/from '(\.[^']*\/(?:support|settings)\/[^']*|\.\/settings[^']*)'/g)];
  return [
    text,
    ...imports.map(([, name]) => fs.readFileSync(path.join(root, path.dirname(test), name!), 'utf8')),
  ].join('\n');
}

it('these are not run, and no others', () => {
  const notRun = blocks.flatMap(({ page, text, notRun }) =>
    notRun === null ? [] : [`${page}: ${text.split('\n')[0]!.replace(/ {2,}#.*/, '')}: ${notRun}`],
  );
  expect(notRun.toSorted()).toEqual([
    'README.md: $ npm ci && npm test: it is what runs this page',
    'README.md: npm install -g dynpart: it asks the registry; test/e2e/package.test.ts installs the tarball so',
    'docs/being-told.md: * * * * * cd /srv/orders && dynpart status --format prometheus > /var/lib/node_exporter/.orders && mv /var/lib/node_exporter/.orders /var/lib/node_exporter/orders.prom: it takes a node_exporter',
    'docs/being-told.md: npm install @opentelemetry/api @opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-http: it takes a collector',
    'docs/coming-from-dagster.md: import csv: Dagster is not installed where the tests are run; it was run on 2026-11-27 with Dagster 1.13.28',
    'docs/concepts.md:  source ──▶ sensor ──▶ keys of a set ──▶ runs ──▶ assets ──▶ values: it is a drawing',
    'docs/cookbook.md: import dlt: dlt is not installed where the tests are run; it was run on 2026-11-27 with dlt 1.31.0',
    'docs/operating.md: systemctl enable --now orders.timer: it changes the machine',
    'docs/performance.md: npm run bench -- --check: it takes minutes, and a machine that is left alone',
    'docs/performance.md: npm run bench -- --full --peers --into docs/performance.md --record: it takes minutes, and a machine that is left alone',
    'docs/performance.md: npm run bench: it takes minutes, and a machine that is left alone',
    'docs/postgresql.md: [pgbouncer]: it takes PgBouncer; it was run on 2026-11-27 with PgBouncer 1.18',
    'docs/postgresql.md: services:: it takes Docker; PyYAML 6.0.3 reads it',
    'docs/state-file.md: npm install -g dynpart@0.1: it asks the registry',
    'docs/when-something-went-wrong.md: $ which -a dynpart: it asks the registry',
  ]);
});
