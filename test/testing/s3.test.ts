/** A pipeline under test keeps its values with `s3()`: which object counts is what the state of the test says. */
import { expect, it } from 'vitest';
import { asset, definePipeline, dynamicPartitions, s3 } from '../../src/index.ts';
import { testPipeline } from '../../src/testing/index.ts';
import { S3Server } from '../support/s3-server.ts';

it('reads what is on record, and not what somebody left later, and clears up behind itself', async () => {
  await using server = await S3Server.start();
  const letters = dynamicPartitions('letters');
  let word = 'one';
  const upper = asset({ name: 'upper', partitions: letters, materialize: () => word });
  const ioManager = s3({
    bucket: 'reports',
    endpoint: server.endpoint,
    credentials: { accessKeyId: 'me', secretAccessKey: 'secret' },
  });
  const pipeline = testPipeline(definePipeline({ assets: [upper], ioManager }));
  await pipeline.add(letters, ['a']);
  await pipeline.materialize('upper', 'a');
  word = 'two';
  await pipeline.materialize('upper', 'a');
  await expect.poll(() => server.names, { timeout: 60_000 }).toHaveLength(1);
  expect(await pipeline.value('upper', 'a')).toBe('two');
});
