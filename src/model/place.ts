/** Where in the user's file a definition stands, for messages about it. */

const placeOf = Symbol.for('dynpart.place');

/** Remembers the line that called `caller`. Cheap: the text of a stack is only made when somebody asks for it. */
export function markPlace<T extends object>(definition: T, caller: (...args: never[]) => unknown): T {
  const mark: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(mark, caller);
  Error.stackTraceLimit = limit;
  Object.defineProperty(definition, placeOf, { value: mark });
  return definition;
}

/** `file:line` of a definition, or `null` when it is not known. The column is that of the compiled code, and not said. */
export function placeText(definition: unknown): string | null {
  if (typeof definition !== 'object' || definition === null) return null;
  const mark = (definition as { [placeOf]?: { stack?: string } })[placeOf];
  const place = mark?.stack === undefined ? null : placeInFrame(mark.stack.split('\n')[1] ?? '');
  return place?.replace(/:\d+$/, '') ?? null;
}

/** `file:line:column` of one line of a stack, or `null` when it names no file. */
export function placeInFrame(frame: string): string | null {
  const match = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?$/.exec(frame.trim());
  const place = match?.[1];
  if (place === undefined) return null;
  return place.startsWith('file://') ? decodeURIComponent(place.slice('file://'.length)) : place;
}
