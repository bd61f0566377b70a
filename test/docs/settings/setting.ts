/** What is there before the commands of a page are given: the folder that its reader is thought to be in. */
import type { Session, SessionOptions } from '../../support/docs-session.ts';
import { runHere } from '../../support/in-process.ts';
import type { Project } from '../../support/project.ts';

export interface Setting {
  readonly options?: SessionOptions;
  readonly prepare: (project: Project, session: Session) => unknown;
}

/** By heading, or by the error code in it. */
export type Settings = Readonly<Record<string, Setting>>;

/** A command, in words without blanks. @returns what `--json` prints */
// oxlint-disable-next-line typescript/no-explicit-any -- settings look into it freely
export async function here(project: Project, line: string): Promise<any> {
  const { stdout, stderr } = await runHere(project, [...line.split(' '), '--json']);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

/** The README's first pipeline, as `init` writes it, with two files that were read. */
export async function orders(project: Project): Promise<void> {
  await here(project, 'init');
  await here(project, 'sensor tick');
}

/** The id of the newest run of a status. */
export const newestRun = async (project: Project, status: string): Promise<string> =>
  (await here(project, `runs list --status ${status} --limit 1`)).runs[0].id;
