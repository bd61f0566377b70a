/** A state with the dead among its executors. As with real ones, their death changes no byte and no serial of it. */
import type { ExecutorView, StateView } from '../../src/state/state-view.ts';

export function mortalView(view: StateView, dead: ReadonlySet<string>): StateView {
  const judged = (executor: ExecutorView): ExecutorView => {
    if (!dead.has(executor.id)) return executor;
    const interrupted = new Set(executor.begun.keys());
    return { ...executor, alive: false, blockedSince: null, atWork: null, interrupted };
  };
  let executors: ExecutorView[] | undefined;
  return { ...view, executors: () => (executors ??= view.executors().map(judged)) };
}
