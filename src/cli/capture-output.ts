/** What user code prints goes to the log of its run or tick, and to stderr with `--verbose`; never to stdout, which is data. */
import { currentWriter } from '../engine/user-output.ts';

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
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    const writer = currentWriter();
    if (writer === undefined) elsewhere(text);
    else writer.write(name, text);
    const callback = typeof encodingOrDone === 'function' ? encodingOrDone : done;
    if (typeof callback === 'function') queueMicrotask(() => (callback as () => void)());
    return true;
  };
}
