/** A program that is given a text on its standard input, and has a signal to heed. */
import { execa } from 'execa';

/** So much of what a program said goes into the message of its failure. */
const SAID_LIMIT = 500;

/** So long after its end what a program said is read, where others still hold its pipe. */
const READ_ON_MS = 100;

/** @throws Error with what the program said, when it fails */
export async function runWith(
  file: string,
  args: readonly string[],
  { input, signal }: { readonly input: string; readonly signal: AbortSignal },
): Promise<void> {
  const program = execa(file, args, {
    input,
    cancelSignal: signal,
    forceKillAfterDelay: 1000,
    stdout: 'ignore',
    // Read here: execa ends a program that says more than it has room for, and has failed then.
    buffer: false,
    reject: false,
  });
  const heard = lastSaid(program.stderr);
  // Who sends in the background keeps the pipe open for as long as that takes.
  program.once('exit', () => void setTimeout(() => program.stderr.destroy(), READ_ON_MS));
  const ended = await program;
  if (!ended.failed) return;
  const said = heard().trim();
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

/** The end of what comes, however much it is. */
function lastSaid(from: NodeJS.ReadableStream): () => string {
  let said = '';
  from.setEncoding('utf8').on('data', (part: string) => (said = `${said}${part}`.slice(-SAID_LIMIT)));
  return () => said.toWellFormed();
}
