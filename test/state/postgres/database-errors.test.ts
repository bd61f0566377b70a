/** What a server and its driver say, in the words of dynpart: also of servers that are not at hand. */
import { expect, it } from 'vitest';
import { describe as inWords } from '../../../src/model/describe-failure.ts';
import { type Address, parseAddress } from '../../../src/state/postgres/address.ts';
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
  ['55000', 'database-refuses'],
  ['ECONNREFUSED', 'database-unreachable'],
])('the code %s of a server is %s', (code, expected) => {
  const error = Object.assign(new Error('what the server says'), { code });
  expect(inWords(wordsFor(error, ADDRESS)!.failure)).toMatchObject({
    code: expected,
    message: expect.stringContaining('postgres://etl@db/warehouse'),
    hint: expect.stringMatching(/./),
  });
});

it('a password that nobody gave is told without the words of the protocol', () => {
  const error = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string');
  expect(inWords(wordsFor(error, ADDRESS)!.failure)).toMatchObject({
    code: 'database-refuses',
    message: 'postgres://etl@db/warehouse refuses: it asks for a password, and there is none',
    hint: expect.stringMatching(/PGPASSWORD .*chmod 600/),
  });
});

it.each([
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1', 'db refuses the connection (ECONNREFUSED)'],
  ['ENOTFOUND', 'getaddrinfo ENOTFOUND db', 'there is no host db (ENOTFOUND)'],
  ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN db', 'the name db cannot be looked up at the moment (EAI_AGAIN)'],
  ['ENOENT', 'connect ENOENT /run/x', 'no server is listening on this machine (connect ENOENT /run/x)'],
  ['', 'Connection terminated unexpectedly', 'Connection terminated unexpectedly'],
])('a server that is not reached (%s) is told in words', (code, message, words) => {
  const error = Object.assign(new Error(message), { code });
  expect(inWords(wordsFor(error, ADDRESS)!.failure).message).toBe(
    `cannot reach the state in postgres://etl@db/warehouse: ${words}`,
  );
});

it('an address without a user leads to one: cron has no USER that would stand in for it', () => {
  const error = Object.assign(new Error('no PostgreSQL user name specified in startup packet'), {
    code: '28000',
  });
  expect(inWords(wordsFor(error, ADDRESS)!.failure)).toMatchObject({
    code: 'database-refuses',
    hint: expect.stringContaining('name the user in the address, postgres://USER@HOST/DATABASE'),
  });
});

it.each([
  'postgres://%zz/x',
  'postgres://u%zz@db/x',
  'postgres://u:%zz@127.0.0.1/x',
  'postgres://127.0.0.1/%zz',
])('an address that cannot be read (%s) is told as that, without what may be a password', (address) => {
  expect(() => parseAddress(address, {})).toThrowError(
    expect.objectContaining({
      failure: expect.objectContaining({
        reason: 'usage',
        message: 'the address of the state cannot be read: a % in it stands for itself as %25',
      }),
    }),
  );
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
