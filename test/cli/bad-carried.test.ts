/** Versions and items that cannot be carried, and marks of keys that are not there: all of them named in one report, nothing half done. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const made = asset({ name: 'made', partitions: items, materialize: () => 1 });
const feed = sensor({ name: 'feed', evaluate: () => ({
  dynamicPartitionsRequests: [items.buildAddRequest(JSON.parse(fs.readFileSync(new URL('seen.json', import.meta.url), 'utf8')))],
}) });
export default definePipeline({ assets: [made], sensors: [feed] });
`;

let project: Project;
let before: string | null;
beforeEach(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE, 'seen.json': '[{"key":"a","version":"1"}]' });
  await runHere(project, ['sensor', 'tick']);
  before = project.stateBytes();
});
afterEach(async () => {
  expect(project.stateBytes()).toBe(before);
  await project[Symbol.asyncDispose]();
});

/** Exit code and message. */
const refused = async (...args: readonly string[]): Promise<readonly [number | null, string]> => {
  const { code, stdout } = await runHere(project, [...args, '--json']);
  return [code, (JSON.parse(stdout) as { error: { message: string } }).error.message];
};

it.each<readonly [args: readonly string[], message: string]>([
  [['--version', ''], 'version: a version is not empty'],
  [['--version', 'é'.repeat(129)], 'version: it has 258 bytes; a version has 256 at most (use a hash of it)'],
  [['--item', '{bad'], '--item takes JSON, and this is none: {bad'],
  [
    ['--item', JSON.stringify('v'.repeat(16_384))],
    'item: it has 16386 bytes of JSON; an item has 16384 at most (keep what is larger as the value of an asset)',
  ],
])('by hand: %j', async (args, message) => {
  expect(await refused('partitions', 'add', 'items', 'b', ...args)).toEqual([2, message]);
});

it('from a file: each line with what is wrong', async () => {
  const lines = ['{"key":"b","version":"1"}', '{"key":"c","version":5}', '{"key":"d","version":""}', 'nope'];
  project.write({ 'keys.txt': lines.join('\n') });
  const [code, message] = await refused('partitions', 'add', 'items', '--from', 'keys.txt', '--json-lines');
  expect(code).toBe(2);
  expect(message).toContain('3 keys of keys.txt cannot be used');
  expect(message).toContain('version: it is a number; a version is text;');
  expect(message).toContain('version: a version is not empty;');
  expect(message).toContain('line 4: "nope"');
});

it('from a sensor: all of a result, and the tick fails', async () => {
  project.write({
    'seen.json': '[{"key":"b","version":5},{"key":"c","version":""},{"key":"","version":"1"}]',
  });
  const { code, stdout } = await runHere(project, ['sensor', 'tick', '--json']);
  const { ticks } = JSON.parse(stdout) as { ticks: { status: string; error: { message: string } }[] };
  expect([code, ticks[0]!.status]).toEqual([3, 'FAILURE']);
  expect(ticks[0]!.error.message).toContain(
    'version: it is a number; a version is text, of key "b" in dynamicPartitionsRequests[0]; ' +
      'version: a version is not empty, of key "c" in dynamicPartitionsRequests[0]; key "" in dynamicPartitionsRequests[0]',
  );
});

it('a mark for keys that are not there names them all', async () => {
  const [code, message] = await refused(
    'assets',
    'mark',
    'made',
    '--as',
    'missing',
    '--key',
    'x',
    '--key',
    'a',
    '--key',
    'y',
  );
  expect([code, message]).toEqual([2, expect.stringMatching(/"x".*"y"/)]);
});
