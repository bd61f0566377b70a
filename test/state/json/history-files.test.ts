/** The history beside the state: what was taken back stays away, and what is dropped takes its log along. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { partOf } from '../../../src/state/json/read-log.ts';
import type { RunRecord } from '../../../src/model/run.ts';
import { HistoryFiles } from '../../../src/state/json/history-files.ts';
import { AT, finishedRun, tickRecord } from '../../support/builders.ts';
import { TemporaryFolder } from '../../support/json-rig.ts';

describe('the history in files', () => {
  let folder: TemporaryFolder;
  let history: HistoryFiles;

  beforeEach(() => {
    folder = new TemporaryFolder();
    history = new HistoryFiles(folder.path);
  });

  afterEach(() => folder[Symbol.dispose]());

  const run = (id: string, status: 'SUCCESS' | 'FAILURE' | 'CANCELED' = 'SUCCESS'): RunRecord =>
    finishedRun({ id, status, partitionKey: 'a' }).record;
  const shown = (): string[] => [...history.finishedRuns()].map(({ id, status }) => `${id} ${status}`);
  const line = { at: AT, stream: 'log' as const, text: 'x', asset: 'audio', attempt: 1 };

  it('takes back what an earlier try of a commit had recorded and the last one does not say', () => {
    const first = history.recordRuns([run('g-1', 'CANCELED'), run('g-2')], []);
    const second = history.recordRuns([run('g-2')], first);
    history.recordRuns([], second.length === 1 ? [] : second);
    expect(shown()).toEqual(['g-2 SUCCESS']);
  });

  it('begins a line of its own behind a log line that a full disk or a kill has torn', () => {
    history.logs.append('g-1', [line]);
    history.logs.close('g-1');
    fs.appendFileSync(folder.file('logs', 'g-1.jsonl'), '{"at":"2026-');
    history.logs.append('g-1', [{ ...line, text: 'after it' }]);
    expect(partOf(history.logs.written('g-1'), 0).lines).toEqual([line, { ...line, text: 'after it' }]);
  });

  it('shows what another process recorded before the try that was taken back', () => {
    history.recordRuns([run('g-1', 'SUCCESS')], []);
    const tried = history.recordRuns([run('g-1', 'CANCELED')], []);
    history.recordRuns([], tried);
    expect(shown()).toEqual(['g-1 SUCCESS']);
  });

  it('shows what another process recorded after the try that was taken back', () => {
    const tried = history.recordRuns([run('g-1', 'FAILURE')], []);
    history.recordRuns([run('g-1', 'CANCELED')], []);
    history.recordRuns([], tried);
    expect(shown()).toEqual(['g-1 CANCELED']);
  });

  it('shows the last of several ends where an earlier try ended a run otherwise', () => {
    const tried = history.recordRuns([run('g-1', 'SUCCESS')], []);
    history.recordRuns([run('g-1', 'CANCELED')], tried);
    expect(shown()).toEqual(['g-1 CANCELED']);
  });

  it('drops the logs of the runs that it drops, whatever else stands in the file', () => {
    for (const id of ['g-1', 'g-2', 'g-3']) history.logs.append(id, [line]);
    const tried = history.recordRuns([run('g-1'), run('g-2')], []);
    history.recordRuns([run('g-1')], tried);
    const segment = (number: number): string => folder.file('history', `runs.00000${number}.jsonl`);
    for (let number = 2; number <= 8; number++) fs.writeFileSync(segment(number), '');
    // As if the last one had grown to its limit.
    fs.truncateSync(segment(8), 16 * 1024 * 1024);
    history.recordRuns([run('g-3')], []);
    expect(fs.existsSync(segment(1))).toBe(false);
    expect(fs.existsSync(segment(9))).toBe(true);
    expect(fs.readdirSync(folder.file('logs')).sort()).toEqual(['g-3.jsonl']);
    expect([...history.finishedRuns()][0]?.id).toBe('g-3');
  });

  describe('with a retention of the pipeline', () => {
    const DAY = 24 * 60 * 60_000;
    const at = (day: number): string => new Date(Date.parse(AT) + day * DAY).toISOString();
    const withRetention = (day: number, retention: object): HistoryFiles =>
      new HistoryFiles(folder.path, { now: () => Date.parse(at(day)), retention: () => retention });

    it('keeps so many runs, and their logs, and no log of a run that is gone', () => {
      history = withRetention(0, { runs: 7 });
      for (let number = 0; number < 40; number++) {
        history.logs.append(`g-${number}`, [line]);
        history.logs.close(`g-${number}`);
        history.recordRuns([run(`g-${number}`)], []);
      }
      const kept = [...history.finishedRuns()].map(({ id }) => id);
      expect(kept).toEqual(['g-39', 'g-38', 'g-37', 'g-36', 'g-35', 'g-34', 'g-33', 'g-32']);
      expect(fs.readdirSync(folder.file('logs')).sort()).toEqual(kept.map((id) => `${id}.jsonl`).sort());
    });

    it('keeps ticks and runs of so many days', () => {
      for (let day = 0; day <= 40; day++) {
        const daily = withRetention(day, { days: 10 });
        daily.recordTick(tickRecord({ sensor: 'feed', startedAt: at(day), finishedAt: at(day) }));
        daily.recordRuns([{ ...run(`g-${day}`), finishedAt: at(day) }], []);
      }
      const ticks = [...history.ticks('feed')];
      expect(ticks[0]!.startedAt).toBe(at(40));
      expect(ticks.length).toBeGreaterThan(10);
      expect(ticks.length).toBeLessThan(16);
      const runs = [...history.finishedRuns()];
      expect(runs.length).toBeGreaterThan(10);
      expect(runs.length).toBeLessThan(16);
    });
  });
});
