/** What is copied out of a file is to be read by nobody who may not read that file. */
import fs from 'node:fs';

/** New files and folders of this process get no more than the file gives its group, and others. @returns what ends that */
export function asNarrowAs(file: string): () => void {
  const mode = fs.statSync(file, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return () => undefined;
  const closed = ((mode & 0o040) === 0 ? 0o070 : 0) | ((mode & 0o004) === 0 ? 0o007 : 0);
  const before = process.umask();
  process.umask(before | closed);
  return () => void process.umask(before);
}
