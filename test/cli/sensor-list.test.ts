/** How often each sensor is evaluated, for people. */
import { expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';

const PIPELINE = `
  import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
  const letters = dynamicPartitions('letters');
  const upper = asset({ name: 'upper', partitions: letters, automate: 'missing', materialize: () => 1 });
  const evaluate = () => ({ skipReason: 'nothing' });
  const sensors = [
    sensor({ name: 'often', evaluate }),
    sensor({ name: 'hourly', minimumIntervalSeconds: 3600, evaluate }),
    sensor({ name: 'nightly', cron: '0 3 * * *', evaluate }),
  ];
  export default definePipeline({ assets: [upper], sensors });
`;

it('a sensor has its interval or its cron line, and automation its turn with every tick', async () => {
  await using project = new ProjectHere({ 'pipeline.ts': PIPELINE });
  const { stdout } = await project.dynpart(['sensor', 'list']);
  const every = Object.fromEntries(
    stdout.split('\n').flatMap((line) => {
      const [, name, interval] = /^(\S+)\s+RUNNING\s+(.*?)\s+-/.exec(line) ?? [];
      return name === undefined ? [] : [[name, interval]];
    }),
  );
  expect(every).toEqual({ often: '30 s', hourly: '3600 s', nightly: '0 3 * * *', automation: 'tick' });
});
