/** The user's functions, as long as the process lives that calls them. */
import type { Pipeline } from '../definitions/pipeline.ts';
import type { RunValues } from '../definitions/staged-values.ts';
import type { Life } from './life.ts';

export function mortalPipeline(pipeline: Pipeline, life: Life): Pipeline {
  const assets = [...pipeline.assets].map(([name, asset]) => {
    const materialize: typeof asset.materialize = (context) =>
      life.userCode(() => asset.materialize(context));
    return [name, { ...asset, materialize }] as const;
  });
  const sensors = [...pipeline.sensors].map(([name, sensor]) => {
    const evaluate: typeof sensor.evaluate = (context) => life.userCode(() => sensor.evaluate(context));
    return [name, { ...sensor, evaluate }] as const;
  });
  const notify = pipeline.notify.map((hook) => ({
    ...hook,
    send: (message: Parameters<typeof hook.send>[0]) => life.userCode(() => hook.send(message)),
  }));
  return { ...pipeline, assets: new Map(assets), sensors: new Map(sensors), notify };
}

/** @param isUsers whether the user's own I/O manager keeps them: a kill waits until that has done what it is at */
export function mortalValues(values: RunValues, life: Life, isUsers: boolean): RunValues {
  const call = <T>(work: () => T | Promise<T>): Promise<T> =>
    isUsers ? life.userCode(work) : life.orTold(work);
  return {
    save: (context, value) => call(() => values.save(context, value)),
    load: (context) => call(() => values.load(context)),
    remove: (context) => call(() => values.remove(context)),
    ...(values.exists && { exists: (context) => call(() => values.exists!(context)) }),
    ...(values.recover && { recover: () => life.goOn(() => values.recover!()) }),
    ...(values.begins && { begins: (run, serial) => values.begins!(run, serial) }),
    ...(values.skip && { skip: (run, context) => values.skip!(run, context) }),
    ...(values.staged && { staged: (run) => values.staged!(run) }),
    ...(values.adopt && { adopt: (staged) => values.adopt!(staged) }),
    ...(values.flush && { flush: () => life.goOn(() => values.flush!()) }),
    ...(values.settle && {
      settle: (runs) => {
        if (!life.isOver) values.settle!(runs);
      },
    }),
  };
}
