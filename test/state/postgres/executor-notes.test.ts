import { afterEach, expect, test, vi } from 'vitest';
import { ExecutorNotes } from '../../../src/state/postgres/executor-notes.ts';

const note = { at: '2026-11-27T00:00:00.000Z', mayBlockMs: 5000 };

/** Which runs each statement names as begun. */
function recording(fails = false) {
  const written: (readonly string[])[] = [];
  const notes = new ExecutorNotes(
    {
      execute: async (_sql, values = []) => {
        written.push(values[1] as readonly string[]);
        await Promise.resolve();
        if (fails) throw new Error('the line broke off');
        return [];
      },
    },
    'executor',
  );
  return { written, notes };
}

afterEach(() => void vi.useRealTimers());

test('runs that are quick share notes: the next ones come while the last ones are let go', async () => {
  // However busy the machine is, each of them takes a millisecond.
  vi.useFakeTimers({ toFake: ['performance'] });
  const { written, notes } = recording();
  const lane = async (name: string): Promise<void> => {
    for (let run = 0; run < 20; run++) {
      await notes.begun(`${name}-${run}`, note);
      vi.advanceTimersByTime(1);
      notes.ended(`${name}-${run}`);
    }
  };
  await Promise.all(Array.from({ length: 60 }, (_, at) => lane(`lane${at}`)));
  expect(written.flat()).toHaveLength(1200);
  // One for each turn in which a few of them go on would be several times as many.
  expect(written.length).toBeLessThan(60);
});

test('nobody goes on before others can read that it has begun', async () => {
  const { written, notes } = recording();
  await notes.begun('one', note);
  expect(written).toEqual([['one']]);
  await Promise.all([notes.begun('two', note), notes.begun('three', note)]);
  expect(written).toEqual([['one'], ['two', 'three']]);
});

test('a run that begins while others never cease to come is noted in time', async () => {
  const { written, notes } = recording();
  let isOver = false;
  const others = (async () => {
    for (let run = 0; !isOver; run++) {
      notes.begun(`other-${run}`, note).catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await notes.begun('one', note);
  isOver = true;
  await others;
  expect(written[0]).toContain('one');
  expect(written[0]!.length).toBeLessThanOrEqual(64);
});

test('runs that keep the event loop share notes: one that would wait for those before it waits for the next note', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { written, notes } = recording();
  const lane = async (name: string): Promise<void> => {
    for (let run = 0; run < 5; run++) {
      await notes.begun(`${name}-${run}`, note);
      vi.advanceTimersByTime(12);
      notes.ended(`${name}-${run}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, at) => lane(`lane${at}`)));
  expect(written.flat()).toHaveLength(40);
  // One for each run that begins would be 33.
  expect(written.length).toBeLessThan(10);
});

test('a note says what there is to say, and of programs only where there were any', async () => {
  const said: string[] = [];
  const execute = (sql: string): Promise<[]> => {
    const words = [...sql.matchAll(/(?:insert into|delete from) @\.(\w+)/g)].map(([what]) => what);
    said.push(words.join(', '));
    return Promise.resolve([]);
  };
  const notes = new ExecutorNotes({ execute }, 'executor');
  await Promise.all([notes.begun('quiet', note), notes.begun('loud', note)]);
  notes.started({ runId: 'loud', group: 1, number: 1 });
  notes.ended('quiet');
  await notes.flushed();
  // It begins anew before it is noted that it has ended.
  notes.ended('loud');
  await notes.begun('loud', note);
  notes.ended('loud');
  await notes.flushed();
  expect(said).toEqual([
    'insert into @.begun',
    'insert into @.program',
    'delete from @.begun',
    'insert into @.begun',
    'delete from @.program, delete from @.begun',
  ]);
});

test('whoever cannot be noted is told', async () => {
  const { notes } = recording(true);
  await expect(Promise.allSettled([notes.begun('one', note), notes.begun('two', note)])).resolves.toEqual([
    expect.objectContaining({ status: 'rejected' }),
    expect.objectContaining({ status: 'rejected' }),
  ]);
  await expect(notes.flushed()).resolves.toBeUndefined();
});
