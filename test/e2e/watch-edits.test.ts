/** A watch goes on by the code as it is on the disk now: through the real binary. */
import fs from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { describeEachStore } from '../support/each-store.ts';
import { ProjectHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

/** A sensor that finds one key for each file of its folder, and an asset that waits until a file says that it may end. */
const PIPELINE = `
import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { word } from './lib/word.ts';
const keys = dynamicPartitions('keys');
const made = asset({
  name: 'made',
  partitions: keys,
  async materialize({ partitionKey, signal }) {
    while (partitionKey === 'slow' && !fs.existsSync(new URL('go', import.meta.url)) && !signal.aborted)
      await new Promise((resolve) => setTimeout(resolve, 20));
    return word + ' ' + partitionKey;
  },
});
const found = sensor({
  name: 'found',
  minimumIntervalSeconds: 0.1,
  async evaluate({ partitions }) {
    const fresh = await partitions(keys).missing(fs.readdirSync(new URL('in', import.meta.url)));
    if (fresh.length === 0) return;
    return {
      dynamicPartitionsRequests: [keys.buildAddRequest(fresh)],
      runRequests: fresh.map((partitionKey) => ({ partitionKey, runKey: partitionKey, assets: ['made'] })),
    };
  },
});
export default definePipeline({ assets: [made], sensors: [found], concurrency: 2 });
`;

const wordIs = (word: string): Record<string, string> => ({
  'lib/word.ts': `export const word = ${JSON.stringify(word)};\n`,
});

/** `null`: there is none. */
async function valueOf(project: Project, key: string): Promise<unknown> {
  const { code, stdout } = await project.dynpart(['value', 'show', 'made', '--key', key]);
  return code === 0 ? JSON.parse(stdout) : null;
}

const valuesOf = (project: Project, keys: readonly string[]): Promise<unknown[]> =>
  Promise.all(keys.map((key) => valueOf(project, key)));

describe('a watch that cannot begin', () => {
  it.each([
    ['sensor watch nope', 'there is no sensor "nope"'],
    ['sensor watch found nope', 'there is no sensor "nope"'],
  ])('says why, once, and blames nobody: %s', async (line, why) => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, ...wordIs('one') });
    const { code, stderr } = await project.dynpart(line.split(' '));
    expect(code).toBe(2);
    expect(stderr.match(/error: .*/g)).toEqual([`error: ${why}`]);
  });

  it('nor go on, for what fails in it', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, ...wordIs('one'), 'in/a': '' });
    await project.json(['sensor', 'tick']);
    const watch = project.start(['sensor', 'watch', '-v']);
    await watch.saw('watching found');
    // Nothing can be committed any more. At once: else the watch may see it while it is still empty.
    project.write({ 'half.json': '{"half' });
    fs.renameSync(project.path('half.json'), project.path('.dynpart/state.json'));
    project.write({ 'in/b': '' });
    const { code, stderr } = await watch.done;
    expect(code).toBe(5);
    expect(stderr).not.toContain('code of the pipeline failed');
    expect(stderr).toContain('is not whole');
  });
});

it('an error that its code lets go of outside of a tick is said once, in words, and ends no watch', async () => {
  const stray = "setTimeout(() => { throw new Error('astray'); }, 300);\n";
  await using project = new Project({ 'pipeline.ts': `${PIPELINE}${stray}`, ...wordIs('one'), 'in/a': '' });
  const watch = project.start(['sensor', 'watch', '-v']);
  await watch.saw('for a: SUCCESS');
  // In the thread, too, which is made anew for the next tick.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  project.write({ 'in/b': '' });
  await watch.saw('for b: SUCCESS');
  watch.process.kill('SIGTERM');
  const { stderr } = await watch.done;
  // On a busy machine it may come while the thread still evaluates, and is that tick's then.
  const said = stderr.match(/error: .*/g)?.filter((line) => line !== "error: sensor 'found' threw: astray");
  expect(said).toEqual(['error: code of the pipeline failed where nothing waited for it: astray']);
  expect(stderr).not.toContain('Node.js v');
});

