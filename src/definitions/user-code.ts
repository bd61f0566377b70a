/** The one boundary at which user code is called: what it throws is kept with the user's own stack frames. */

/** What user code threw. */
export interface Thrown {
  readonly message: string;
  /** `at … (file:line:column)`, only frames of the user's files and packages. */
  readonly frames: readonly string[];
}

/** The folder that this module was loaded from: its frames are dynpart's, not the user's. */
const ownFolder = folderOf(new Error().stack?.split('\n')[1] ?? '');

/** Frames that say nothing to a user. */
const NOISE = /\(?(node:|native$|<anonymous>\)?$)|[\\/]node_modules[\\/]jiti[\\/]|Promise\.\w+ \(index \d+\)/;

const MOST_FRAMES = 8;

/** Makes data of what was thrown. */
export function describeThrown(error: unknown): Thrown {
  if (!(error instanceof Error)) return { message: textOf(error), frames: [] };
  return { message: messageOf(error), frames: userFrames(error) };
}

/** `TypeError: x is not a function (because: …)`; plain `Error:` says nothing and is left out. */
function messageOf(error: Error): string {
  const name = typeof error.name === 'string' && error.name !== 'Error' ? `${error.name}: ` : '';
  const cause =
    error.cause === undefined
      ? ''
      : ` (because: ${error.cause instanceof Error ? messageOf(error.cause) : textOf(error.cause)})`;
  const errors =
    error instanceof AggregateError && error.message === '' ? error.errors.map(textOf).join('; ') : '';
  return `${name}${error.message}${errors}${cause}`.trim() || 'an error without a message';
}

function userFrames(error: Error): string[] {
  const lines = typeof error.stack === 'string' ? error.stack.split('\n') : [];
  const frames = lines
    .map((line) => line.trim())
    .filter(
      (line) =>
        line.startsWith('at ') && !NOISE.test(line) && !(ownFolder !== '' && line.includes(ownFolder)),
    );
  // Frames inside packages say where it broke, the user's own say where to look: those, if there are any.
  const own = frames.filter((line) => !/[\\/]node_modules[\\/]/.test(line));
  return (own.length > 0 ? own : frames).slice(0, MOST_FRAMES);
}

function textOf(value: unknown): string {
  if (value instanceof Error) return messageOf(value);
  if (typeof value === 'string') return value === '' ? 'an empty string' : value;
  try {
    // oxlint-disable-next-line typescript/no-base-to-string -- objects went the other way
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  } catch {
    return 'a value that cannot be shown';
  }
}

function folderOf(frame: string): string {
  const match = /(?:\(|at (?:async )?)(?:file:\/\/)?(\/[^()]*?)[^/()]*:\d+:\d+\)?$/.exec(frame.trim());
  // A bundle keeps shared code in a folder of its own below the rest.
  return match?.[1]?.replace(/chunks\/$/, '') ?? '';
}
