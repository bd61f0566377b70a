/** What user code throws becomes data: the message with its causes, and the frames that are the user's. */
import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { describeThrown } from '../../src/model/thrown.ts';

describe('what user code threw', () => {
  it.each<readonly [string, unknown, string]>([
    ['an Error', new Error('broken'), 'broken'],
    ['another kind of error', new TypeError('x is not a function'), 'TypeError: x is not a function'],
    [
      'an error with causes',
      new Error('outer', { cause: new RangeError('inner', { cause: 'deep' }) }),
      'outer (because: RangeError: inner (because: deep))',
    ],
    [
      'an error that has said its cause already',
      new Error('no such file: ENOENT x', { cause: new Error('ENOENT x') }),
      'no such file: ENOENT x',
    ],
    ['an error without a message', new Error(''), 'an error without a message'],
    ['several errors', new AggregateError([new Error('one'), 'two']), 'AggregateError: one; two'],
    ['a text', 'just text', 'just text'],
    ['an empty text', '', 'an empty string'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 5, '5'],
    ['an object', { code: 7 }, '{"code":7}'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a bigint inside an object', { n: 1n }, 'a value that cannot be shown'],
  ])('is told where it is %s', (_, thrown, message) => {
    expect(describeThrown(thrown).message).toBe(message);
  });

  it('keeps the frames of the user’s file, and none of Node’s', () => {
    const { frames } = describeThrown(new Error('x'));
    expect(frames.length).toBeGreaterThan(0);
    expect(frames[0]).toContain('thrown.test.ts');
    for (const frame of frames) expect(frame).not.toMatch(/node:/);
  });

  it('is told also where the error comes from another realm', () => {
    expect(describeThrown(vm.runInNewContext('new Error("elsewhere")')).message).toContain('elsewhere');
  });

  it('is told also where the error was made to fight back', () => {
    const hostile = new Error('x');
    Object.defineProperty(hostile, 'stack', { value: 5 });
    Object.defineProperty(hostile, 'name', { value: 7 });
    expect(describeThrown(hostile)).toEqual({ message: 'x', frames: [] });
    const circle = new Error('round');
    circle.cause = circle;
    expect(describeThrown(circle).message).toContain('round');
  });
});