describeEachStore('a watch whose pipeline is edited', ProjectHere, (projectWith) => {
  it('goes on by the new code, also of an imported file, and lets what runs come to its end by the old one', async () => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE, ...wordIs('one'), 'in/slow': '' });
    const watch = project.start(['sensor', 'watch', '-v']);
    await watch.saw('started: made for slow');
    project.write(wordIs('two'));
    await watch.saw('pipeline.ts: loaded anew (1 asset, 1 sensor)');
    project.write({ 'in/quick': '' });
    // It is made while the other one still runs.
    await watch.saw('for quick: SUCCESS');
    expect(await valueOf(project, 'slow')).toBe(null);
    project.write({ go: '' });
    await watch.saw('for slow: SUCCESS');
    watch.process.kill('SIGTERM');
    expect((await watch.done).code).toBe(0);
    expect(await valuesOf(project, ['slow', 'quick'])).toEqual(['one slow', 'two quick']);
    const { runs } = (await project.json(['runs', 'list'])).document;
    expect(runs).toHaveLength(2);
  });

  it('says of what it gives back that it is in the queue, and not that it has stopped', async () => {
    const one = PIPELINE.replace('concurrency: 2', 'concurrency: 1');
    const files = { 'in/slow': '', 'in/tame': '', 'in/zest': '' };
    await using project = projectWith({ 'pipeline.ts': one, ...wordIs('one'), ...files });
    const watch = project.start(['sensor', 'watch', '-v'], { killAfterMs: 60_000 });
    await watch.saw('started: made for slow');
    project.write(wordIs('two'));
    await watch.saw('2 runs back in the queue');
    project.write({ go: '' });
    await watch.saw('for tame: SUCCESS');
    await watch.saw('for zest: SUCCESS');
    watch.process.kill('SIGTERM');
    const { stderr } = await watch.done;
    expect(stderr).toContain('Z 2 runs back in the queue\n');
    expect(stderr).not.toContain('stopped:');
    expect(await valuesOf(project, ['tame', 'zest'])).toEqual(['two tame', 'two zest']);
  });

  it('leaves to the new code what a tick of the old one finds that ends after the edit', async () => {
    const held = PIPELINE.replace(
      'const fresh = await',
      `if (fs.existsSync(new URL('hold', import.meta.url))) {
      fs.writeFileSync(new URL('held', import.meta.url), '');
      while (!fs.existsSync(new URL('release', import.meta.url)))
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const fresh = await`,
    );
    await using project = projectWith({ 'pipeline.ts': held, ...wordIs('one'), 'in/slow': '' });
    const watch = project.start(['sensor', 'watch', '-v']);
    await watch.saw('started: made for slow');
    project.write({ hold: '' });
    await vi.waitFor(() => expect(fs.existsSync(project.path('held'))).toBe(true), { timeout: 60_000 });
    project.write(wordIs('two'));
    await watch.saw('pipeline.ts: loaded anew (1 asset, 1 sensor)');
    project.write({ 'in/quick': '', release: '' });
    // The other one is still at work, by the old code.
    await watch.saw('for quick: SUCCESS');
    expect(await valueOf(project, 'slow')).toBe(null);
    project.write({ go: '' });
    await watch.saw('for slow: SUCCESS');
    watch.process.kill('SIGTERM');
    expect((await watch.done).code).toBe(0);
    expect(await valuesOf(project, ['slow', 'quick'])).toEqual(['one slow', 'two quick']);
  });

  it('is followed by a worker, too, by way of a broken edit while a run is at work', async () => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE, ...wordIs('one'), 'in/slow': '' });
    await project.dynpart(['sensor', 'tick', '--no-run']);
    const worker = project.start(['worker', '-v']);
    await worker.saw('started: made for slow');
    project.write({ 'lib/word.ts': 'export const word = ;\n' });
    await worker.saw('cannot be loaded as it is now; going on as it was before');
    project.write(wordIs('two'));
    await worker.saw('loaded anew');
    project.write({ 'in/b': '' });
    await project.dynpart(['sensor', 'tick', '--no-run']);
    await worker.saw('for b: SUCCESS');
    expect(await valueOf(project, 'slow')).toBe(null);
    project.write({ go: '' });
    await worker.saw('for slow: SUCCESS');
    worker.process.kill('SIGTERM');
    const { code, stderr } = await worker.done;
    expect(code).toBe(0);
    expect(stderr.match(/going on as it was before/g)).toHaveLength(1);
    expect(await valuesOf(project, ['slow', 'b'])).toEqual(['one slow', 'two b']);
  });

  it('says once what is wrong with an edit, goes on as before, and takes the mend', async () => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE, ...wordIs('one'), 'in/a': '' });
    const { DYNPART_STATE: state = project.path('.dynpart/state.json') } = project.environment;
    const watch = project.start(['sensor', 'watch']);
    await watch.saw('1 run succeeded');
    project.write({ 'lib/word.ts': "export { word } from './other.ts';\n" });
    await watch.saw('cannot be loaded as it is now; going on as it was before');
    project.write({ 'in/b': '' });
    // Made before the code is another one: the word of its key came with the first one, too.
    await expect
      .poll(
        async () =>
          (await project.json(['runs', 'list', '--status', 'SUCCESS', '--state', state])).document.runs,
      )
      .toHaveLength(2);
    // What comes beside the files of the pipeline is tried, and is no edit.
    project.write({ 'lib/beside.txt': '' });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    // A file that was not there when the edit was tried.
    project.write({ 'lib/other.ts': "export const word = 'three';\n" });
    await watch.saw('loaded anew');
    project.write({ 'in/c': '', go: '' });
    while ((await valueOf(project, 'c')) === null) await new Promise((resolve) => setTimeout(resolve, 20));
    watch.process.kill('SIGTERM');
    const { code, stderr } = await watch.done;
    expect(code).toBe(0);
    expect(stderr.match(/going on as it was before/g)).toHaveLength(1);
    expect(stderr).toContain('other.ts');
    expect(await valuesOf(project, ['a', 'b', 'c'])).toEqual(['one a', 'one b', 'three c']);
  });

  it.each([
    ['cannot be read', (project: Project) => project.write({ 'pipeline.ts': 'const const' })],
    ['has gone', (project: Project) => fs.rmSync(project.path('pipeline.ts'))],
  ])(
    'goes on as before where it %s, also in threads and processes that begin afterwards',
    async (_, edit) => {
      const isolated = PIPELINE.replace("name: 'made',", "name: 'made', isolation: 'process',");
      await using project = projectWith({ 'pipeline.ts': isolated, ...wordIs('one'), 'in/a': '' });
      await project.dynpart(['sensor', 'stop', 'found']);
      const watch = project.start(['sensor', 'watch', '-v']);
      await watch.saw('watching found');
      edit(project);
      await watch.saw('going on as it was before');
      const { DYNPART_STATE: state = project.path('.dynpart/state.json') } = project.environment;
      await project.json(['sensor', 'start', 'found', '--state', state]);
      await watch.saw('for a: SUCCESS');
      watch.process.kill('SIGTERM');
      const { code, stderr } = await watch.done;
      expect(code).toBe(0);
      expect(stderr.match(/error: .*/g)).toHaveLength(1);
      expect(stderr).not.toContain('failed');
      const { runs } = (await project.json(['runs', 'list'])).document;
      expect(runs.map(({ status }: { status: string }) => status)).toEqual(['SUCCESS']);
    },
  );

  it('says what to do about a broken edit there, where nothing is to be started again', async () => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE, ...wordIs('one'), 'in/a': '' });
    const watch = project.start(['sensor', 'watch']);
    await watch.saw('1 run succeeded');
    project.write({ 'lib/word.ts': 'export const word = ;\n' });
    await watch.saw('mend the syntax error and save: it is loaded then');
    project.write({
      'lib/word.ts': "export const word = 'two';\n",
      'pipeline.ts': PIPELINE.replace(/export default .*/, 'export default definePipeline({ assets: [1] });'),
    });
    await watch.saw('mend the pipeline file and save: it is loaded then');
    project.write({ 'pipeline.ts': PIPELINE });
    await watch.saw('loaded anew');
    watch.process.kill('SIGTERM');
    const { code, stderr } = await watch.done;
    expect(code).toBe(0);
    expect(stderr).not.toContain('run the command again');
  });

  it.each([
    ['a cron line that cannot be read', "cron: '0 25 * * *'", "its hour is '25'"],
    ['a time zone that there is not', "cron: '0 7 * * *', timeZone: 'Europe/Berln'", 'must be a time zone'],
  ])('says once, while a run is at work, that an edit has %s, and loses nothing', async (_, options, why) => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE, ...wordIs('one'), 'in/slow': '' });
    const watch = project.start(['sensor', 'watch', '-v']);
    await watch.saw('started: made for slow');
    project.write({ 'pipeline.ts': PIPELINE.replace('minimumIntervalSeconds: 0.1', options) });
    await watch.saw('going on as it was before');
    project.write({ 'in/quick': '' });
    await watch.saw('for quick: SUCCESS');
    project.write({ go: '' });
    await watch.saw('for slow: SUCCESS');
    watch.process.kill('SIGTERM');
    const { code, stderr } = await watch.done;
    expect(code).toBe(0);
    expect(stderr.match(/going on as it was before/g)).toHaveLength(1);
    expect(stderr.split(why)).toHaveLength(2);
    // Without a watch: by whoever ticks.
    const refused = await project.dynpart(['sensor', 'tick']);
    expect(refused.code).toBe(2);
    expect(refused.stderr.split(why)).toHaveLength(2);
    project.write({ 'pipeline.ts': PIPELINE });
    expect((await project.json(['sensor', 'tick'])).code).toBe(0);
    expect((await project.json(['runs', 'list'])).document.runs).toHaveLength(2);
    expect(await valuesOf(project, ['slow', 'quick'])).toEqual(['one slow', 'one quick']);
  });

  it('goes on as before where a sensor that it was told to watch is gone', async () => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE, ...wordIs('one'), 'in/a': '' });
    const watch = project.start(['sensor', 'watch', 'found']);
    await watch.saw('1 run succeeded');
    project.write({ 'pipeline.ts': PIPELINE.replace("name: 'found'", "name: 'seen'") });
    await watch.saw('going on as it was before');
    watch.process.kill('SIGTERM');
    const { code, stderr } = await watch.done;
    expect(code).toBe(0);
    expect(stderr).toContain('no sensor "found"');
  });

  it('loads it anew when SIGHUP says so and no terminal can have sent it', async () => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE, ...wordIs('one'), 'in/a': '' });
    const watch = project.start(['sensor', 'watch']);
    await watch.saw('1 run succeeded');
    watch.process.kill('SIGHUP');
    // At any moment: between two pipelines, too, it must not end the watch.
    for (let time = 0; time < 20; time++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      watch.process.kill('SIGHUP');
    }
    await watch.saw('loaded anew (1 asset, 1 sensor)');
    project.write({ 'in/b': '' });
    await watch.saw('found: 1 key added');
    watch.process.kill('SIGTERM');
    expect((await watch.done).code).toBe(0);
  });
});
