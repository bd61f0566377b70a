/** What operators do by hand, in the state and in the model. */
import { addKeys, removeKeys, syncKeys } from '../../src/engine/plan/keys/add-remove-sync.ts';
import { CANCELED_BY_HAND } from '../../src/model/failures/run.ts';
import { cancelRuns } from '../../src/engine/plan/ends/cancel-runs.ts';
import { parseSensorResult } from '../../src/engine/plan/sensor-result/parse-sensor-result.ts';
import { planTick } from '../../src/engine/plan/tick/plan-tick.ts';
import { isoTime } from '../../src/model/time.ts';
import type { StateChange } from '../../src/state/changes.ts';
import type { StateView } from '../../src/state/state-view.ts';
import type { Plan } from '../../src/state/store.ts';
import { namedByRules, planRetention } from '../../src/engine/plan/automate/plan-retention.ts';
import { PendingWork } from '../../src/engine/plan/queue/pending-work.ts';
import { ASSETS, KEEPS } from './history-model.ts';
import { same, sameTick } from './history-same.ts';
import { resultOf } from './history-asked.ts';
import { givenByHand, type Operator } from './history-steps.ts';
import type { HistoryWorld } from './history-world.ts';
export interface Operation {
  readonly changes: readonly StateChange[];
  /** Says the same to the model. */
  readonly apply: () => void;
}

/** What an operator's change comes to, in the state and in the model. */
export function operate(world: HistoryWorld, operator: Operator, view: StateView, group: string): Operation {
  const { model } = world;
  const now = world.clock.now();
  const planned = <T>({ changes, outcome }: Plan<T>, expected: () => T): Operation => ({
    changes,
    apply: () => same(outcome, expected(), `what ${operator.do} says`),
  });
  switch (operator.do) {
    case 'add':
      return planned(
        addKeys(view, operator.set, operator.keys, {
          now,
          given: new Map(operator.keys.map((key) => [key, givenByHand(key, operator.version)])),
        }),
        () => model.addKeys(operator.set, operator.keys, now, (key) => givenByHand(key, operator.version)),
      );
    case 'mark': {
      const { asset, as } = operator;
      const { set } = ASSETS.find(({ name }) => name === asset)!;
      const keys = set === null ? [null] : [...view.present(set, operator.keys)];
      return {
        changes: keys.length === 0 ? [] : [{ type: 'keys-marked', asset, set, keys, as, at: isoTime(now) }],
        apply: () => {
          model.mark(asset, keys, as);
          // It was made elsewhere.
          if (as === 'materialized') for (const key of keys) world.values.set(`${asset}@${key}`, 'by hand');
        },
      };
    }
    case 'remove':
      return planned(removeKeys(view, operator.set, operator.keys, { keepOut: operator.keepOut, now }), () =>
        model.removeKeys(operator.set, operator.keys, { keepOut: operator.keepOut, now }),
      );
    case 'retain': {
      const { pipeline } = world.operator;
      const { changes, partitions, failures } = planRetention(view, pipeline, {
        named: namedByRules(view, pipeline, now),
        now,
        pending: new PendingWork(view),
        queued: [],
      });
      return {
        changes,
        apply: () => {
          const expected = Object.keys(KEEPS).flatMap((set) => {
            const keys = model.retained(set);
            const isTooMany = keys.length > model.sets.get(set)!.length / 2;
            if (!isTooMany) model.removeKeys(set, keys, { keepOut: true, now });
            if (!isTooMany && keys.length > 0) world.count('taken out by a rule');
            return keys.length === 0 ? [] : [[set, isTooMany ? [] : keys]];
          });
          const seen = [
            ...partitions.map(({ set, removed }) => [set, removed]),
            ...failures.map(({ name }) => [name, []]),
          ];
          same(seen, expected, 'what the rules take out');
        },
      };
    }
    case 'sync':
      return planned(syncKeys(view, operator.set, operator.keys, now), () =>
        model.syncKeys(operator.set, operator.keys, now),
      );
    case 'cursor': {
      const { sensor, cursor } = operator;
      return {
        changes: [{ type: 'sensor-changed', sensor, cursor }],
        apply: () => model.setCursor(sensor, cursor),
      };
    }
    case 'status': {
      const { sensor, status } = operator;
      return {
        changes: view.sensor(sensor).status === status ? [] : [{ type: 'sensor-changed', sensor, status }],
        apply: () => model.setStatus(sensor, status),
      };
    }
    case 'cancel': {
      const ids = picked(world, operator.pick);
      const { changes, runs } = cancelRuns(view, (_, run) => ids.includes(run.id), {
        why: CANCELED_BY_HAND,
        now,
      });
      return {
        changes,
        apply: () => {
          same(
            runs.map(({ id }) => id),
            ids,
            'which runs are canceled',
          );
          model.cancel(ids, now);
        },
      };
    }
    case 'release': {
      const ids = picked(world, operator.pick).filter((id) => view.run(id)!.runs.owner !== null);
      return {
        changes: ids.length === 0 ? [] : [{ type: 'runs-released', ids }],
        apply: () => model.release(ids),
      };
    }
    case 'tick-elsewhere': {
      const { sensor, result } = operator;
      const definition = world.operator.pipeline.sensors.get(sensor)!;
      const parsed = parseSensorResult(resultOf(result), definition, world.operator.pipeline);
      if ('problems' in parsed) throw new Error(parsed.problems.join('; '));
      const expected = model.tick(sensor, result, { group, owner: null, now });
      const { changes, tick } = planTick(view, definition, parsed.result, {
        moment: { startedAt: now, now, group },
        owner: null,
      });
      return {
        changes,
        apply: () => {
          sameTick(tick, expected);
          expected?.apply();
          if (changes.length > 0) world.tickKnown(tick);
        },
      };
    }
  }
}

function picked({ model }: HistoryWorld, pick: number): string[] {
  const ids = model.pending.map(({ id }) => id).sort();
  return ids.length === 0 ? [] : [ids[pick % ids.length]!];
}
