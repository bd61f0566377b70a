/** Words as a crontab and a systemd unit read them. */

/** One word of a shell line in a crontab, where a `%` would begin the command's standard input. */
export function cronWord(word: string): string {
  if (/^[\w@+=:,./-]+$/.test(word)) return word;
  // Outside of the quotes: a backslash of the word's own before it would take the other one away from it.
  return `'${word.replaceAll("'", `'\\''`).replaceAll('%', `'\\%'`)}'`;
}

/** One word of `ExecStart`: no shell reads it, but systemd replaces `%x` and `$x`. */
export function systemdWord(word: string): string {
  return systemdSetting(word.replaceAll('$', '$$$$'));
}

/** One word of `Environment`, where a `$` is one. */
export function systemdSetting(word: string): string {
  const escaped = word.replaceAll('%', '%%');
  return /^[\w@+=:,./%$-]+$/.test(escaped)
    ? escaped
    : `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A path that has a line for itself: only `%x` is replaced; a blank at the end would be cut off, and a backslash there takes the next line. */
export function systemdPath(path: string): string {
  return `${path.replaceAll('%', '%%')}${/[\s\\]$/.test(path) ? '/.' : ''}`;
}
