/** What another pipeline than the one that is remembered does to what is on record. */
import { mapEntries, mappingOf, withSensor, withStatuses } from './change-entries.ts';
import { entryOf, type StateDocument } from './state-document.ts';
import { assetsToAsk, hasUnasked, withoutUnasked } from './unasked.ts';
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import type { StateChange } from '../changes.ts';

type PipelineKnown = Extract<StateChange, { readonly type: 'pipeline-known' }>;

/** What changed while the functions of the pipeline were not at hand makes stale what they say, now that they are. */
export function askUnasked(document: StateDocument): StateDocument {
  const { pipeline } = document;
  if (pipeline === null || !hasUnasked(pipeline)) return document;
  const asked = { ...document, pipeline: withoutUnasked(pipeline) };
  return withStatuses(asked, (statuses) => {
    for (const one of assetsToAsk(pipeline, pipeline, mappingOf(document))) statuses.ask(one);
  });
}

/** Nothing that was made knows of a pipeline's functions, but of its assets' code, and of what is to be made by itself. */
export function rememberPipeline(document: StateDocument, pipeline: KnownPipeline): StateDocument {
  const before = new Map(document.pipeline?.assets.map((asset) => [asset.name, asset]));
  const codes = new Map<string, string>();
  const changed = withStatuses({ ...document, pipeline }, (statuses) => {
    for (const one of assetsToAsk(document.pipeline, pipeline, mappingOf(document))) statuses.ask(one);
    for (const { name, set, codeVersion, automate, takesBacklog } of pipeline.assets) {
      const entry = entryOf(document.assets, name);
      if (codeVersion !== undefined && entry !== undefined && entry.codeVersion !== codeVersion) {
        codes.set(name, codeVersion);
        if (entry.codeVersion !== undefined) statuses.changeCode(name, set);
      }
      const was = before.get(name);
      // What has no keys was never in a set before.
      const isOwed = automate === undefined || takesBacklog === true || set === null;
      if (isOwed) statuses.setBacklog(name, set, false);
      else if (was?.automate === undefined || was.set !== set) statuses.setBacklog(name, set, true);
    }
  });
  return {
    ...changed,
    assets: mapEntries(changed.assets, (entry, name) => {
      const codeVersion = codes.get(name);
      return codeVersion === undefined ? entry : { ...entry, codeVersion };
    }),
  };
}

/** Of sensors that have brought nothing before new keys were expected of them. */
export function expectKeys(document: StateDocument, { pipeline, at }: PipelineKnown): StateDocument {
  return pipeline.sensors.reduce(
    (before, { name, newKeysEveryMs }) =>
      newKeysEveryMs === undefined || entryOf(before.sensors, name)?.quietSince !== undefined
        ? before
        : withSensor(before, name, (sensor) => ({ ...sensor, quietSince: at })),
    document,
  );
}
