/** The asset that is asked about: by the planners of the pipeline, or, where its file cannot be loaded, by what the state remembers. */
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import { needsOfAutomation, ticksUntil } from '../../engine/plan/automate/plan-automation.ts';
import { type Asked, needsOfOutlook } from '../../engine/plan/why/needs-of-outlook.ts';
import { Outlooks } from '../../engine/plan/why/outlook.ts';
import { needsOfRemembered, RememberedOutlooks } from '../../engine/plan/why/remembered.ts';
import { periodsOf } from '../../engine/sensors/run-automation.ts';
import { describe } from '../../model/describe-failure.ts';
import { FailureError } from '../../model/failure.ts';
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/state-view.ts';
import { checkName } from '../check-names.ts';
import type { Context } from '../context.ts';

export interface Subject {
  readonly asset: Pick<AssetDefinition, 'name' | 'set' | 'automate' | 'upstream'> & {
    readonly gathers: readonly unknown[];
  };
  /** Of one key, or of every key of the set. */
  readonly needsOf: (key: string | null | undefined) => Needs;
  readonly look: (needs: Needs) => Promise<StateView>;
  readonly outlooks: (view: StateView) => Pick<Outlooks, 'of' | 'ofAll'>;
  /** Of what is due: with which tick from now on it is made. */
  readonly ticksUntil: (key: string | null) => Promise<number>;
  /** How many runs a tick queues. */
  readonly perTick: number;
}

export async function askedAbout(context: Context, name: string): Promise<Subject> {
  const { project, clock } = context;
  const now = clock.now();
  try {
    const pipeline = await project.pipeline();
    checkName('asset', name, pipeline.assets.keys());
    const asset = pipeline.assets.get(name)!;
    const asked: Asked = { pipeline, asset, now, periods: await periodsOf(pipeline, now) };
    return {
      asset,
      needsOf: (key) => needsOfOutlook(asked, key),
      look: (needs) => project.look(needs),
      outlooks: (view) => new Outlooks(view, asked),
      ticksUntil: async (key) => {
        const view = await project.look(needsOfAutomation(pipeline, now));
        return ticksUntil(view, pipeline, { ...asked, key: { asset: name, set: asset.set, key } });
      },
      perTick: pipeline.automation.perTick,
    };
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return remembered(context, name, error);
  }
}

/** @throws the failure where the state does not know the asset either, or where the name was the mistake */
async function remembered(
  { project, output, clock }: Context,
  name: string,
  error: FailureError,
): Promise<Subject> {
  const { pipeline } = await project.store.read({});
  const known = pipeline?.assets.find((asset) => asset.name === name);
  if (known === undefined || error.failure.reason === 'unknown-name') throw error;
  const [first] = describe(error.failure).message.split('\n');
  output.warn(`${first}; told by what the state remembers: dynpart check`);
  const now = clock.now();
  return {
    asset: {
      name,
      set: known.set,
      automate: null,
      upstream: [...known.inputs, ...known.deps],
      gathers: known.gathers ?? [],
    },
    needsOf: (key) => needsOfRemembered(known, key, now),
    look: (needs) => project.store.read(needs),
    outlooks: (view) => new RememberedOutlooks(view, known, now),
    ticksUntil: () => Promise.resolve(1),
    perTick: Infinity,
  };
}
