/** Tells by a command: the text on its standard input. */
import type { Notify, NotifyMessage } from '../definitions/notify.ts';

/**
 * For `send` of `notify`: starts a program, without a shell, with the text of the message on its standard input; what it prints is
 * dropped. It has failed when its exit code is not 0, and is ended when it takes longer than five seconds. What it leaves in the
 * background is not waited for.
 *
 * @param file a program on the PATH, or a path from the folder in which dynpart was started
 * @example
 * notify: [{ on: ['run-failed', 'recovered'], send: toCommand('/usr/local/bin/tell-us', ['--channel', 'data']) }]
 */
export function toCommand(file: string, args: readonly string[] = []): Notify['send'] {
  if (typeof file !== 'string' || file === '') throw new TypeError('toCommand takes the name of a program');
  if (!Array.isArray(args) || args.some((one) => typeof one !== 'string'))
    throw new TypeError('toCommand takes a list of texts as its second parameter');
  return async ({ text, signal }: NotifyMessage) =>
    (await import('./run-with.ts')).runWith(file, args, { input: text, signal });
}
