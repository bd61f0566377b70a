/** Starts a program so many times at once and waits for all of them: `together.mjs COUNT PROGRAM ARGS…`. */
import { spawn } from 'node:child_process';

const [, , count = '1', program = '', ...args] = process.argv;
const ends = Array.from(
  { length: Number(count) },
  () =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve(code) : reject(new Error(`exit ${code}`))));
    }),
);
await Promise.all(ends);
