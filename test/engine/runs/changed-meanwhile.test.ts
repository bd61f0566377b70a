/** A run that was at work while something changed ends stale, with that reason, also when everything is as it was again. */
import { expect, it } from 'vitest';
import { EVERYTHING } from '../../../src/state/needs.ts';
import { asset, definePipeline, dynamicPartitions, type Pipeline } from '../../../src/index.ts';
import type { StateChange } from '../../../src/state/changes.ts';
import { AT, keysAdded, knownOf, queuedRuns } from '../../support/builders.ts';
import { EngineRig, Gate } from '../../support/engine-rig.ts';

const letters = dynamicPartitions('letters');

/** What a → b comes to for one key when these changes are committed while a is at work. */
async function statusesAfter(
  changes: (pipelineWith: (codeVersion: string) => StateChange) => readonly StateChange[],
): Promise<readonly string[]> {
  const atWork = new Gate();
  const goesOn = new Gate();
  let times = 0;
  const pipelineOf = (codeVersion: string): Pipeline => {
    const a = asset({
      name: 'a',
      partitions: letters,
      codeVersion,
      materialize: async () => {
        if (++times === 1) return;
        atWork.open();
        await goesOn.pass();
      },
    });
    const b = asset({ name: 'b', partitions: letters, inputs: { a }, materialize: ({ inputs }) => inputs.a });
    return definePipeline({ assets: [a, b] });
  };
  const rig = new EngineRig(pipelineOf('A'));
  const pipelineKnown = (codeVersion: string): StateChange => ({
    type: 'pipeline-known',
    at: AT,
    pipeline: knownOf(pipelineOf(codeVersion)),
  });
  const execute = async (group: string): Promise<void> => {
    const session = rig.session();
    const runs = queuedRuns({ group, keys: ['x'], assets: ['a', 'b'] });
    await session.commit(group, EVERYTHING, (_, owner) => ({
      changes: [{ type: 'runs-queued', runs, owner }],
      outcome: undefined,
      queued: 1,
      takenOver: new Set<string>(),
    }));
    await session.execute();
    await session.leave();
  };
  await rig.commit(pipelineKnown('A'), keysAdded('letters', ['x']));
  await rig.commit(version('1'));
  await execute('g');
  const executed = execute('h');
  await atWork.pass();
  for (const change of changes(pipelineKnown)) await rig.commit(change);
  goesOn.open();
  await executed;
  const view = await rig.store.read(EVERYTHING);
  return ['a', 'b'].map((name) => view.statusOf(name, 'letters', ['x'])[0]!);
}

const version = (to: string): StateChange => ({
  type: 'keys-updated',
  set: 'letters',
  keys: ['x'],
  carried: [{ version: to, item: null }],
});

it.each([
  ['nothing', () => [], ['materialized', 'materialized']],
  ['another version', () => [version('2')], ['stale-version', 'stale-version']],
  ['another version and back', () => [version('2'), version('1')], ['stale-version', 'stale-version']],
] as const)('after %s', async (_, changes, expected) => {
  expect(await statusesAfter(changes)).toEqual(expected);
});

it('after other code and back', async () => {
  expect(await statusesAfter((known) => [known('B'), known('A')])).toEqual(['stale-code', 'stale-upstream']);
});
