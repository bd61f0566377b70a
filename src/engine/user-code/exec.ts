/** `exec` of a user's context: execa, bound to the log and to the abort signal. */
import type { Exec } from '../../definitions/user-context.ts';
import type { LineWriter } from './output.ts';

export function makeExec(writer: LineWriter, signal: AbortSignal): Exec {
  return async (file, args = [], options = {}) => {
    // Loaded on first use: execa alone costs as much as the rest of the start-up.
    const { execa } = await import('execa');
    const subprocess = execa(file, args, { ...options, cancelSignal: signal });
    subprocess.stdout?.on('data', (chunk: Buffer | string) => writer.write('stdout', chunk));
    subprocess.stderr?.on('data', (chunk: Buffer | string) => writer.write('stderr', chunk));
    try {
      return (await subprocess) as Awaited<ReturnType<Exec>>;
    } finally {
      writer.end();
    }
  };
}
