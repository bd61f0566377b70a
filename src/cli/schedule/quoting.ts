/** Words as a crontab and a systemd unit read them. */

/** One word of a shell line in a crontab, where a `%` would begin the command's standard input. */
export function cronWord(word: string): string {
  const quoted = /^[\w@+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
  return quoted.replaceAll('%', '\\%');
}

/** One word of `ExecStart` or `Environment`: no shell reads it, but systemd replaces `%x` and `$x`. */
export function systemdWord(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@+=:,./%$-]+$/.test(escaped)
    ? escaped
    : `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A path that has a line for itself: only `%x` is replaced. */
export function systemdPath(path: string): string {
  return path.replaceAll('%', '%%');
}
