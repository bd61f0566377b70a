/** What is remembered of a pipeline, so that commands that need only names start without the user's code. */
import type { Gathered } from '../definitions/gathered.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import type { KnownGathered, KnownPipeline } from '../model/known-pipeline.ts';

export function knownOf(pipeline: Pipeline, file: string, stamp: string): KnownPipeline {
  return {
    file,
    stamp,
    sets: pipeline.sets,
    concurrency: pipeline.concurrency,
    assets: [...pipeline.assets.values()].map(
      ({ name, set, inputs, deps, gathers, codeVersion, automate, later, freshFor }) => ({
        name,
        set,
        inputs: [...inputs.values()],
        deps: [...deps],
        ...(gathers.length > 0 && { gathers: gathers.map(knownGathered) }),
        ...(codeVersion !== null && { codeVersion }),
        ...(automate !== null && { automate: automate.when }),
        ...(later !== null && { later }),
        ...(freshFor !== null && { freshFor }),
        ...(automate?.takesBacklog && { takesBacklog: true as const }),
      }),
    ),
    sensors: [...pipeline.sensors.values()].map(
      ({ name, minimumIntervalSeconds, cron, timeoutSeconds, defaultStatus, newKeysEveryMs, cursor }) => ({
        name,
        minimumIntervalSeconds,
        ...(cron !== null && { cron }),
        timeoutSeconds,
        defaultStatus,
        ...(newKeysEveryMs !== null && { newKeysEveryMs }),
        ...(cursor !== null && { typedCursor: true as const }),
      }),
    ),
  };
}

function knownGathered({ asset, which }: Gathered): KnownGathered {
  if (which.kind === 'mapped') return { asset, mapped: true };
  return which.kind === 'last' ? { asset, last: which.count } : { asset };
}
