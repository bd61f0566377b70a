/** Somebody who does not look, and what goes wrong in processes of their own: what was told, at which time, by whichever command. */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import { describeEachStore } from '../support/each-store.ts';
import { Project } from '../support/project.ts';

/** What is told stands in a file, with the time; `LATER`, or a file, says by how many seconds the clock of a command is ahead, or behind. */
const PIPELINE = `
import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, secret, sensor, toWebhook } from 'dynpart';
const { LATER = '0', HOOK = '', URL: url = '' } = process.env;
const here = (name) => new URL(name, import.meta.url);
// As a loop that does nothing, but for the processor that the other tests want.
const nap = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
const later = () => (fs.existsSync(here('later')) ? fs.readFileSync(here('later'), 'utf8') : LATER);
const realNow = Date.now;
Date.now = () => realNow() + Number(later()) * 1000;
const items = dynamicPartitions('items');
const made = asset({
  name: 'made',
  partitions: items,
  // Short where something is to take longer, and else not: other tests use the processor, too.
  timeoutMs: fs.existsSync(here('block')) ? 500 : 60_000,
  materialize({ partitionKey }) {
    fs.writeFileSync(here('began'), '');
    while (partitionKey === 'blocks' && fs.existsSync(here('block'))) nap();
    if (partitionKey === 'bad' && !fs.existsSync(here('mended'))) throw new Error('it is bad');
    return partitionKey;
  },
});
const found = sensor({
  name: 'found',
  minimumIntervalSeconds: 1,
  timeoutSeconds: fs.existsSync(here('block-sensor')) ? 1 : 60,
  async evaluate({ partitions }) {
    if (fs.existsSync(here('block-sensor'))) fs.writeFileSync(here('began'), '');
    while (fs.existsSync(here('block-sensor'))) nap();
    const fresh = await partitions(items).missing(fs.readdirSync(here('in')));
    return {
      dynamicPartitionsRequests: [items.buildAddRequest(fresh)],
      runRequests: fresh.map((partitionKey) => ({ partitionKey, runKey: partitionKey, assets: ['made'] })),
    };
  },
});
const token = secret('t0psecret');
const toFile = ({ text }) => {
  fs.appendFileSync(here('called'), 'x');
  if (HOOK === 'throws') throw new Error('POST https://me:t0psecret@hooks.example.org/T0?key=t0psecret failed');
  if (HOOK === 'hangs') return new Promise(() => {});
  if (HOOK === 'prints') console.log('the token is', token, String(token), JSON.stringify({ token }));
  fs.appendFileSync(here('told'), JSON.stringify({ at: Date.now(), title: text.split('\\n')[0] }) + '\\n');
};
export default definePipeline({
  assets: [made],
  sensors: [found],
  notify: [{
    name: 'mail',
    on: ['run-failed', 'sensor-failed', 'stuck', 'overdue', 'recovered'],
    send: url === '' ? toFile : toWebhook(url),
  }],
});
`;

const HOUR = 3600;

const toldIn = (project: Project): readonly { readonly at: number; readonly title: string }[] =>
  (project.exists('told') ? project.read('told').trim().split('\n') : []).map(
    (line) => JSON.parse(line) as { at: number; title: string },
  );

const titlesIn = (project: Project): readonly string[] =>
  toldIn(project).map(({ title }) => title.replace(/ from .*?, for .*?: /, ' from then: '));

const tick = (project: Project, later = 0, env: Record<string, string> = {}) =>
  project.dynpart(['sensor', 'tick'], { env: { LATER: String(later), ...env } });

/** Another tick must not come first: it would be the one that blocks. */
async function blockedIn(project: Project) {
  const blocked = project.start(['sensor', 'tick']);
  await vi.waitFor(() => expect(project.exists('began')).toBe(true), { timeout: 60_000, interval: 50 });
  return blocked;
}

/** With a rule of the set. */
const retain = (options: string): Record<string, string> => ({
  'pipeline.ts': PIPELINE.replace("('items')", `('items', { retain: { olderThan: '1h', ${options} } })`),
});

/** By whoever looks: the time limit of what blocks and five seconds are over. */
async function tickUntilTold(project: Project): Promise<void> {
  await vi.waitFor(
    async () => {
      await tick(project);
      expect(titlesIn(project)).toHaveLength(1);
    },
    { timeout: 80_000, interval: 1500 },
  );
}

