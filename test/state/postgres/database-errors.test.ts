/** What a server and its driver say, in the words of dynpart: also of servers that are not at hand. */
import { expect, it } from 'vitest';
import { describe as inWords } from '../../../src/model/describe-failure.ts';
import type { Address } from '../../../src/state/postgres/address.ts';
import { tooOld, wordsFor } from '../../../src/state/postgres/database-errors.ts';

const ADDRESS = { place: 'postgres://etl@db/warehouse', schema: 'dynpart' } as Address;

it.each([
  ['3F000', 'database-not-migrated'],
  ['42P01', 'database-not-migrated'],
  ['42703', 'database-foreign'],
  ['3D000', 'database-refuses'],
  ['ECONNREFUSED', 'database-unreachable'],
])('the code %s of a server is %s', (code, expected) => {
  const error = Object.assign(new Error('what the server says'), { code });
  expect(inWords(wordsFor(error, ADDRESS)!.failure)).toMatchObject({
    code: expected,
    message: expect.stringContaining('postgres://etl@db/warehouse'),
    hint: expect.stringMatching(/./),
  });
});

it('a server before 13 is too old', () => {
  expect(inWords(tooOld(ADDRESS, '12.18').failure)).toEqual({
    code: 'database-too-old',
    message: 'postgres://etl@db/warehouse is PostgreSQL 12.18; dynpart needs 13 or newer',
    hint: expect.stringContaining('newer server'),
  });
});
