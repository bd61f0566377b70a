/** More is asked at the same time than there are connections. */
import { expect, it } from 'vitest';
import { parseAddress } from '../../../src/state/postgres/address.ts';
import { Database, type Driver } from '../../../src/state/postgres/database.ts';

const seen = { asked: 0, most: 0, answered: 0 };
const nothing = (): void => undefined;

async function query(): Promise<unknown> {
  await new Promise((resolve) => setImmediate(resolve));
  seen.answered++;
  return { rows: [] };
}

class Pool {
  connect(): Promise<unknown> {
    seen.most = Math.max(seen.most, ++seen.asked);
    return Promise.resolve({ query, release: () => seen.asked--, on: nothing, off: nothing });
  }

  end = (): Promise<void> => Promise.resolve();
  on = nothing;
}

it('waits for a connection of its own without asking the pool, which would give up after a while', async () => {
  const driver = { Pool } as unknown as Driver;
  const database = new Database(driver, parseAddress('postgres://somebody@localhost/some', {}));
  await Promise.all(Array.from({ length: 50 }, () => database.execute('select 1')));
  expect(seen.answered).toBe(50);
  expect(seen.most).toBeLessThanOrEqual(4);
  await database.close();
});
