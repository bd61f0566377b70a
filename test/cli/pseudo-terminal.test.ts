/** A real terminal, 80 columns wide, made by `script`. */
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { become, hasScript, onTerminal } from '../support/on-terminal.ts';
import { Project } from '../support/project.ts';

const pipeline = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const keys = dynamicPartitions('keys');
const slow = asset({ name: 'slow', partitions: keys, materialize: async ({ partitionKey }) => {
  await new Promise((done) => setTimeout(done, 250));
  console.log('\\u001b[2Jprinted by user code');
  if (partitionKey === 'k3') throw new Error('no luck');
} });
const feed = sensor({ name: 'feed', assets: [slow], evaluate: ({ cursor }) => cursor === null
  ? { cursor: '1', dynamicPartitionsRequests: [keys.buildAddRequest(['k1', 'k2', 'k3', '${'日本'.repeat(60)}'])], runRequests: ['k1', 'k2', 'k3'].map((key) => ({ partitionKey: key, runKey: key })) }
  : { skipReason: 'all known' } });
export default definePipeline({ assets: [slow], sensors: [feed], concurrency: 1 });
`;

const lastRow = (seen: string): string => stripVTControlCharacters(seen.split('\n').at(-1)!);

describe.skipIf(!hasScript)('a real terminal (needs `script`)', () => {
  let project: Project;
  beforeEach(() => {
    project = new Project({ 'pipeline.ts': pipeline });
  });
  afterEach(() => project[Symbol.asyncDispose]());

  /** What a terminal of 80 columns gets to see, both streams in one. */
  async function shown(
    command: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number | null; text: string }> {
    const { seen, ended } = onTerminal(project, become(command), { env });
    return { code: await ended, text: seen() };
  }

  it('sees a tick: what it found, a line that lives, the failure and the sum', async () => {
    const { code, text } = await shown('sensor tick');
    expect(code).toBe(1);
    const plain = stripVTControlCharacters(text);
    expect(plain).toContain('feed: 4 keys added, 3 runs queued');
    expect(plain).toMatch(/\d of 3 runs/);
    expect(plain).toContain('no luck');
    expect(plain).toMatch(/2 runs succeeded, 1 run failed in \d/);
    expect(plain).not.toContain('printed by user code');
    // The line is taken away, the cursor given back.
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(text.lastIndexOf('\u001b[?25l'));
    expect(plain.trimEnd().split('\n').at(-1)).not.toMatch(/ of 3 runs/);
  });

  it('sees which runs were released, and which had no owner to be released from', async () => {
    await shown('sensor tick');
    await shown('materialize slow --key k1 --no-run');
    const { runs } = (await project.json(['runs', 'list'])).document as {
      runs: { id: string; status: string }[];
    };
    const idOf = (wanted: string): string => runs.find(({ status }) => status === wanted)!.id;
    const [queued, ended] = [idOf('QUEUED'), idOf('SUCCESS')];
    const { code, text } = await shown(`runs release ${queued} ${ended}`);
    expect(code).toBe(0);
    expect(text).toContain(`run ${queued} is QUEUED, and no process owns it; nothing was released`);
    expect(text).toContain(`run ${ended} had ended before: SUCCESS; nothing was released`);
    expect(text).not.toMatch(/\d runs? released/);
  });

  it('sees the question of a program that has the terminal, which no line that lives wipes away', async () => {
    project.write({
      'asks.ts': `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const keys = dynamicPartitions('keys');
