/** Hundreds of sensors of one process tell in turns that they have the thread. */
import { expect, it } from 'vitest';
import { LatestNote } from '../../../src/state/postgres/latest-note.ts';

it('writes one note at a time, and of those that came meanwhile the newest alone', async () => {
  const written: string[] = [];
  const answers: (() => void)[] = [];
  const notes = new LatestNote<string>((value) => {
    written.push(value);
    return new Promise((resolve) => answers.push(resolve));
  });
  for (const value of ['a', 'b', 'c']) notes.note(value);
  expect(written).toEqual(['a']);
  answers[0]!();
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toEqual(['a', 'c']);
  answers[1]!();
  await new Promise((resolve) => setImmediate(resolve));
  notes.note('d');
  expect(written).toEqual(['a', 'c', 'd']);
});

it('goes on after one that failed', async () => {
  const written: string[] = [];
  const notes = new LatestNote<string>((value) => {
    written.push(value);
    return Promise.reject(new Error('the line broke off'));
  });
  for (const value of ['a', 'b']) notes.note(value);
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toEqual(['a', 'b']);
});
