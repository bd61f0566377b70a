/** A program that is given a text on its standard input, and has a signal to heed. */
import { execa } from 'execa';

/** So much of what a program said goes into the message of its failure. */
const SAID_LIMIT = 500;

/** @throws Error with what the program said, when it fails */
export async function runWith(
  file: string,
  args: readonly string[],
  { input, signal }: { readonly input: string; readonly signal: AbortSignal },
): Promise<void> {
  const ended = await execa(file, args, {
    input,
    cancelSignal: signal,
    forceKillAfterDelay: 1000,
    stdout: 'ignore',
    maxBuffer: 64 * 1024,
    reject: false,
  });
  if (!ended.failed) return;
  const said = ended.stderr.trim().slice(-SAID_LIMIT);
  // One that reads nothing has closed its input before all of it was written, and may have done well all the same.
  if (ended.exitCode === 0 && ended.code === 'EPIPE') return;
  const how =
    ended.exitCode !== undefined
      ? `ended with exit code ${ended.exitCode}`
      : ended.signal !== undefined
        ? `was ended by ${ended.signal}`
        : `could not be started (${ended.code ?? 'unknown'})`;
  throw new Error(`${file} ${how}${said === '' ? '' : `: ${said}`}`);
}
