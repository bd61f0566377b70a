/** `dynpart explain` and `dynpart schedule`: what they print is there for every code, and works when it is pasted. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPages } from '../../src/cli/explain/pages.ts';
import { plainText } from '../../src/cli/explain/plain.ts';
import { cronWord, systemdPath, systemdSetting, systemdWord } from '../../src/cli/schedule/quoting.ts';
import { systemClock } from '../../src/cli/system-clock.ts';
import { CapturedTerminal, runOn } from '../support/captured-terminal.ts';
import { runHere } from '../support/in-process.ts';
import { Project, root } from '../support/project.ts';

const page = path.join(root, 'docs/when-something-went-wrong.md');

describe('explain', () => {
  const pages = readPages(page);
  // A test of the words holds these against all that can go wrong.
  const codes = new Set(
    fs
      .readFileSync(page, 'utf8')
      .split('\n')
      .flatMap((line) => (/^#|^\|/.test(line) ? [line.split(' | ')[0]!] : []))
      .flatMap((line) => [...line.matchAll(/\(`([a-z]+(?:-[a-z]+)*)`/g)].map(([, code]) => code!)),
  );

  it('has a page for every code, and every page has a message and says what to do', () => {
    expect(new Set(pages.keys())).toEqual(codes);
    expect(pages.size).toBeGreaterThan(55);
    for (const [code, { title, text }] of pages) {
      expect([code, title]).toEqual([code, expect.stringMatching(/^[^`|#]{5,}$/)]);
      expect([code, text.length > 30, text]).toEqual([
        code,
        true,
        expect.not.stringMatching(/^#|undefined|<!--/m),
      ]);
    }
  });

  it('has pages that can be read alone, in lines that fit but for programs', () => {
    for (const [code, { text }] of pages) {
      expect([code, text]).toEqual([code, expect.not.stringMatching(/\bas above\b|^the same\.|^As for /im)]);
      const programs = [...text.matchAll(/^```[^]*?^```/gm)].flatMap(([program]) => program.split('\n'));
      const kept = new Set(programs.map((line) => `  ${line}`));
      for (const line of plainText(text, 80).split('\n'))
        if (!kept.has(line)) expect([code, line, line.length <= 80]).toEqual([code, line, true]);
    }
  });

  it('tells codes that share a heading apart, and joins what is said of one in two places', () => {
    expect(
      ['state-empty', 'state-not-json', 'state-misshapen'].map((code) => pages.get(code)!.title),
    ).toEqual([
      'the state file … is empty',
      '… is not whole: …',
      '… is not what dynpart writes: … should be …',
    ]);
    expect(pages.get('unknown-asset')!.text).toContain('there is no asset "order"');
  });

  it('prints a page offline, in lines that fit, and names a code that is near', async () => {
    await using project = new Project();
    const { code, stdout, stderr } = await project.dynpart(['explain', 'upstream-missing']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('  $ dynpart materialize orders total --key monday.csv\n');
    for (const line of stdout.split('\n'))
      if (!line.startsWith('  ')) expect(line.length).toBeLessThanOrEqual(80);
    const json = await project.json(['explain', 'usage']);
    expect(json.document).toEqual({
      code: 'usage',
      title: 'anything else',
      text: expect.stringContaining('flag'),
    });
    const wrong = await project.json(['explain', 'upstrem-missing']);
    expect([wrong.code, wrong.document.error.hint]).toEqual([
      2,
      expect.stringContaining('did you mean upstream-missing'),
    ]);
    const none = await project.json(['explain', 'zzzzzzzzzzzz']);
    expect(none.document.error.hint).toContain('asset-threw, ');
    expect(none.document.error.hint).not.toContain('\n');
    const terminal = new CapturedTerminal({ isTerminal: true, cwd: project.folder, env: { NO_COLOR: '1' } });
    await runOn(terminal, ['explain', 'zzzzzzzzzzzz'], systemClock);
    const lines = terminal.stderr.text.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines.slice(1)) expect(line).toMatch(/^ {2}\S.{0,77}$/);
  });

  it('wraps words, keeps programs, and leaves out where links lead', () => {
    expect(plainText('one two [three](four.md)\nfive\n\n```sh\n$ a  b\n```', 9)).toBe(
      'one two\nthree\nfive\n\n  $ a  b',
    );
    expect(plainText('Of these:\n- one [two](2.md)\n  three four\n- five', 12)).toBe(
      'Of these:\n  - one two\n    three\n    four\n  - five',
    );
  });
});

const PIPELINE = `import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const every = (name, seconds) => sensor({ name, minimumIntervalSeconds: seconds, evaluate: () => ({ dynamicPartitionsRequests: [items.buildAddRequest(['k'])] }) });
export default definePipeline({ partitions: [items], assets: [], sensors: [every('one', 300)] });
`;

describe('schedule', () => {
  let project: Project;
  beforeEach(() => {
    project = new Project({ "an 'odd' 100% $HOME folder/pipeline.ts": PIPELINE });
  });
  afterEach(() => project[Symbol.asyncDispose]());
  const folder = (): string => project.path("an 'odd' 100% $HOME folder");
  const text = async (kind: string, ...args: string[]): Promise<string> => {
    const { code, document, stderr } = await project.json(['schedule', kind, ...args], { cwd: folder() });
    expect([code, document.error], stderr).toEqual([0, undefined]);
    return document.text;
  };
  /** Of units of a pipeline in this folder of the project. */
  const unitNames = async (place: string): Promise<string[]> => {
    project.write({ [`${place}/jobs/pipeline.ts`]: PIPELINE });
    const { stdout } = await runHere(project, ['schedule', 'systemd'], {
      cwd: project.path(`${place}/jobs`),
    });
    return [...stdout.matchAll(/^# \/etc\/systemd\/system\/(\S+)$/gm)].map(([, name]) => name!);
  };

  it('cron prints a line that ticks, also where the path is odd, in the environment of cron', async () => {
    const lines = (await text('cron')).trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(/^\*\/5 \* \* \* \* /);
    // As cron: a `%` with a backslash is one, the rest is the shell's.
    const command = lines[2]!.replace(/^(?:\S+ ){5}/, '').replaceAll('\\%', '%');
    const env = { HOME: project.folder, PATH: lines[1]!.replace('PATH=', ''), SHELL: '/bin/sh' };
    const ran = spawnSync('/bin/sh', ['-c', command], { cwd: '/', env, encoding: 'utf8' });
    expect([ran.status, ran.stderr]).toEqual([0, 'one: 1 key added\n']);
    expect(fs.existsSync(path.join(folder(), '.dynpart', 'state.json'))).toBe(true);
  });

  it('looks each minute where a sensor has times of its own, and ticks it at those', async () => {
    project.write({
      "an 'odd' 100% $HOME folder/pipeline.ts": PIPELINE.replace(
        "every('one', 300)",
        "sensor({ name: 'daily', cron: '0 7 * * *', timeZone: 'UTC', evaluate: () => undefined })",
      ),
    });
    expect(await text('cron')).toMatch(/^\* \* \* \* \* .* sensor tick --due$/m);
    const json = async (...args: string[]) => (await project.json(args, { cwd: folder() })).document;
    const ticked = async () =>
      (await json('sensor', 'tick', '--due')).ticks.map(({ sensor }: { sensor: string }) => sensor);
    // At once, since it has never ticked; then not before its time. (A test at seven to the second would see two.)
    expect(await ticked()).toEqual(['daily']);
    expect((await ticked()).length).toBeLessThanOrEqual(new Date().getUTCHours() === 7 ? 1 : 0);
    expect((await json('sensor', 'list')).sensors).toMatchObject([
      { sensor: 'daily', minimumIntervalSeconds: 0, cron: { line: '0 7 * * *', timeZone: 'UTC' } },
    ]);
  });

  it('names the state where it was named, and keeps sensors at intervals of their own', async () => {
    expect(await text('cron', '--state', 'other state.json')).toContain(
      `--state ${cronWord(path.join(folder(), 'other state.json'))}`,
    );
    project.write({
      "an 'odd' 100% $HOME folder/pipeline.ts": PIPELINE.replace(
        "every('one', 300)",
        "every('one', 60), every('two', 3600)",
      ),
    });
    expect(await text('cron')).toMatch(/^\* \* \* \* \* .* sensor tick --due$/m);
    project.write({
      "an 'odd' 100% $HOME folder/pipeline.ts": PIPELINE.replace("every('one', 300)", "every('one', 30)"),
    });
    expect(await text('cron')).toMatch(/^\* \* \* \* \* .* sensor tick$/m);
  });

  it('systemd prints units that systemd reads as they are meant', async () => {
    const printed = await text('systemd');
    const [, service, timer] = /^# \S+\.service\n(.*)^# \S+\.timer\n(.*)^# then/ms.exec(printed)!;
    expect(timer).toContain('OnCalendar=*:0/5\n');
    expect(service).toContain(`User=${os.userInfo().username}\n`);
    const exec = /^ExecStart=(.*)$/m.exec(service!)![1]!;
    // As systemd reads it: words in double quotes, %% and $$ for one of each.
    const words = [...exec.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
      (quoted?.replaceAll(/\\(.)/g, '$1') ?? plain!).replaceAll('%%', '%').replaceAll('$$', '$'),
    );
    expect(words.slice(-4)).toEqual(['-f', path.join(folder(), 'pipeline.ts'), 'sensor', 'tick']);
    expect(
      execFileSync(words[0]!, words.slice(1), { cwd: '/', env: { HOME: project.folder }, encoding: 'utf8' }),
    ).toBe('');
    expect(fs.existsSync(path.join(folder(), '.dynpart', 'state.json'))).toBe(true);
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) return;
    project.write({ 'dynpart-x.service': service!, 'dynpart-x.timer': timer! });
    const verified = spawnSync(
      'systemd-analyze',
      ['verify', '--man=no', project.path('dynpart-x.service'), project.path('dynpart-x.timer')],
      { encoding: 'utf8' },
    );
    expect(verified.stderr.split('\n').filter((line) => line.includes('dynpart-x'))).toEqual([]);
  });

  const hasVerify = spawnSync('systemd-analyze', ['--version']).status === 0;
  it.skipIf(!hasVerify).each([['--watch'], ['--worker']])(
    `${hasVerify ? '' : 'SKIPPED, there is no systemd-analyze (apt-get install systemd): '}systemd %s prints a service that systemd takes, and that goes on`,
    async (flag) => {
      const printed = await text('systemd', flag);
      const [, name, service] = /^# \S+\/(\S+\.service)\n(.*)^# then/ms.exec(printed)!;
      expect(name).toMatch(flag === '--watch' ? /-watch\.service$/ : /-worker\.service$/);
      project.write({ [name!]: service! });
      const verified = spawnSync('systemd-analyze', ['verify', '--man=no', project.path(name!)], {
        encoding: 'utf8',
      });
      expect(verified.stderr.split('\n').filter((line) => line.includes(name!))).toEqual([]);
      // It does see what is wrong.
      project.write({ [name!]: service!.replace('Type=notify', 'Type=notifies') });
      expect(
        spawnSync('systemd-analyze', ['verify', '--man=no', project.path(name!)], { encoding: 'utf8' })
          .stderr,
      ).toContain('notifies');
    },
  );

  it('systemd names units after the whole path: folders of one name are many on a machine', async () => {
    const [here, there] = [await unitNames('first'), await unitNames('second')];
    expect(here.map((name) => path.extname(name))).toEqual(['.service', '.timer']);
    expect(here[0]).toMatch(/^dynpart-.*-first-jobs\.service$/);
    expect(there[0]).toMatch(/^dynpart-.*-second-jobs\.service$/);
    const [long] = await unitNames(Array.from({ length: 12 }, () => 'a-folder-of-a-long-name').join('/'));
    expect(long).toMatch(/^dynpart-.*-a-folder-of-a-long-name-jobs\.service$/);
    expect(long!.length).toBeLessThanOrEqual(255);
  });

  it('systemd --watch and --worker are two services', async () => {
    const both = await runHere(project, ['schedule', 'systemd', '--watch', '--worker', '--json'], {
      cwd: folder(),
    });
    expect([both.code, JSON.parse(both.stdout).error.message]).toEqual([
      2,
      '--watch and --worker are two services',
    ]);
  });

  it('says where there is nothing to tick, and no pipeline', async () => {
    project.write({
      'none.ts':
        "import { definePipeline } from 'dynpart'; export default definePipeline({ assets: [], sensors: [] });",
    });
    const none = await runHere(project, ['schedule', 'cron', '-f', 'none.ts', '--json']);
    expect([none.code, JSON.parse(none.stdout).error.message]).toEqual([
      2,
      'the pipeline has no sensors: nothing has to be ticked',
    ]);
    const gone = await runHere(project, ['schedule', 'systemd', '--json']);
    expect([gone.code, JSON.parse(gone.stdout).error.code]).toEqual([2, 'pipeline-not-found']);
  });

  it('quotes as cron and systemd unquote', () => {
    for (const word of [
      "it's 5%",
      '100%',
      'a\\%b',
      '%',
      '\\',
      'a\\\\%%\\',
      "'\\%'",
      '$HOME `id` "x"',
      ' #;~',
    ]) {
      // As cron: a `%` is the end of the command, but for one with a backslash; a backslash before something else stays.
      const [command] = `printf '\\%s' ${cronWord(word)}`
        .replaceAll(/\\(.)|%/gs, (both, next?: string) =>
          next === '%' ? '%' : next === undefined ? '\n' : both,
        )
        .split('\n');
      expect(execFileSync('/bin/sh', ['-c', command!], { encoding: 'utf8' })).toBe(word);
    }
    expect(cronWord('/srv/orders/pipeline.ts')).toBe('/srv/orders/pipeline.ts');
    expect(systemdSetting('PATH=/a$b 100%')).toBe('"PATH=/a$b 100%%"');
    // A line's end is cut where it is blank, and a backslash there takes the next line.
    expect(['/srv/a b', '/srv/a ', '/srv/a\\'].map(systemdPath)).toEqual([
      '/srv/a b',
      '/srv/a /.',
      '/srv/a\\/.',
    ]);
    expect(systemdWord('a "b" $c %d \\e')).toBe('"a \\"b\\" $$c %%d \\\\e"');
  });
});
