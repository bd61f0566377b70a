/** What the planners are asked with: the pipeline, the time, and the periods that it lies in. */
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import type { Asked } from '../../engine/plan/why/needs-of-outlook.ts';
import { periodsOf } from '../../engine/sensors/run-automation.ts';
import type { Context } from '../context.ts';

export async function askedAbout({ project, clock }: Context, asset: AssetDefinition): Promise<Asked> {
  const pipeline = await project.pipeline();
  const now = clock.now();
  return { pipeline, asset, now, periods: await periodsOf(pipeline, now) };
}
