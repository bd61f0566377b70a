/** The first line of a message, for where it stands among others. */

/** What an error says, without where and of what: that is said beside it. */
export function firstLine(message: string): string {
  const [line = ''] = message
    .replace(/^(?:asset|sensor) '[^']*'(?: for key "(?:[^"\\]|\\.)*")? (?:threw: )?/, '')
    .split('\n');
  return line;
}
