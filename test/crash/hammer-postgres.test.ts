/** A short run of the hammer on PostgreSQL; `npm run test:hammer-postgres` goes on for minutes. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const why = fs.existsSync('/proc/self/stat') ? null : 'there is no /proc to see processes in';

const name = 'many processes at once on a server that crashes lose nothing and make nothing twice';

it.skipIf(why !== null)(why === null ? name : `SKIPPED, ${why}: ${name}`, { timeout: 400_000 }, async () => {
  const { code, said } = await new Promise<{ code: number | string | null | undefined; said: string }>(
    (resolve) => {
      execFile(
        process.execPath,
        [path.join(import.meta.dirname, 'hammer-postgres.mjs'), '--seconds', '10', '--lanes', '5'],
        { timeout: 390_000, maxBuffer: 2 ** 26 },
        (error, out, err) => resolve({ code: error === null ? 0 : error.code, said: `${out}${err}` }),
      );
    },
  );
  expect(said).toMatch(/^nothing lost, nothing twice$/m);
  expect(code).toBe(0);
  // Otherwise it has shown nothing.
  const [, ended, killed] = /(\d+) ended, (\d+) killed/.exec(said)!.map(Number);
  expect(ended).toBeGreaterThan(5);
  expect(killed).toBeGreaterThan(0);
});
