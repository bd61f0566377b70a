/** More is asked at the same time than there are connections. */
import { expect, it } from 'vitest';
import { parseAddress } from '../../../src/state/postgres/address.ts';
import { Database, type Driver } from '../../../src/state/postgres/database.ts';

it('waits for a connection of its own without asking the pool, which would give up after a while', async () => {
  let [asked, most, answered] = [0, 0, 0];
  const nothing = (): void => undefined;
  class Pool {
    connect(): Promise<unknown> {
      most = Math.max(most, ++asked);
      const query = async (): Promise<unknown> => {
        await new Promise((resolve) => setImmediate(resolve));
        answered++;
        return { rows: [] };
      };
      return Promise.resolve({ query, release: () => asked--, on: nothing, off: nothing });
    }
    end = (): Promise<void> => Promise.resolve();
    on = nothing;
  }
  const driver = { Pool, Client: class {} } as unknown as Driver;
  const database = new Database(driver, parseAddress('postgres://somebody@localhost/some', {}));
  await Promise.all(Array.from({ length: 50 }, () => database.execute('select 1')));
  expect(answered).toBe(50);
  expect(most).toBeLessThanOrEqual(4);
  await database.close();
});
