/** The process groups of this machine. Loaded on use: most user code starts no program. */
import type { Processes } from '../../engine/user-code/programs.ts';
import type * as Groups from './process-groups.ts';

let loaded: Promise<typeof Groups> | undefined;

export async function loadProcessGroups(options: Groups.GroupOptions = {}): Promise<Processes> {
  loaded ??= import('./process-groups.ts');
  return (await loaded).processGroups(options);
}

/** Ends what user code has left of its programs, and waits until it is gone: this process kills at its own end what is still there. */
export async function endPrograms(): Promise<void> {
  await (await loaded)?.endAllGroups();
}
