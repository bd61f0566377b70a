/**
 * User code shares this process. What it prints goes to the log of its run or tick, and to stderr with `--verbose`, never
 * to stdout, which is data; an error that it lets go of, or its `process.exit`, ends that run or tick and nothing else.
 */
import { currentWriter, endWithStray } from '../../engine/user-code/output.ts';

/** An error of user code that belongs to no run and no tick. */
export type OnStray = (error: unknown) => void;

/** From now on errors that nothing waits for are the user's. */
export function catchStrays(onStray: OnStray): void {
  const handle = (error: unknown): void => {
    if (!endWithStray(error)) onStray(error);
  };
  process.on('uncaughtException', handle);
  process.on('unhandledRejection', handle);
  process.exit = (code) => {
    throw new Error(`process.exit(${code ?? ''}) was called: a run or tick cannot end the process`);
  };
}

/** From now on `console` and `process.stdout` are the user's. `elsewhere` takes what no run or tick can be named for. */
export function captureOutput(elsewhere: (text: string) => void): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(process, name)!;
    let patched = false;
    // The stream is made when user code first asks for it: most never does.
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get: () => {
        const stream = (descriptor.get as () => NodeJS.WriteStream).call(process);
        if (!patched) {
          patched = true;
          stream.write = redirected(name, elsewhere);
        }
        return stream;
      },
    });
  }
}

function redirected(
  name: 'stdout' | 'stderr',
  elsewhere: (text: string) => void,
): NodeJS.WriteStream['write'] {
  return (chunk: string | Uint8Array, encodingOrDone?: unknown, done?: unknown): boolean => {
    const encoding = typeof encodingOrDone === 'string' ? (encodingOrDone as BufferEncoding) : 'utf8';
    const isText = typeof chunk === 'string' && /^utf-?8$/i.test(encoding);
    const written = isText ? chunk : Buffer.from(chunk as string, encoding);
    const writer = currentWriter();
    if (writer === undefined) elsewhere(typeof written === 'string' ? written : written.toString('utf8'));
    else writer.write(name, written);
    const callback = typeof encodingOrDone === 'function' ? encodingOrDone : done;
    if (typeof callback === 'function') queueMicrotask(() => (callback as () => void)());
    return true;
  };
}
