/** What stands between the command line and the process: signals, the user's output and errors, the live line. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { captureOutput, catchStrays } from '../../src/cli/isolation/capture-output.ts';
import { Output } from '../../src/cli/output.ts';
import { Interrupts } from '../../src/cli/interrupts.ts';
import { LiveLine } from '../../src/cli/render/progress-line.ts';
import { progressInWords } from '../../src/cli/render/progress-words.ts';
import { processTerminal } from '../../src/cli/terminal.ts';
import { LineWriter, writingTo } from '../../src/engine/user-code/output.ts';
import { CapturedTerminal, rememberProcess, type TerminalOptions } from '../support/captured-terminal.ts';
import { FakeClock } from '../support/fake-clock.ts';

let restore: () => void;
beforeEach(() => {
  restore = rememberProcess();
});
afterEach(() => {
  vi.useRealTimers();
  restore();
});

describe('standard input', () => {
  it('is waited for where it is a pipe that does not block, up to its end', () => {
    const answers = ['EAGAIN', 'one\n', 'EAGAIN', 'EAGAIN', 'two\n', ''];
    vi.spyOn(fs, 'readSync').mockImplementation(((fd: number, into: Buffer) => {
      expect(fd).toBe(0);
      const answer = answers.shift()!;
      if (answer === 'EAGAIN') throw Object.assign(new Error(answer), { code: answer });
      return into.write(answer);
    }) as typeof fs.readSync);
    try {
      expect(processTerminal('/').readStdin().toString()).toBe('one\ntwo\n');
    } finally {
      vi.restoreAllMocks();
    }
  });
});

describe('interrupts', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops in order and is %d', (signal, code) => {
    const interrupts = new Interrupts();
    interrupts.listen();
    expect(interrupts.code).toBeNull();
    expect(interrupts.signal.aborted).toBe(false);
    process.emit(signal);
    expect(interrupts.code).toBe(code);
    expect(interrupts.signal.aborted).toBe(true);
  });

  it('leave signals alone until somebody listens', () => {
    const before = process.listenerCount('SIGINT');
    const interrupts = new Interrupts();
    expect(interrupts.signal.aborted).toBe(false);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});

describe("the user's output", () => {
  it('goes to who called the user, and elsewhere when nobody did', async () => {
    const lines: string[] = [];
    const elsewhere: string[] = [];
    captureOutput((text) => elsewhere.push(text));
    const writer = new LineWriter(({ stream, text }) => lines.push(`${stream}: ${text}`), new FakeClock());
    process.stdout.write('at loading\n');
    await writingTo({ writer }, async () => {
      process.stdout.write('one\ntw');
      await new Promise((done) => setTimeout(done, 1));
      process.stdout.write(Buffer.from('o\r\n'));
      process.stderr.write('three\n', 'utf8');
      await new Promise<void>((done) => void process.stdout.write('four', () => done()));
    });
    writer.end();
    expect(elsewhere).toEqual(['at loading\n']);
    expect(lines).toEqual(['stdout: one', 'stdout: two', 'stderr: three', 'stdout: four']);
  });

  it('keeps letters whole that were written in two pieces', async () => {
    const lines: string[] = [];
    captureOutput(() => undefined);
    const writer = new LineWriter(({ text }) => lines.push(text), new FakeClock());
    const bytes = Buffer.from('日本\n');
    await writingTo({ writer }, () => {
      process.stdout.write(bytes.subarray(0, 2));
      process.stdout.write(bytes.subarray(2));
      return Promise.resolve();
    });
    expect(lines).toEqual(['日本']);
  });

  it('may be written in another encoding', async () => {
    const lines: string[] = [];
    captureOutput(() => undefined);
    const writer = new LineWriter(({ text }) => lines.push(text), new FakeClock());
    await writingTo({ writer }, () => {
      process.stdout.write('aGkK', 'base64');
      return Promise.resolve();
    });
    expect(lines).toEqual(['hi']);
  });
});

describe('process.exit of user code', () => {
  it('is an error, and ends nothing', () => {
    catchStrays(() => undefined);
    expect(() => process.exit(0)).toThrow('process.exit(0) was called');
  });
});

describe('an error that nothing waits for', () => {
  it('ends the call that it came from, and nothing else', async () => {
    const strays: unknown[] = [];
    process.removeAllListeners('uncaughtException').removeAllListeners('unhandledRejection');
    catchStrays((error) => strays.push(error));
    const writer = new LineWriter(() => undefined, new FakeClock());
    const call = writingTo({ writer }, async () => {
      setTimeout(() => process.emit('uncaughtException', new Error('from a timer')), 1);
      await new Promise(() => undefined);
    });
    await expect(call).rejects.toThrow('from a timer');
    process.emit('unhandledRejection', new Error('of nobody'), Promise.resolve());
    expect(strays.map(String)).toEqual(['Error: of nobody']);
  });
});

describe('the live line', () => {
  const options = {
    json: false,
    quiet: false,
    verbose: false,
    color: true,
  };

  const RUN = { type: 'run-started', id: 'g-1', partitionKey: 'a', assets: ['made'], left: 1 } as const;

  function live(terminal: TerminalOptions, flags: Partial<typeof options> = {}): LiveLine {
    return new LiveLine(
      new Output({
        terminal: new CapturedTerminal({ cwd: '/', ...terminal }),
        options: { ...options, ...flags },
        clock: new FakeClock(),
      }),
    );
  }

  it.each([
    ['no terminal', { isTerminal: false }, {}],
    ['a dumb one', { isTerminal: true, env: { TERM: 'dumb' } }, {}],
    ['--json', { isTerminal: true }, { json: true }],
    ['--quiet', { isTerminal: true }, { quiet: true }],
    ['--verbose', { isTerminal: true }, { verbose: true }],
  ])('is not there with %s', (_, terminal, flags) => {
    vi.useFakeTimers();
    live(terminal, flags).see(RUN);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits a moment, and is not there when all is over sooner', () => {
    vi.useFakeTimers();
    const line = live({ isTerminal: true });
    line.see(RUN);
    line.see(RUN);
    expect(vi.getTimerCount()).toBe(1);
    line.stop();
    expect(vi.getTimerCount()).toBe(0);
    line.see(RUN);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    [
      { done: 10, over: 14, failed: 1, canceled: 0, left: 90 },
      '14 of 100 runs, 1 failed, 2 running, 7.0/s, about 12 s left',
    ],
    // After Ctrl-C the rest is canceled, also what was at work and whose code has ended.
    [
      { done: 10, over: 14, failed: 0, canceled: 60, left: 30 },
      '14 of 100 runs, 60 canceled, 2 running, 7.0/s, about 3.7 s left',
    ],
    [
      { done: 10, over: 14, failed: 0, canceled: 90, left: 0 },
      '10 of 100 runs, 90 canceled, 2 running, 5.0/s',
    ],
  ])('counts what is made, and beside it what was canceled: %j', (progress, words) => {
    expect(progressInWords(progress, 2000, '2 running')).toBe(words);
  });

  it('lets through what stays above it, once', () => {
    const line = live({ isTerminal: true });
    const write = vi.fn();
    line.above(write);
    expect(write).toHaveBeenCalledOnce();
    line.stop();
  });
});
