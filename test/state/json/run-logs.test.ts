/** The log of a run in its file: how much it costs, and what a kill leaves of it. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endOf } from '../../../src/state/json/read-log.ts';
import { RunLogs } from '../../../src/state/json/run-logs.ts';
import type { RunLogLine } from '../../../src/state/store.ts';
import { AT } from '../../support/builders.ts';
import { TemporaryFolder } from '../../support/json-rig.ts';

const line = (text: string): RunLogLine => ({ at: AT, stream: 'log', text, asset: 'audio', attempt: 1 });

describe('the log of a run', () => {
  let folder: TemporaryFolder;
  let logs: RunLogs;

  beforeEach(() => {
    folder = new TemporaryFolder();
    logs = new RunLogs(folder.file('logs'));
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    folder[Symbol.dispose]();
  });

  /** What a kill at this moment would leave. */
  const onDisk = (): string[] =>
    fs
      .readFileSync(folder.file('logs', 'g-1.jsonl'), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((text) => (JSON.parse(text) as RunLogLine).text);
  const texts = (): string[] => endOf(logs.written('g-1'), Infinity).map(({ text }) => text);

  it('has the first lines at once: code that then blocks its thread lets no timer write them', () => {
    for (const text of ['one', 'two', 'three']) {
      logs.append('g-1', [line(text)]);
      expect(onDisk().at(-1)).toBe(text);
    }
  });

  it('costs a flood of lines few system calls, and keeps all of them in order', () => {
    // No time passes: a machine in a hurry.
    vi.useFakeTimers();
    const calls = (['openSync', 'writeSync', 'readSync', 'fstatSync', 'closeSync'] as const).map((name) =>
      vi.spyOn(fs, name),
    );
    const all = Array.from({ length: 20_000 }, (_, at) => `line ${at}`);
    for (const text of all) logs.append('g-1', [line(text)]);
    logs.close('g-1');
    expect(calls.reduce((sum, { mock }) => sum + mock.calls.length, 0)).toBeLessThan(all.length / 100);
    vi.restoreAllMocks();
    expect(texts()).toEqual(all);
  });

  it('is there a tenth of a second later, and its file is not kept open', () => {
    vi.useFakeTimers();
    const closed = vi.spyOn(fs, 'closeSync');
    const all = Array.from({ length: 200 }, (_, at) => `line ${at}`);
    for (const text of all) logs.append('g-1', [line(text)]);
    expect(onDisk().length).toBeLessThan(all.length);
    closed.mockClear();
    vi.advanceTimersByTime(100);
    expect(closed).toHaveBeenCalledTimes(1);
    expect(onDisk()).toEqual(all);
    logs.append('g-1', [line('later')]);
    expect(onDisk().at(-1)).toBe('later');
  });

  it('is there when it was closed', () => {
    vi.useFakeTimers();
    const all = Array.from({ length: 200 }, (_, at) => `line ${at}`);
    for (const text of all) logs.append('g-1', [line(text)]);
    logs.close('g-1');
    expect(onDisk()).toEqual(all);
  });

  it('says at the end of the run what a timer could not write', () => {
    vi.useFakeTimers();
    for (let at = 0; at < 200; at++) logs.append('g-1', [line(`line ${at}`)]);
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw full;
    });
    vi.advanceTimersByTime(100);
    vi.restoreAllMocks();
    expect(() => logs.close('g-1')).toThrow('state-io');
    logs.append('g-1', [line('again')]);
    expect(texts().at(-1)).toBe('again');
  });

  it('says that a file could not be closed: some file systems tell only then that they kept nothing', () => {
    logs.append('g-1', [line('one')]);
    vi.spyOn(fs, 'closeSync').mockImplementation(() => {
      throw Object.assign(new Error('input/output error'), { code: 'EIO' });
    });
    expect(() => logs.close('g-1')).toThrow('state-io');
  });
});
