/** What processes do in a history: ticks, and runs that are asked for by name. */
import {
  type MaterializePlan,
  needsOfMaterialize,
  planMaterialize,
} from '../../src/engine/plan/materialize/plan-materialize.ts';
import { needsOfRetry, planRetry } from '../../src/engine/plan/retry/plan-retry.ts';
import { evaluateHere } from '../../src/engine/sensors/evaluate-sensor.ts';
import { runTick } from '../../src/engine/sensors/run-tick.ts';
import { FailureError } from '../../src/model/failure.ts';
import type { TickRecord } from '../../src/model/tick.ts';
import { newId } from '../../src/model/time.ts';
import { strictly } from '../../src/state/memory/strict-view.ts';
import type { StateView } from '../../src/state/state-view.ts';
import type { HistoryModel, TickRequest } from './history-model.ts';
import { CONCURRENCY, noPrograms } from './history-process.ts';
import { same, sameTick } from './history-same.ts';
import { resultOf, selectionOf } from './history-asked.ts';
import type { Step } from './history-steps.ts';
import type { HistoryWorld } from './history-world.ts';
export function tick(
  world: HistoryWorld,
  { slot, sensor, result, runs, pauses }: Step & { do: 'tick' },
): void {
  const process = world.process(slot);
  const definition = process.pipeline.sensors.get(sensor)!;
  process.result = result === 'throws' ? result : resultOf(result);
  process.pauses = pauses;
  const holder = world.evaluators.get(sensor);
  let versionThen: number | null = null;
  /** What the model says of the commit; `undefined` when it came to none. */
  let expected: ReturnType<HistoryModel['tick']> | 'BUSY' | undefined;
  const store = process.storeFor(
    (plan) => (view) => {
      const planned = plan(view);
      if (world.model.sensors.get(sensor)!.version !== versionThen) expected = 'BUSY';
      else {
        const queued = planned.changes.find((change) => change.type === 'runs-queued');
        const group = queued?.runs.group ?? '';
        const owner = runs ? process.executor : null;
        const now = world.clock.now();
        expected = world.model.tick(sensor, result as TickRequest, { group, owner, now });
      }
      world.effect = () => {
        if (expected === 'BUSY') return;
        expected?.apply();
        if (planned.changes.some(({ type }) => type === 'sensor-changed'))
          world.tickKnown(planned.outcome as TickRecord);
      };
      return planned;
    },
    () => (versionThen ??= world.model.sensors.get(sensor)!.version),
  );
  const ticking = runTick(definition, {
    store,
    pipeline: process.pipeline,
    known: process.known,
    evaluate: evaluateHere(process.pipeline, process.clock, noPrograms),
    processes: noPrograms,
    clock: process.clock,
    emit: process.emit,
    interrupt: process.interrupt.signal,
    concurrency: CONCURRENCY,
    executor: runs ? process.session.executor : null,
    values: null,
    ifBusy: 'skip',
    waitTimeoutMs: 0,
  });
  const ended = async (): Promise<void> => {
    const { tick, owned } = await ticking;
    world.count(`tick ${tick.status}`);
    if (holder !== undefined || expected === 'BUSY') same(tick.status, 'BUSY', 'the tick');
    else if (expected === undefined) same(tick.status, 'FAILURE', 'the tick');
    else sameTick(tick, expected);
    const ids = tick.runs.map(({ id }) => id);
    same(
      owned.map(({ id }) => id),
      runs ? ids : [],
      'what the tick owns',
    );
    await process.session.adopt(owned);
    process.execute();
  };
  void world.watch(ended());
}

export async function materialize(
  world: HistoryWorld,
  { slot, choice, runs }: Step & { do: 'materialize' },
): Promise<void> {
  const process = world.process(slot);
  const { pipeline, session } = process;
  const moment = { now: world.clock.now(), group: newId(process.clock) };
  const needs = needsOfMaterialize(pipeline, selectionOf(choice));
  const planned = (view: StateView, owner: string | null): MaterializePlan => {
    const expected = world.model.materialize(choice, { ...moment, owner });
    const plan = refused(() => planMaterialize(view, pipeline, selectionOf(choice), { moment, owner }));
    world.watching(() => {
      const seen = plan && {
        queued: plan.queued
          .flatMap(({ assets, keys }) => keys.map((key) => `${assets.join('+')}@${key} null`))
          .sort(),
        takenOver: [...plan.takenOver].sort(),
        waitedFor: [...plan.waitedFor].sort(),
        leftOut: plan.leftOut,
        waiting: plan.waiting.map(({ asset, partitionKey }) => `${asset}@${partitionKey}`).sort(),
      };
      same(seen, expected && { ...expected, apply: undefined }, 'what is materialized');
    });
    world.effect = expected && expected.apply;
    return plan ?? { changes: [], queued: [], takenOver: new Set(), waitedFor: [], leftOut: 0, waiting: [] };
  };
  if (!runs) {
    await world.commit(
      process.hand,
      (view) => ({ changes: planned(strictly(view, needs), null).changes, outcome: undefined }),
      null,
    );
    return;
  }
  const committing = session.commit(moment.group, needs, (view, owner) => {
    const { changes, queued, takenOver } = planned(view, owner);
    const count = queued.reduce((sum, { keys }) => sum + keys.length, 0);
    return { changes, outcome: undefined, queued: count, takenOver };
  });
  void world.watch(committing.then(() => process.execute()));
}

export async function retry(world: HistoryWorld, { slot, pick }: Step & { do: 'retry' }): Promise<void> {
  const process = world.process(slot);
  const records = await world.records();
  const ids = [...world.model.finished.keys()].sort();
  if (ids.length === 0) return;
  const record = records.get(ids[pick % ids.length]!)!;
  const moment = { now: world.clock.now(), group: newId(process.clock) };
  const committing = process.session.commit(
    moment.group,
    needsOfRetry(process.pipeline, [record]),
    (view, owner) => {
      // What found nothing to make has come to its end as well.
      const assets = record.assets.map(
        ({ asset, status, skipReason }) => [asset, skipReason === null ? status : 'SUCCESS'] as const,
      );
      const expected = world.model.retry({ ...record, assets }, { group: moment.group, owner });
      const queued = refused(() => planRetry(view, process.pipeline, [record], moment));
      world.watching(() => same(queued === null, expected === null, 'whether the retry is refused'));
      world.effect = expected && expected.apply;
      return {
        changes: (queued ?? []).map((runs) => ({ type: 'runs-queued' as const, runs, owner })),
        outcome: undefined,
        queued: queued?.length ?? 0,
        takenOver: new Set<string>(),
      };
    },
  );
  void world.watch(committing.then(() => process.execute()));
}

/** What a planner answers; `null` where it refuses. */
function refused<T>(plan: () => T): T | null {
  try {
    return plan();
  } catch (error) {
    if (error instanceof FailureError) return null;
    throw error;
  }
}
