/** The place where the first PostgreSQL cluster of a run of the tests leaves what all others begin with (`PostgresCluster`). */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const PLACE = 'DYNPART_TEST_CLUSTER';

export default function setup(): (() => void) | undefined {
  // Each project of the tests sets up.
  if (process.env[PLACE] !== undefined) return undefined;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-pg-first-'));
  process.env[PLACE] = folder;
  return () => fs.rmSync(folder, { recursive: true, force: true });
}
