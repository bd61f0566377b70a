/** A sample of the crash sweep; `node test/crash/sweep.mjs` tries every point. */
import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

const probe = spawnSync('strace', ['-f', '-e', 'trace=none', 'true'], { encoding: 'utf8' });
const why =
  probe.error !== undefined
    ? 'strace is not installed'
    : probe.status === 0
      ? null
      : 'strace may not trace here (ptrace)';

const name =
  'killed at a sample of its system calls, or refused them, nothing is lost and nothing happens twice';

it.skipIf(why !== null)(
  why === null ? name : `SKIPPED, ${why}: ${name}`,
  async () => {
    const { code, stdout, stderr } = await new Promise<{
      code: number | string | null | undefined;
      stdout: string;
      stderr: string;
    }>((resolve) => {
      execFile(
        process.execPath,
        [path.join(import.meta.dirname, 'sweep.mjs'), '--quick'],
        { timeout: 590_000, maxBuffer: 2 ** 26 },
        (error, out, err) => resolve({ code: error === null ? 0 : error.code, stdout: out, stderr: err }),
      );
    });
    expect(`${stdout}${stderr}`).toMatch(/^\d+ passed, 0 failed$/m);
    expect(code, stdout).toBe(0);
  },
  600_000,
);
