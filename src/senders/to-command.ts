/** Tells by a command: the text on its standard input. */
import type { Notify, NotifyMessage } from '../definitions/notify.ts';

/** So much of what a command said goes into the message of its failure. */
const SAID_LIMIT = 500;

/**
 * For `send` of `notify`: starts a program, without a shell, with the text of the message on its standard input; what it prints is
 * dropped. It has failed when its exit code is not 0, and is ended when it takes longer than five seconds.
 *
 * @param file a program on the PATH, or a path from the folder in which dynpart was started
 * @example
 * notify: [{ on: ['run-failed', 'recovered'], send: toCommand('/usr/local/bin/tell-us', ['--channel', 'data']) }]
 */
export function toCommand(file: string, args: readonly string[] = []): Notify['send'] {
  if (typeof file !== 'string' || file === '') throw new TypeError('toCommand takes the name of a program');
  if (!Array.isArray(args) || args.some((one) => typeof one !== 'string'))
    throw new TypeError('toCommand takes a list of texts as its second parameter');
  return ({ text, signal }: NotifyMessage) => runWith(file, args, { input: text, signal });
}

/** @throws Error with what the program said, when it fails */
export async function runWith(
  file: string,
  args: readonly string[],
  { input, signal }: { readonly input: string; readonly signal: AbortSignal },
): Promise<void> {
  const { execa } = await import('execa');
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
