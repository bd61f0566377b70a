/** A short run of the hammer; `npm run test:hammer` goes on for minutes. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const why = fs.existsSync('/proc/self/stat') ? null : 'there is no /proc to see processes in';

const name = 'many processes at once, killed and stopped at any moment, lose nothing and do nothing twice';

it.skipIf(why !== null)(why === null ? name : `SKIPPED, ${why}: ${name}`, { timeout: 400_000 }, async () => {
  const { code, said } = await new Promise<{ code: number | string | null | undefined; said: string }>(
    (resolve) => {
      execFile(
        process.execPath,
        [path.join(import.meta.dirname, 'hammer.mjs'), '--seconds', '12', '--least', '4', '--lanes', '12'],
        { timeout: 390_000, maxBuffer: 2 ** 26 },
        (error, out, err) => resolve({ code: error === null ? 0 : error.code, said: `${out}${err}` }),
      );
    },
  );
  // What went wrong stands in there, with the seed and the folder.
  expect(said).toMatch(/^nothing lost, nothing twice$/m);
  expect(code).toBe(0);
  // Otherwise it has shown nothing: processes that came to their end, that were killed, and that were stopped.
  const [, ended, killed, stopped] = /(\d+) ended, (\d+) killed, (\d+) stopped/.exec(said)!.map(Number);
  expect(ended).toBeGreaterThan(20);
  expect(killed).toBeGreaterThan(3);
  expect(stopped).toBeGreaterThan(3);
  // … and keys made in one call, and in processes of their own.
  expect(Number(/(\d+) {2}together/.exec(said)![1])).toBeGreaterThan(0);
  expect(Number(/(\d+) {2}apart/.exec(said)![1])).toBeGreaterThan(0);
});
