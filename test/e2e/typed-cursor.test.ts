/** Cursors that a schema types: any JSON, checked when they are read and returned; one that does not fit is named, with the way on. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';
import { type Project } from '../support/project.ts';

const pipeline = (cursor: string, returned: string): string => `import fs from 'node:fs';
import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
const things = dynamicPartitions('things');
const standard = (validate: (value: any) => any): any => ({ '~standard': { version: 1, vendor: 'own', validate } });
const pages = standard(async (value) =>
  typeof value?.page === 'number' ? { value: { ...value, next: value.page + 1 } } : { issues: [{ message: 'must be a number', path: ['page'] }] });
const feed = sensor({
  name: 'feed',
  ${cursor}
  evaluate({ cursor }: any): any {
    fs.writeFileSync('given', JSON.stringify(cursor));
    return { cursor: ${returned}, dynamicPartitionsRequests: [things.buildAddRequest([String(cursor?.next ?? 'first')])] };
  },
});
export default definePipeline({ sensors: [feed], partitions: [things] });
`;

const PAGES = 'cursor: pages,';
let project: Project;

beforeEach(() => {
  project = new ProjectHere({ 'pipeline.ts': pipeline(PAGES, '{ page: cursor?.next ?? 1 }') });
});
afterEach(() => project[Symbol.asyncDispose]());

const tick = async () => {
  const { code, document } = await project.json(['sensor', 'tick', 'feed']);
  return { code, tick: document.ticks[0] };
};
const cursor = async (): Promise<string | null> =>
  (await project.json(['sensor', 'cursor', 'feed'])).document.cursor;

describe('a typed cursor', () => {
  it('is kept as it was returned, and given as its schema makes it', async () => {
    expect((await tick()).tick.cursor).toEqual({ before: null, after: '{"page":1}' });
    expect(project.read('given')).toBe('null');
    expect((await tick()).tick.cursor).toEqual({ before: '{"page":1}', after: '{"page":2}' });
    expect(project.read('given')).toBe('{"page":1,"next":2}');
    expect(await cursor()).toBe('{"page":2}');
    expect((await project.dynpart(['sensor', 'cursor', 'feed'])).stdout).toBe('{"page":2}\n');
    const { document } = await project.json(['sensor', 'list']);
    expect(document.sensors[0].cursor).toBe('{"page":2}');
    const dry = await project.json(['sensor', 'tick', '--dry-run']);
    expect(dry.document.ticks[0].cursor.after).toBe('{"page":3}');
    expect((await project.dynpart(['state', 'check'])).code).toBe(0);
  });

  it('is set as JSON that fits, and refused otherwise', async () => {
    await tick();
    const set = await project.json(['sensor', 'cursor', 'feed', '--set', ' {"page" : 7}']);
    expect([set.code, set.document.cursor]).toEqual([0, '{"page":7}']);
    for (const [text, why] of [
      ['page 7', '"page 7" is no JSON'],
      ['{"page":"7"}', 'page: must be a number'],
    ]) {
      const { code, document } = await project.json(['sensor', 'cursor', 'feed', '--set', text!]);
      expect([code, document.error.code]).toEqual([2, 'usage']);
      expect(document.error.message).toContain(why);
    }
    expect(await cursor()).toBe('{"page":7}');
    await tick();
    expect(project.read('given')).toBe('{"page":7,"next":8}');
    expect((await project.json(['sensor', 'cursor', 'feed', '--clear'])).document.cursor).toBeNull();
  });

  it('that does not fit any more fails the tick, stays, and has a way on', async () => {
    project.write({ 'pipeline.ts': pipeline('', "'2026-01-01'") });
    await tick();
    for (const [before, words] of [
      ['2026-01-01', '"2026-01-01" is no JSON'],
      ['{"page":"one"}', 'page: must be a number'],
    ]) {
      project.write({ 'pipeline.ts': pipeline('', "'2026-01-01'") });
      expect((await project.dynpart(['sensor', 'cursor', 'feed', '--set', before!])).code).toBe(0);
      project.write({ 'pipeline.ts': pipeline(PAGES, '{ page: 1 }') });
      const failed = await tick();
      expect([failed.code, failed.tick.status, failed.tick.partitions]).toEqual([3, 'FAILURE', []]);
      expect(failed.tick.error.code).toBe('sensor-cursor');
      expect(failed.tick.error.message).toContain(`does not fit its schema: ${words}`);
      expect(failed.tick.error.hint).toContain('dynpart sensor cursor feed --clear');
      expect(await cursor()).toBe(before);
    }
    expect((await project.dynpart(['sensor', 'cursor', 'feed', '--set', '{"page":3}'])).code).toBe(0);
    expect((await tick()).tick.status).toBe('SUCCESS');
    expect(project.read('given')).toBe('{"page":3,"next":4}');
  });

  it.each([
    ["{ page: 'x' }", 'cursor: page: must be a number'],
    ['undefined as any ?? 5', 'cursor: page: must be a number'],
    ['null', 'cursor: page: must be a number'],
    ['{ page: NaN }', 'cursor.page is NaN'],
    ['{ page: 1, at: new Date(0) }', 'cursor.at is a Date'],
    ["{ page: 1, text: 'x'.repeat(2_000_000) }", 'it may have 1048576'],
  ])('that is returned as %s is a result that cannot be used', async (returned, words) => {
    await tick();
    project.write({ 'pipeline.ts': pipeline(PAGES, returned) });
    const failed = await tick();
    expect([failed.code, failed.tick.error.code]).toEqual([3, 'sensor-result']);
    expect(failed.tick.error.message).toContain(words);
    expect(await cursor()).toBe('{"page":1}');
  });

  it.each([
    ["standard(() => { throw new Error('no') })", 'its schema threw: no'],
    ['standard(() => 5)', 'its schema answers with a number'],
    ['standard(() => ({ issues: [] }))', 'it does not fit its schema'],
  ])('whose schema is broken (%s) is named', async (schema, words) => {
    await tick();
    project.write({ 'pipeline.ts': pipeline(`cursor: ${schema},`, '{ page: 1 }') });
    const failed = await tick();
    expect(failed.tick.error.code).toBe('sensor-cursor');
    expect(failed.tick.error.message).toContain(words);
  });

  it('whose schema never ends is a timeout', async () => {
    await tick();
    const never = 'timeoutSeconds: 0.3, cursor: standard(() => new Promise(() => {})),';
    project.write({ 'pipeline.ts': pipeline(never, '{ page: 1 }') });
    expect((await tick()).tick.error.code).toBe('sensor-timeout');
  });

  it('works in a loop, where sensors are evaluated in another thread', async () => {
    const loop = project.start(['sensor', 'watch', 'feed', '--json']);
    await loop.saw('{\\"page\\":1}');
    loop.process.kill('SIGTERM');
    await loop.done;
    expect(await cursor()).toBe('{"page":1}');
  });

  it('is shown and cleared while the pipeline cannot be loaded; what is set then is seen by the next tick', async () => {
    await tick();
    project.write({ 'pipeline.ts': 'export default 5 +' });
    expect(await cursor()).toBe('{"page":1}');
    const { code, stderr } = await project.dynpart(['sensor', 'cursor', 'feed', '--set', '{"page":"x"}']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('seen by the next tick')]);
    project.write({ 'pipeline.ts': pipeline(PAGES, '{ page: 1 }') });
    expect((await tick()).tick.error.code).toBe('sensor-cursor');
  });

  it('that is no schema is named', async () => {
    project.write({ 'pipeline.ts': pipeline("cursor: 'page' as any,", '{ page: 1 }') });
    const { code, document } = await project.json(['check']);
    expect([code, document.problems[0].message]).toEqual([
      2,
      expect.stringContaining("cursor of sensor 'feed' must be a schema"),
    ]);
  });
});