const asks = asset({ name: 'asks', partitions: keys, materialize: async ({ partitionKey, exec }) => {
  await exec('sh', ['-c', 'sleep 1']);
  if (partitionKey === 'k2') await exec('sh', ['-c', 'printf "Password? " >/dev/tty; sleep 2; echo thanks >/dev/tty'], { terminal: true });
  await exec('sh', ['-c', 'sleep 1']);
} });
export default definePipeline({ assets: [asks], concurrency: 2 });
`,
    });
    const { code, text } = await shown('-f asks.ts materialize asks --key k1 --key k2 --key k3 --add');
    expect(code, text).toBe(0);
    expect(text).toMatch(/Password\? thanks\r?\n/);
    const [before = '', after = ''] = text.split('Password? thanks');
    for (const seen of [before, after]) expect(seen).toMatch(/\d of 3 runs/);
    // Who types an answer sees where.
    expect(before.lastIndexOf('\u001b[?25h')).toBeGreaterThan(before.lastIndexOf('\u001b[?25l'));
  });

  it('sees the state in lines of 80 columns at most, coloured', async () => {
    await shown('sensor tick');
    const { code, text } = await shown('status');
    expect(code).toBe(0);
    expect(text).toContain('\u001b[');
    const lines = stripVTControlCharacters(text).trimEnd().split(/\r?\n/);
    expect(lines[0]).toMatch(/^ASSET +SET +TOTAL/);
    expect(lines[1]).toMatch(/^slow +keys +4 +2 +1 +0 +1/);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(80);
    const { text: keys } = await shown('partitions list keys');
    for (const line of stripVTControlCharacters(keys).trimEnd().split(/\r?\n/))
      expect(stringWidth(line)).toBeLessThanOrEqual(80);
    expect(keys).toContain('…');
  });

  it.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('sees no colours with %j', async (env) => {
    const { text } = await shown('sensor tick', env);
    expect(text).toContain('no luck');
    // oxlint-disable-next-line no-control-regex -- colours begin so
    expect(text).not.toMatch(/\u001b\[[0-9;]*m/);
    const { text: status } = await shown('status', env);
    expect(status).not.toContain('\u001b');
  });

  it('sees the end of a run that is interrupted from the keyboard', async () => {
    project.write({ 'pipeline.ts': pipeline.replace('250', '20_000') });
    const { seen, ended } = onTerminal(project, `echo $$ > pid; ${become('sensor tick')}`);
    await expect.poll(() => stripVTControlCharacters(seen())).toMatch(/\d of 3 runs/);
    process.kill(Number(project.read('pid')), 'SIGINT');
    expect(await ended).toBe(130);
    const text = seen();
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(text.lastIndexOf('\u001b[?25l'));
    expect(project.state().runs).not.toBeUndefined();
  });

  it('sees nothing left of what a watch redrew: the ^C that it shows itself stands on the last row', async () => {
    const words =
      'nothing came in, and this is said in so many words that no terminal of 80 columns has room for them';
    project.write({
      'pipeline.ts': pipeline
        .replace("'all known'", `'${words}'`)
        .replace("name: 'feed'", "name: 'feed', minimumIntervalSeconds: 1"),
    });
    const { child, seen, ended } = onTerminal(project, become('sensor watch'));
    await expect.poll(() => lastRow(seen())).toMatch(/nothing came in.*…, \d s ago {2}next/);
    child.stdin.write('\u0003');
    expect(await ended).toBe(0);
    const row = lastRow(seen().split('^C')[0]!);
    expect(row).toContain('nothing came in');
    expect(stringWidth(`${row}^C`)).toBeLessThan(80);
  });

  it('sees one row about runs, also where the terminal becomes narrower meanwhile', async () => {
    const narrower = `await new Promise((done) => setTimeout(done, 1000));
  execFileSync('stty', ['cols', '30'], { stdio: 'inherit' });
  await new Promise((done) => setTimeout(done, 2000));`;
    project.write({
      'pipeline.ts': `import { execFileSync } from 'node:child_process';\n${pipeline.replace(/  await new Promise.*\n/, `${narrower}\n`)}`,
    });
    const { code, text } = await shown('materialize --key a-key-of-twenty-eight-letters --add');
    expect(code).toBe(0);
    const rows = stripVTControlCharacters(text.replaceAll('\u001b[1G', '\n')).split('\n');
    const about = rows.filter((row) => row.includes('0 of 1 run'));
    expect(stringWidth(about[0]!)).toBeLessThan(80);
    expect(stringWidth(about.at(-1)!)).toBeLessThan(30);
  });
});
