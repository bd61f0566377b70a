/** What a view says of the past. It is asked for when the view is read: later there is more of it than the rest of the view knows. */
import type { TickRecord } from '../model/tick.ts';
import type { Needs } from './needs.ts';
import type { RunPage } from './run-query.ts';
import type { StateView } from './state-view.ts';

export type Past = Pick<StateView, 'runPage' | 'ticks'>;

/** The answers to what is needed of the past, given now. */
export function pastNow({ runPages = [], ticks = [] }: Needs, now: Past): Past {
  return pastOf(
    runPages.map((query) => [query, now.runPage(query)]),
    ticks.map((query) => [query, now.ticks(query)]),
  );
}

/** Each question with its answer. */
export function pastOf(
  runPages: readonly (readonly [query: object, page: RunPage])[],
  ticks: readonly (readonly [query: object, ticks: readonly TickRecord[]])[],
): Past {
  const pages = new Map(runPages.map(([query, page]) => [JSON.stringify(query), page]));
  const lists = new Map(ticks.map(([query, list]) => [JSON.stringify(query), list]));
  return {
    runPage: (query) => pages.get(JSON.stringify(query)) ?? undeclared(),
    ticks: (query) => lists.get(JSON.stringify(query)) ?? undeclared(),
  };
}

function undeclared(): never {
  throw new Error('what is asked of the past is not among its needs');
}
