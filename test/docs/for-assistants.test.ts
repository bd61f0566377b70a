/** llms.txt and docs/for-assistants.md: its example runs, nothing that is exported is missing, and it is short. */
import fs from 'node:fs';
import path from 'node:path';
import * as library from 'dynpart';
import * as sources from 'dynpart/sources';
import * as testing from 'dynpart/testing';
import { describe, expect, it } from 'vitest';
import { runTestsOf, writePage } from '../support/docs-page.ts';
import { root } from '../support/project.ts';

const read = (name: string): string => fs.readFileSync(path.join(root, name), 'utf8');
const text = read('docs/for-assistants.md');
const page = writePage('docs/for-assistants.md');

describe('the example', async () => {
  expect(await runTestsOf(page)).toEqual(['pipeline.test.ts']);
});

/** The members of an interface, as it is written. */
function membersOf(file: string, name: string): string[] {
  const [, body = ''] =
    new RegExp(`^export interface ${name}\\b.*?\\{\\n(.*?)^\\}`, 'ms').exec(read(file)) ?? [];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[?(:<]/gm)].map(([, member]) => member!);
}

const NAMES = {
  dynpart: Object.keys(library),
  'dynpart/sources': Object.keys(sources),
  'dynpart/testing': Object.keys(testing),
  'asset options': membersOf('src/definitions/asset.ts', 'AssetOptions'),
  'asset context': membersOf('src/definitions/asset.ts', 'AssetContext'),
  automate: membersOf('src/definitions/asset.ts', 'AutomateOptions'),
  retry: membersOf('src/definitions/asset.ts', 'RetryPolicy'),
  'sensor options': membersOf('src/definitions/sensor.ts', 'SensorOptions'),
  'sensor context': membersOf('src/definitions/sensor.ts', 'SensorContext'),
  'sensor result': membersOf('src/definitions/sensor.ts', 'SensorResult'),
  'a view of a set': membersOf('src/definitions/sensor.ts', 'PartitionsView'),
  'a run request': membersOf('src/definitions/sensor.ts', 'RunRequest'),
  'pipeline options': membersOf('src/definitions/pipeline-options.ts', 'PipelineOptions'),
  'an I/O manager': membersOf('src/definitions/io-manager.ts', 'IoManager'),
  testPipeline: membersOf('src/testing/test-pipeline.ts', 'TestPipeline'),
};

it.each(Object.entries(NAMES))('the page names all of %s', (_what, names) => {
  expect(names.length).toBeGreaterThan(0);
  const prose = text.replace(/^```.*?^```/gms, '');
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(prose))).toEqual([]);
});

it('is small enough to be read whole', () => {
  expect(Buffer.byteLength(text)).toBeLessThan(12_000);
});

it('llms.txt leads to pages that are there and in the package', () => {
  const links = [...read('llms.txt').matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!);
  expect(links[0]).toBe('docs/for-assistants.md');
  expect(links.filter((link) => !fs.existsSync(path.join(root, link)))).toEqual([]);
  const { files } = JSON.parse(read('package.json')) as { files: string[] };
  expect(files).toEqual(expect.arrayContaining(['llms.txt', 'docs/*.md']));
});
