/** Writes what a command was asked to write into a file, beside the states that are in use and never over one. */
import path from 'node:path';
import { asNarrowAs } from '../files/as-narrow-as.ts';
import { type WholeFile, writeWhole } from '../files/write-whole.ts';
import type { Context } from './context.ts';
import { isStateInUse } from './stores.ts';

/** @returns the absolute path of the file. @throws FailureError where something else is in the way */
export function writeFile(
  { project, terminal }: Pick<Context, 'project' | 'terminal'>,
  file: string,
  content: Omit<WholeFile, 'whyKept'>,
): string {
  const undo = asNarrowAs(project.stateFile);
  try {
    return writeWhole(path.resolve(terminal.cwd, file), {
      ...content,
      whyKept: (target) => (isStateInUse(target, project.stateFile) ? 'it is a state in use' : null),
    });
  } finally {
    undo();
  }
}
