/** `dynpart worker --once` where there is nothing to do: with each store, on a terminal, under cron and for scripts. */
import { stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/cli/system-clock.ts';
import { CapturedTerminal, type Ran, runOn } from '../support/captured-terminal.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project } from '../support/project.ts';
import { summaryOf } from '../support/summary-of.ts';

function pipeline(asset: string): string {
  return `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const keys = dynamicPartitions('keys');
export default definePipeline({ assets: [asset({ name: '${asset}', partitions: keys, materialize: () => 1 })] });
`;
}

let cluster: PostgresCluster;
beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const NOTHING = 'nothing to do: no run is queued for this worker\n';

describe.each(['a file', 'PostgreSQL'])('worker --once with nothing to do and a state in %s', (where) => {
  let project: Project;
  let schemas = 0;
  let schema = '';

  const run = (args: string, isTerminal = true): Promise<Ran> => {
    const env = {
      XDG_CACHE_HOME: project.path('.cache'),
      ...(where === 'a file' ? {} : { DYNPART_STATE: cluster.url(schema) }),
    };
    return runOn(
      new CapturedTerminal({ cwd: project.folder, env, isTerminal }),
      args.split(' '),
      systemClock,
    );
  };
  const told = async (args: string, isTerminal?: boolean): Promise<readonly unknown[]> => {
    const { code, stdout, stderr } = await run(args, isTerminal);
    return [code, stdout, stderr];
  };

  beforeEach(async () => {
    project = new Project({ 'pipeline.ts': pipeline('made') });
    if (where === 'a file') return;
    schema = `worker${++schemas}`;
    await run('state migrate');
  });
  afterEach(() => project[Symbol.asyncDispose]());

  it('says so on a terminal, and nothing under cron', async () => {
    expect(await told('worker --once')).toEqual([0, '', NOTHING]);
    expect(await told('worker --once', false)).toEqual([0, '', '']);
    expect(await told('worker --once --quiet')).toEqual([0, '', '']);
    await run('partitions add keys a --materialize');
    expect(await told('worker --once')).toEqual([0, '', NOTHING]);
  });

  it('is an empty list and a sum of nothing with --json', async () => {
    const { code, stdout, stderr } = await run('worker --once --json', false);
    expect([code, stderr, JSON.parse(stdout)]).toEqual([0, '', { runs: [], summary: summaryOf() }]);
  });

  it('does not say it where a run was there', async () => {
    await run('partitions add keys a');
    await run('materialize --all --no-run');
    const [code, stdout, stderr] = await told('worker --once');
    expect([code, stdout, stripVTControlCharacters(String(stderr))]).toEqual([
      0,
      '',
      expect.stringMatching(/^1 run succeeded in .*\n$/),
    ]);
    expect(await told('worker --once')).toEqual([0, '', NOTHING]);
  });

  it.skipIf(where === 'a file')('does not say that what it leaves to others is not there', async () => {
    await run('partitions add keys a');
    await run('materialize --all --no-run');
    project.write({ 'pipeline.ts': pipeline('other') });
    const [code, stdout, stderr] = await told('worker --once');
    expect([code, stdout, stripVTControlCharacters(String(stderr))]).toEqual([
      0,
      '',
      `warning: 1 queued run left to other workers: this pipeline does not have 1 asset: made\n${NOTHING}`,
    ]);
  });
});
