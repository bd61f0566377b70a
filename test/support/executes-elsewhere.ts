/**
 * A process that executes one run for another process, which commits: the task comes in as a message, what becomes of it goes out
 * as one. `pipeline` is all that the two have in common.
 */
import type { RunTask } from '../../src/engine/plan/executors/owned-run.ts';
import { asset, type AnyAsset } from '../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../src/definitions/partitions.ts';
import { definePipeline } from '../../src/definitions/pipeline.ts';
import { executeHere, type RunEnding, type MadeAsset } from '../../src/engine/runs/execute-run.ts';
import { NOTHING_CARRIED } from '../../src/model/carried.ts';
import { Programs } from '../../src/engine/user-code/programs.ts';
import { loadProcessGroups } from '../../src/cli/isolation/load-process-groups.ts';
import { FileValues } from '../../src/values/file-values.ts';
import { FakeClock } from './fake-clock.ts';

export interface TaskMessage {
  readonly task: RunTask;
  readonly folder: string;
}

export type ElsewhereMessage =
  { readonly type: 'made'; readonly made: MadeAsset } | { readonly type: 'over'; readonly ending: RunEnding };

const letters = dynamicPartitions('letters');

const audio: AnyAsset = asset({
  name: 'audio',
  partitions: letters,
  materialize: ({ partitionKey }) => `audio of ${partitionKey}, by ${process.pid}`,
});

const transcript = asset({
  name: 'transcript',
  partitions: letters,
  inputs: { audio },
  materialize: ({ partitionKey, inputs }) => {
    if (partitionKey === 'bad') throw new Error('nothing to be heard');
    return new TextEncoder().encode(`words of ${String(inputs.audio)}`);
  },
});

export const pipeline = definePipeline({ assets: [audio, transcript] });

function send(message: ElsewhereMessage, sent: () => void = () => undefined): void {
  process.send!(message, sent);
}

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  process.once('message', ({ task, folder }: TaskMessage) => {
    const executeRun = executeHere({
      pipeline,
      ioManager: new FileValues(folder),
      clock: new FakeClock(),
      emit: () => undefined,
      statusOf: () => 'materialized',
      beginsWith: () => NOTHING_CARRIED,
      gather: () => Promise.resolve([]),
      appendLog: () => undefined,
      closeLog: () => undefined,
      begun: () => undefined,
      made: (_, made) => send({ type: 'made', made }),
      programsOf: () => new Programs({ processes: loadProcessGroups }),
    });
    // Killed as soon as all is said: nothing of this process is left but the values.
    void executeRun(task, new AbortController().signal).then((ending) =>
      send({ type: 'over', ending }, () => process.kill(process.pid, 'SIGKILL')),
    );
  });
}
