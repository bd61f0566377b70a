/** The process groups of this machine. Loaded on use: most user code starts no program. */
import type { Processes } from '../../engine/user-code/programs.ts';

export async function loadProcessGroups(): Promise<Processes> {
  const { processGroups } = await import('./process-groups.ts');
  return processGroups();
}
