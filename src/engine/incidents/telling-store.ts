/** A state store for a pipeline that tells of what goes wrong: what a commit or a tick comes to is in the state with it. */
import { isoTime, type Clock } from '../../model/time.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { StateChange } from '../../state/changes.ts';
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Afterwards, Plan, StateStore } from '../../state/store.ts';
import { afterTick, withIncidents } from '../plan/incidents/open-incidents.ts';

/** What may begin or end an incident, or show that one has ended. */
const TELLING: ReadonlySet<StateChange['type']> = new Set([
  'runs-finished',
  'sensor-changed',
  'keys-removed',
  'keys-marked',
  'incidents',
]);

/**
 * Whoever commits commits what there is to be told of it, whichever of the planners it was: nobody can forget it, and no kill
 * comes in between.
 * @param onNews is called when something may have to be told
 */
export function tellingStore(store: StateStore, clock: Clock, onNews: () => void): StateStore {
  const own: Pick<StateStore, 'commit' | 'recordTick'> = {
    async commit<Outcome>(
      needs: Needs,
      plan: (view: StateView) => Plan<Outcome>,
      afterwards?: Afterwards<Outcome>,
    ): Promise<Outcome> {
      const at = isoTime(clock.now());
      let isNews = false;
      const telling = (view: StateView): Plan<Outcome> => {
        const planned = plan(view);
        isNews = planned.changes.some(({ type }) => TELLING.has(type));
        return isNews ? { ...planned, changes: withIncidents(view, planned.changes, at) } : planned;
      };
      const outcome = await store.commit(needs, telling, afterwards);
      if (isNews) onNews();
      return outcome;
    },

    /** A tick that changes nothing has no commit of its own; one that fails or is well again has something to be told. */
    async recordTick(tick: TickRecord): Promise<void> {
      const at = isoTime(clock.now());
      const changes = ({ incidents: before }: StateView): readonly StateChange[] => {
        const after = afterTick(before, tick, at);
        return after === before ? [] : [{ type: 'incidents', incidents: after }];
      };
      if (changes(await store.read({})).length > 0)
        await store.commit({}, (view) => ({ changes: changes(view), outcome: undefined }));
      await store.recordTick(tick);
      onNews();
    },
  };
  // Whatever else a store can do is done by the store itself.
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name as keyof typeof own];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
