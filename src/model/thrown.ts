/** What user code threw, as data: its words, and the stack frames that are the user's own. */
import { placeInFrame } from './place.ts';
import { ERROR_LIMIT, recordable } from './recordable.ts';

/** What user code threw. */
export interface Thrown {
  readonly message: string;
  /** `at … (file:line)`, only frames of the user's files and packages. */
  readonly frames: readonly string[];
}

/** The folder of all that was built: its frames are dynpart's, not the user's. */
const ownFolder = `${import.meta.dirname}/`;

/** The rest of what is recorded of an error is for the places in the user's files. */
const MESSAGE_LIMIT = (ERROR_LIMIT * 3) / 4;

const MOST_FRAMES = 8;
const MOST_CAUSES = 5;

/** How many of several errors are told. Each may hold several, in a circle even: the first of them, and no deeper. */
const MOST_ERRORS = 10;

/** Makes data of what was thrown. Anything can be thrown, also what throws again when it is looked at. */
export function describeThrown(error: unknown): Thrown {
  return {
    message: recordable(messageOf(error, MOST_CAUSES), MESSAGE_LIMIT),
    frames: (isError(error) ? userFrames(error) : []).map((frame) => frame.toWellFormed()),
  };
}

/** Also one of another realm (a `vm` context, jsdom), which is no instance of this realm's `Error`. A proxy may refuse to say. */
function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
  } catch {
    return false;
  }
}

/** `TypeError: x is not a function (because: …)`; plain `Error:` says nothing and is left out. */
function messageOf(error: unknown, causes: number): string {
  if (!isError(error)) return textOf(error);
  const name = textIn(error, 'name');
  const message = textIn(error, 'message');
  const cause = fieldOf(error, 'cause');
  const why = cause === undefined || causes === 0 ? '' : messageOf(cause, causes - 1);
  const because = why === '' || message.includes(why) ? '' : ` (because: ${why})`;
  const each =
    message === '' && causes > 0
      ? severalIn(error).map((one) => messageOf(one, Math.min(causes - 1, 1)))
      : [];
  const said = `${name === '' || name === 'Error' ? '' : `${name}: `}${message}${each.join('; ')}${because}`;
  return said.trim() || 'an error without a message';
}

function userFrames(error: Error): string[] {
  const frames = textIn(error, 'stack')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at ') && isOfUser(line))
    // Lines are kept when the code is compiled, columns are not: one that is wrong is worse than none.
    .map((line) => line.replace(/:(\d+):\d+(\)?)$/, ':$1$2'));
  // Frames inside packages say where it broke, the user's own say where to look: those, if there are any.
  const own = frames.filter((line) => !/[\\/]node_modules[\\/]/.test(line));
  return (own.length > 0 ? own : frames).slice(0, MOST_FRAMES);
}

/** Node's own frames name no file. */
function isOfUser(line: string): boolean {
  const isOwn = line.includes(ownFolder) || /[\\/]node_modules[\\/]jiti[\\/]/.test(line);
  return placeInFrame(line) !== null && !isOwn;
}

/** What an AggregateError holds. */
function severalIn(error: object): unknown[] {
  try {
    const several = (error as { errors?: unknown }).errors;
    return Array.isArray(several) ? Array.from(several.slice(0, MOST_ERRORS) as unknown[]) : [];
  } catch {
    return [];
  }
}

function textIn(error: object, field: string): string {
  const value = fieldOf(error, field);
  return typeof value === 'string' ? value : '';
}

/** A field may be a getter, and the getter may throw. */
function fieldOf(error: object, field: string): unknown {
  try {
    return (error as Record<string, unknown>)[field];
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'an empty string' : value;
  try {
    // oxlint-disable-next-line typescript/no-base-to-string -- objects went the other way
    const text: unknown = typeof value === 'object' ? JSON.stringify(value) : String(value);
    return typeof text === 'string' && text !== '' ? text : 'a value that cannot be shown';
  } catch {
    return 'a value that cannot be shown';
  }
}
