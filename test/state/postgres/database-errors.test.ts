/** What a server and its driver say, in the words of dynpart: also of servers that are not at hand. */
import { expect, it } from 'vitest';
import { describe as inWords } from '../../../src/model/describe-failure.ts';
import type { Address } from '../../../src/state/postgres/address.ts';
import type { Database } from '../../../src/state/postgres/database.ts';
import { tooOld, wordsFor } from '../../../src/state/postgres/database-errors.ts';
import { migrate } from '../../../src/state/postgres/migrate.ts';
import type { Port } from '../../../src/state/postgres/port.ts';

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

it('a server before 13 is asked for its version, and for nothing else', async () => {
  const said: string[] = [];
  const port: Port = {
    execute: (sql) => (said.push(sql), Promise.resolve([{ number: 120_018, name: '12.18' }])),
  };
  const database = { write: (work: (on: Port) => unknown) => work(port) } as unknown as Database;
  await expect(migrate(database, ADDRESS, 'lineage')).rejects.toMatchObject({
    failure: { code: 'database-too-old' },
  });
  expect(said).toEqual([expect.stringContaining('server_version_num')]);
});
