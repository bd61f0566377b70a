/** What user code writes becomes lines, and each line belongs to the run or tick that wrote it. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { describe, expect, it } from 'vitest';
import { currentWriter, LineWriter, writingTo } from '../../../src/engine/user-code/output.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function writerWithLines(): { writer: LineWriter; lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    writer: new LineWriter(({ stream, text }) => lines.push(`${stream}: ${text}`), new FakeClock()),
  };
}

describe('what user code writes', () => {
  it('is cut into lines, each stream for itself', () => {
    const { writer, lines } = writerWithLines();
    writer.write('stdout', 'a');
    writer.write('stderr', 'x\r\ny');
    writer.write('stdout', 'b\n\nc');
    expect(lines).toEqual(['stderr: x', 'stdout: ab', 'stdout: ']);
    writer.end();
    expect(lines.slice(3)).toEqual(['stdout: c', 'stderr: y']);
    writer.end();
    expect(lines).toHaveLength(5);
  });

  it('says at which level it was logged', () => {
    const { writer, lines } = writerWithLines();
    const log = writer.log();
    log.info('i');
    log.debug('d');
    log.warn('w1\nw2');
    log.error('e');
    log.info(5);
    log.info('found', { a: [1] }, 'x\ny');
    expect(lines).toEqual([
      'log: i',
      'log: debug: d',
      'log: warn: w1',
      'log: warn: w2',
      'log: error: e',
      'log: 5',
      'log: found { a: [ 1 ] } x',
      'log: y',
    ]);
  });

  it('goes to the writer of the code that is running, however deep in its promises', async () => {
    const [one, other] = [writerWithLines().writer, writerWithLines().writer];
    const later = async (): Promise<LineWriter | undefined> => {
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      return currentWriter();
    };
    expect(
      await Promise.all([writingTo({ writer: one }, later), writingTo({ writer: other }, later)]),
    ).toEqual([one, other]);
    expect(currentWriter()).toBeUndefined();
  });
});