describeEachStore('somebody who does not look', Project, (projectOf) => {
  const projectWith = (files: Readonly<Record<string, string>>): Project =>
    projectOf({ 'pipeline.ts': PIPELINE, ...files });

  it.concurrent(
    'is told of a run that keeps its process from turning, once, and when that is over',
    async () => {
      await using project = projectWith({ 'in/blocks': '', block: '' });
      const blocked = await blockedIn(project);
      await tickUntilTold(project);
      expect(titlesIn(project)[0]).toMatch(/^made is stuck: .*blocks/);
      await tick(project, HOUR);
      expect(titlesIn(project)).toHaveLength(1);
      expect((await project.json(['status'])).document.incidents).toMatchObject([
        { kind: 'stuck', asset: 'made' },
      ]);
      blocked.process.kill('SIGKILL');
      await blocked.done;
      fs.rmSync(project.path('block'));
      await tick(project, 2 * HOUR);
      expect(titlesIn(project).slice(1)).toEqual([
        expect.stringMatching(/^made is well again: it was stuck/),
      ]);
      await tick(project, 3 * HOUR);
      expect(titlesIn(project)).toHaveLength(2);
    },
  );

  it.concurrent(
    'is told of a sensor that does not come back, once, and when it is evaluated again',
    async () => {
      await using project = projectWith({ 'in/a': '', 'block-sensor': '' });
      const blocked = await blockedIn(project);
      await tickUntilTold(project);
      expect(titlesIn(project)[0]).toMatch(/^sensor found is stuck: /);
      await tick(project, HOUR);
      expect(titlesIn(project)).toHaveLength(1);
      blocked.process.kill('SIGKILL');
      await blocked.done;
      fs.rmSync(project.path('block-sensor'));
      await tick(project, 2 * HOUR);
      await tick(project, 3 * HOUR);
      expect(titlesIn(project).slice(1)).toEqual([
        expect.stringMatching(/^sensor found is well again: it was stuck/),
      ]);
    },
  );

  it.concurrent('is told at last by a webhook that answered 500 for a day, which was said once', async () => {
    await using project = projectWith({ 'in/bad': '' });
    let status = 500;
    const posts: string[] = [];
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        posts.push((JSON.parse(body) as { text: string }).text.split('\n')[0]!);
        response.writeHead(status).end('no');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/T0/t0psecret`;
    try {
      let said = '';
      for (let hours = 0; hours < 24; hours += 4) {
        // Two at once: the second one is too soon.
        for (const seconds of [0, 20]) {
          const { code, stderr } = await tick(project, hours * HOUR + seconds, { URL });
          expect(code).toBe(hours + seconds === 0 ? 1 : 0);
          said += stderr;
        }
      }
      expect(posts).toEqual(Array.from({ length: 6 }, () => 'made failed for 1 key: it is bad'));
      expect(said.match(/hook "mail" of notify failed/g)).toHaveLength(1);
      expect(said).toContain('500');
      expect(said).not.toContain('t0psecret');
      [status, posts.length] = [200, 0];
      for (const hours of [24, 25, 26]) await tick(project, hours * HOUR, { URL });
      expect(posts).toEqual(['made failed for 1 key: it is bad']);
      project.write({ mended: '' });
      await project.dynpart(['materialize', '--failed'], { env: { URL, LATER: String(27 * HOUR) } });
      await tick(project, 28 * HOUR, { URL });
      expect(posts.slice(1)).toEqual([expect.stringMatching(/^made is well again: /)]);
    } finally {
      server.close();
    }
  });

  it.concurrent.each([
    ['throws', /POST https:\/\/…@hooks\.example\.org\/T0\?… failed/],
    ['hangs', /longer than 5 s/],
  ])('hears from stderr, once, of a hook that %s, and nothing else is changed by it', async (HOOK, why) => {
    await using project = projectWith({ 'in/bad': '', 'in/good': '' });
    const first = await tick(project, 0, { HOOK });
    expect(first.code).toBe(1);
    expect(first.stderr).toMatch(why);
    const second = await tick(project, HOUR, { HOOK });
    expect(second.code).toBe(0);
    expect(second.stderr).toBe('');
    expect(project.read('called')).toBe('xx');
    expect(`${first.stderr}${JSON.stringify((await project.json(['status'])).document)}`).not.toContain(
      't0psecret',
    );
    const { runs } = (await project.json(['runs', 'list'])).document;
    expect(runs.map(({ status }: { status: string }) => status).sort()).toEqual(['FAILURE', 'SUCCESS']);
    await tick(project, 5 * HOUR);
    expect(titlesIn(project)).toEqual(['made failed for 1 key: it is bad']);
  });

  it.concurrent('reads no secret that a hook prints', async () => {
    await using project = projectWith({ 'in/bad': '' });
    const { stdout, stderr } = await project.dynpart(['sensor', 'tick', '-v'], { env: { HOOK: 'prints' } });
    expect(titlesIn(project)).toHaveLength(1);
    expect(stderr).toContain('the token is');
    expect(`${stdout}${stderr}`).not.toContain('t0psecret');
  });

  it.concurrent(
    'is told nothing twice where the clock jumps, and of the end as soon as it may be',
    async () => {
      await using project = projectWith({ 'in/bad': '' });
      for (const later of [24 * HOUR, 0, 10, -48 * HOUR, -48 * HOUR + 5, 300 * HOUR, 0])
        await tick(project, later);
      expect(titlesIn(project)).toEqual(['made failed for 1 key: it is bad']);
      project.write({ mended: '' });
      await project.dynpart(['materialize', '--failed'], { env: { LATER: '1' } });
      await tick(project, 120);
      await tick(project, 400 * HOUR);
      await tick(project, 240);
      expect(titlesIn(project).slice(1)).toEqual([expect.stringMatching(/^made is well again: /)]);
    },
  );

  it.concurrent('is told once by a watch in which the clock jumps, and which goes on', async () => {
    await using project = projectWith({ 'in/bad': '' });
    const watch = project.start(['sensor', 'watch', '-v']);
    await watch.saw('1 run failed');
    for (const later of [24 * HOUR, -48 * HOUR, 300 * HOUR, 0]) {
      project.write({ later: String(later), [`in/at${later}`]: '' });
      await watch.saw(`for at${later}: SUCCESS`);
    }
    await vi.waitFor(() => expect(titlesIn(project)).toHaveLength(1), { timeout: 60_000, interval: 100 });
    expect(titlesIn(project)).toEqual(['made failed for 1 key: it is bad']);
    watch.process.kill('SIGTERM');
    expect((await watch.done).code).toBe(0);
    const { runs } = (await project.json(['runs', 'list'])).document;
    expect(runs.map(({ status }: { status: string }) => status).toSorted()).toEqual([
      'FAILURE',
      ...Array.from({ length: 4 }, () => 'SUCCESS'),
    ]);
  });

  it.concurrent(
    'is told once of a rule that would take out everything, which takes out nothing',
    async () => {
      await using project = projectWith({ ...retain(''), 'in/a': '', 'in/b': '', 'in/c': '' });
      expect((await tick(project)).code).toBe(0);
      for (const seconds of [2 * HOUR, 2 * HOUR + 20, 3 * HOUR])
        expect((await tick(project, seconds)).code).toBe(3);
      expect(titlesIn(project)).toEqual([
        'sensor automation left a set as it is: retain would take out 3 of 3 keys at once',
      ]);
      expect((await project.json(['partitions', 'list', 'items'])).document.total).toBe(3);
      expect((await project.dynpart(['status'])).stderr).toContain(
        'sensor automation left alone items (retain would take out 3 of 3 keys at once): ' +
          'dynpart sensor history automation --limit 3; once by hand: dynpart partitions remove items --keep-last N --keep-out',
      );
      expect((await project.dynpart(['sensor', 'history', 'automation', '--limit', '1'])).stdout).toContain(
        'nothing new (nothing to make), 1 set left alone',
      );
      project.write(retain("maxRemove: '100%'"));
      for (const hours of [4, 5]) expect((await tick(project, hours * HOUR)).code).toBe(0);
      expect((await project.json(['partitions', 'list', 'items'])).document.total).toBe(0);
      expect(titlesIn(project).slice(1)).toEqual([
        expect.stringMatching(/^sensor automation is well again: it left sets as they are/),
      ]);
    },
  );

  it.concurrent(
    'reads once why a command is refused, and not a second time because nobody can be told',
    async () => {
      await using project = projectWith({ 'other.ts': PIPELINE, 'in/a': '' });
      const { DYNPART_STATE: state = project.path('state.json') } = project.environment;
      await project.dynpart(['-f', 'other.ts', 'sensor', 'tick', '--state', state]);
      const { code, stderr } = await project.dynpart(['sensor', 'tick', '--state', state]);
      expect(code).toBe(2);
      expect(stderr.match(/belongs to pipeline/g)).toHaveLength(1);
    },
  );
});
