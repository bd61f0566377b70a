import { expect, test } from 'vitest';
import { valueOf } from '../../../src/state/postgres/array-text.ts';

test('texts are one text, whatever is in them, and what is no column of texts stays as it is', () => {
  expect(valueOf(['a', 'say "hi"', 'back\\slash', '', 'null', null, '{,}'])).toBe(
    '{"a","say \\"hi\\"","back\\\\slash","","null",null,"{,}"}',
  );
  expect(valueOf(['plain', null, 'ünïcödé'])).toBe('{"plain",null,"ünïcödé"}');
  expect(valueOf(['two\nlines\t\u0001', '\ud800'])).toBe('{"two\nlines\t\u0001","\ud800"}');
  expect(valueOf([])).toBe('{}');
  for (const other of [[1, 2], [true], [Buffer.from('x')], 'text', null, 3])
    expect(valueOf(other)).toBe(other);
});
