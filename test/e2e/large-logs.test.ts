/** Logs that are longer than a text or a document can be. */
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Project } from '../support/project.ts';

const MIB = 1024 * 1024;

const line = (text: string): string =>
  `${JSON.stringify({ at: '2026-01-01T00:00:00.000Z', stream: 'stdout', text, asset: 'talks', attempt: 1 })}\n`;

describe('a log of any size', () => {
  const project = new Project({
    'pipeline.ts': `
import { asset, definePipeline } from 'dynpart';
const talks = asset({ name: 'talks', materialize: ({ log }) => log.info('the first') });
export default definePipeline({ assets: [talks] });
`,
  });
  let id = '';
  let log = '';

  beforeAll(async () => {
    const { document } = await project.json(['materialize', '--all']);
    id = document.runs[0]!.id;
    log = project.path(`.dynpart/logs/${id}.jsonl`);
  });
  afterAll(() => project[Symbol.asyncDispose]());

  it('is printed, also where it is longer than a text can be', async () => {
    const before = fs.statSync(log).size;
    try {
      // A hole that takes no room on the disk: what a loss of power may leave.
      fs.truncateSync(log, before + 600 * MIB);
      fs.appendFileSync(log, `\n${line('the last')}`);
      for (const flags of [[], ['--follow']]) {
        const { code, stdout, stderr } = await project.dynpart(['runs', 'logs', id, ...flags]);
        expect([code, stderr]).toEqual([0, '']);
        expect(stdout.split('\n').map((record) => record.split('\t')[3])).toEqual([
          'the first',
          'the last',
          undefined,
        ]);
      }
    } finally {
      fs.truncateSync(log, before);
    }
  });

  it('is too much for one document beyond a limit, which is said with the way on', async () => {
    const before = fs.statSync(log).size;
    try {
      const many = line('x'.repeat(MIB)).repeat(16);
      for (let written = 0; written < 129; written += 16) fs.appendFileSync(log, many);
      const { code, document } = await project.json(['runs', 'logs', id]);
      expect([code, document.error]).toEqual([
        2,
        {
          code: 'log-too-large',
          message: `run ${id} printed more than 128 MiB, too much for one JSON document`,
          hint: `take a document a line: dynpart runs logs ${id} --follow --json`,
        },
      ]);
    } finally {
      fs.truncateSync(log, before);
    }
  });
});
