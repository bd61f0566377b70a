/** Before a command ends runs of a killed process: what is left of their programs is ended, since nobody would know of it afterwards. */
import { LeftPrograms } from '../engine/runs/left-programs.ts';
import type { Context } from './context.ts';
import { loadProcessGroups } from './isolation/load-process-groups.ts';
import { sayProgramsLeft } from './render/process-words.ts';

export async function endLeftPrograms(context: Context): Promise<void> {
  const left = new LeftPrograms({
    store: context.project.store,
    processes: loadProcessGroups,
    emit: (event) => {
      if (event.type === 'programs-left') sayProgramsLeft(context.output, event);
    },
  });
  await left.end();
}
