/** `dynpart state restore` when the state file cannot be read, at whichever of its readings. */
import fs from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CapturedTerminal, type Ran, runOn } from '../support/captured-terminal.ts';
import { Project } from '../support/project.ts';

const pipeline = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const keys = dynamicPartitions('keys');
export default definePipeline({ assets: [asset({ name: 'a', partitions: keys, materialize: () => 1 })] });
`;

let project: Project;
beforeEach(() => {
  project = new Project({ 'pipeline.ts': pipeline });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await project[Symbol.asyncDispose]();
});

function dynpart(...args: readonly string[]): Promise<Ran> {
  const terminal = new CapturedTerminal({
    cwd: project.folder,
    env: { XDG_CACHE_HOME: project.path('.cache') },
  });
  return runOn(terminal, args);
}

it('is exit 5 with the file and the cause, and changes nothing, whichever reading is refused', async () => {
  await dynpart('partitions', 'add', 'keys', 'a', 'b');
  await dynpart('state', 'export', 'copy.json');
  await dynpart('partitions', 'add', 'keys', 'c');
  const file = project.path('.dynpart', 'state.json');
  const before = fs.readFileSync(file, 'utf8');
  const real = fs.readFileSync;
  let refused = 0;
  for (let nth = 1; ; nth++) {
    let reads = 0;
    vi.spyOn(fs, 'readFileSync').mockImplementation(((name: unknown, ...rest: unknown[]) => {
      if (name === file && ++reads === nth) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
      return (real as (...args: unknown[]) => unknown)(name, ...rest);
    }) as never);
    const { code, stderr } = await dynpart('state', 'restore', 'copy.json');
    vi.restoreAllMocks();
    if (reads < nth) break;
    refused++;
    expect(code, stderr).toBe(5);
    expect(stderr).toContain(`cannot read ${file}: no permission (EACCES)`);
    expect(fs.readFileSync(file, 'utf8')).toBe(before);
  }
  expect(refused).toBeGreaterThan(1);
});

it('brings back what keys carry, byte for byte', async () => {
  const items = {
    plain: { n: 1.5e-7, nested: [null, true, 'é 🐦 \u2028 \u0000'], order: { z: 1, a: 2 } },
    '__proto__ "odd" \\ / é': { text: 'x'.repeat(300), empty: {}, list: [[]] },
  };
  for (const [key, item] of Object.entries(items))
    await dynpart(
      'partitions',
      'add',
      'keys',
      key,
      '--version',
      `W/"${key.length}"`,
      '--item',
      JSON.stringify(item),
    );
  const carried = (): string => {
    const { sets } = JSON.parse(project.read('.dynpart', 'state.json'));
    return JSON.stringify([sets.keys.keys, sets.keys.versions, sets.keys.items]);
  };
  const before = carried();
  expect(before).toContain(JSON.stringify(Object.values(items)));
  await dynpart('state', 'export', project.path('copy.json'));
  await dynpart('partitions', 'remove', 'keys', ...Object.keys(items));
  expect(carried()).not.toBe(before);
  expect((await dynpart('state', 'restore', project.path('copy.json'))).code).toBe(0);
  expect(carried()).toBe(before);
});
