/** The asset processes of a command, by its pipeline and its state. Loaded where an asset asks for one. */
import path from 'node:path';
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { Isolate } from '../../engine/runs/isolated.ts';
import { processTag } from '../../files/process-owner.ts';
import type { Project } from '../project.ts';
import type { ValuesWay } from './asset-messages.ts';
import { assetProcesses } from './ready-processes.ts';
import { loadProcessGroups } from './load-process-groups.ts';

export async function isolateWith(project: Project, ownFolder: string, pipeline: Pipeline): Promise<Isolate> {
  return assetProcesses({
    script: path.join(ownFolder, 'asset-process.cjs'),
    pipeline: await project.userPipeline(),
    state: project.stateFile,
    values: wayOfValues(project, pipeline),
    parent: processTag(),
    groups: { killed: await loadProcessGroups({ killAfterMs: 0 }), asked: await loadProcessGroups() },
    ...pipeline.processes,
  });
}

function wayOfValues(project: Project, pipeline: Pipeline): ValuesWay {
  if (pipeline.ioManager !== null) return 'ofState' in pipeline.ioManager ? 'command' : 'own';
  return project.database === null ? 'files' : 'command';
}
