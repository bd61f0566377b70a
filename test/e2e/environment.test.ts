/** What programs that user code starts get from dynpart beside their own environment. */
import { describe, expect, it } from 'vitest';
import { Project } from '../support/project.ts';

/** Each says what it sees, and how many threads the process has that started it. */
const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import fs from 'node:fs';
const set = dynamicPartitions('s');
const say = async (name: string, exec: any) => {
  const { stdout } = await exec('sh', ['-c', 'echo "\${UV_THREADPOOL_SIZE-none}"']);
  fs.appendFileSync(new URL('said', import.meta.url), name + ' ' + stdout + ' ' + (process.env.UV_THREADPOOL_SIZE ?? 'none') + '\\n');
  await fs.promises.access('.');
  fs.writeFileSync(new URL('threads', import.meta.url), String(fs.readdirSync('/proc/self/task').length));
};
const made = asset({ name: 'made', partitions: set, materialize: ({ exec }) => say('asset', exec) });
export default definePipeline({ assets: [made], sensors: [sensor({ name: 'source', assets: [made], minimumIntervalSeconds: 1,
  async evaluate({ cursor, exec }) {
    await say('sensor', exec);
    return cursor === null ? { cursor: '1', dynamicPartitionsRequests: [set.buildAddRequest(['k'])], runRequests: [{ partitionKey: 'k' }] } : {};
  } })] });
`;

describe('UV_THREADPOOL_SIZE', () => {
  it('is not what dynpart uses for itself, in a sensor, an asset and the thread of a watch', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    expect(await project.dynpart(['sensor', 'tick'])).toMatchObject({ code: 0 });
    expect(project.read('said').trim().split('\n')).toEqual(['sensor none none', 'asset none none']);
    // The threads are there all the same.
    expect(Number(project.read('threads'))).toBeGreaterThan(64);
    const watch = project.start(['sensor', 'watch']);
    await expect.poll(() => project.read('said').trim().split('\n').length).toBeGreaterThan(2);
    watch.process.kill('SIGTERM');
    await watch.done;
    expect(project.read('said').trim().split('\n').at(-1)).toBe('sensor none none');
  });

  it('is not what user code hands to a program that it starts without exec', async () => {
    await using project = new Project({
      'pipeline.ts': `import { asset, definePipeline, sensor } from 'dynpart';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
const materialize = async () => {
  await fs.promises.access('.');
  fs.writeFileSync(new URL('said', import.meta.url), execFileSync('sh', ['-c', 'echo "\${UV_THREADPOOL_SIZE-none}"']));
  fs.writeFileSync(new URL('threads', import.meta.url), String(fs.readdirSync('/proc/self/task').length));
};
const source = sensor({ name: 'source', evaluate: materialize });
export default definePipeline({ assets: [asset({ name: 'made', materialize })], sensors: [source] });
`,
    });
    for (const command of [
      ['materialize', '--all'],
      ['sensor', 'tick'],
    ]) {
      expect(await project.dynpart(command)).toMatchObject({ code: 0 });
      expect(project.read('said').trim()).toBe('none');
      expect(Number(project.read('threads'))).toBeGreaterThan(64);
    }
  });

  it('is what the user gave', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    await project.dynpart(['sensor', 'tick'], { env: { UV_THREADPOOL_SIZE: '7' } });
    expect(project.read('said').trim().split('\n')).toEqual(['sensor 7 7', 'asset 7 7']);
  });
});
