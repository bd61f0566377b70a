/** The page's data as the state has it now: read when something has changed, and told to whoever looks. */
import { describe } from '../../model/describe-failure.ts';
import { FailureError } from '../../model/failure.ts';
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import type { Problem } from '../../model/problem.ts';
import { describeThrown } from '../../model/thrown.ts';
import type { PageData, PageKeyDetails, PageShows } from '../../report/page-data.ts';
import { pageMark } from '../../report/page-mark.ts';
import { needsOfPage, pageTrouble, type PageAsked } from '../../report/page.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Context } from '../context.ts';
import { gatherKey, gatherPage } from '../page/gather-page.ts';
import { watchState } from './watch-state.ts';

/** Between two readings there is at least this, and so many times what a reading takes: the work is for who makes things. */
const LEAST_PAUSE_MS = 200;
const PAUSE_TIMES = 2;

const MINUTE_MS = 60_000;

export interface News {
  /** `now`: there is other data; `log`: a run that is at work wrote something. */
  readonly type: 'now' | 'log';
  /** Of the data. */
  readonly mark: string;
}

export class LivePage {
  readonly #context: Context;
  readonly #shows: PageShows;
  #tell: (news: News) => void = () => undefined;
  #data: PageData | null = null;
  /** What the state looked like when the data was read. */
  #sign: string | null = null;
  #asked: PageAsked | null = null;
  /** The code as it was when this began, and what the state remembered of it then. */
  #begun: { readonly known: KnownPipeline; readonly stamp: string | null } | null = null;
  #reading: Promise<PageData> | null = null;
  #stopWatching: (() => void) | null = null;
  #isBehind = false;
  #isCatchingUp = false;
  #isOver = false;

  constructor(context: Context, shows: PageShows) {
    this.#context = context;
    this.#shows = shows;
  }

  onNews(tell: (news: News) => void): void {
    this.#tell = tell;
  }

  /** While nobody looks, nothing is looked at. */
  set isWatched(isWatched: boolean) {
    if (isWatched === (this.#stopWatching !== null) || (isWatched && this.#isOver)) return;
    if (!isWatched) {
      this.#stopWatching?.();
      this.#stopWatching = null;
    } else
      this.#stopWatching = watchState(this.#context.project.store, {
        onChange: () => void this.#catchUp(),
        onLog: () => this.#tellOfLog(),
      });
  }

  end(): void {
    this.isWatched = false;
    this.#isOver = true;
  }

  /** @throws what keeps the state from being read, where it never could be; later the page says it */
  latest(): Promise<PageData> {
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    return this.#reading;
  }

  async key(key: { readonly set: string | null; readonly key: string | null }): Promise<PageKeyDetails> {
    if (this.#asked === null) await this.latest();
    return gatherKey(this.#context.project.store, this.#asked!, key);
  }

  async #read(): Promise<PageData> {
    try {
      const { store } = this.#context.project;
      const before = await store.read({ sets: true });
      const { known, isNewer } = await this.#known(before);
      this.#asked = { known, isWhole: true, others: before.setNames(), shows: this.#shows };
      const sign = await this.#signNow(known);
      if (this.#data !== null && sign === this.#sign) return this.#data;
      const needs = needsOfPage(this.#asked);
      const view = isNewer ? await store.read(needs) : await this.#context.project.look(needs);
      this.#data = await gatherPage(this.#context, view, this.#asked, { isLive: true });
      this.#sign = sign;
    } catch (error) {
      if (this.#data === null) throw error;
      this.#data = { ...this.#data, trouble: pageTrouble(problemOf(error)) };
      this.#sign = null;
    }
    return this.#data;
  }

  /** All that the page shows and that may change: the commits, and beside them ticks without one and runs that begin. */
  async #signNow({ assets, sensors }: KnownPipeline): Promise<string> {
    const names = sensors.map(({ name }) => name);
    const isTimed =
      assets.some(({ freshFor }) => freshFor !== undefined) ||
      sensors.some(({ newKeysEveryMs }) => newKeysEveryMs !== undefined);
    const view = await this.#context.project.store.read({ sensors: names, executors: true });
    return JSON.stringify([
      // What is to be fresh gets old by itself.
      isTimed ? Math.floor(this.#context.clock.now() / MINUTE_MS) : null,
      view.serial,
      view.pipeline?.stamp,
      names.map((name) => view.sensor(name).lastTick?.startedAt),
      view.executors().map(({ id, alive, begun }) => [id, alive, [...begun.keys()]]),
    ]);
  }

  /** As `status` knows the pipeline when this begins; later, what others commit of it: the user's code is not loaded again and again. */
  async #known(view: StateView): Promise<{ readonly known: KnownPipeline; readonly isNewer: boolean }> {
    const stamp = view.pipeline?.stamp ?? null;
    this.#begun ??= { known: await this.#context.project.known(view), stamp };
    const isNewer = view.pipeline !== null && stamp !== this.#begun.stamp;
    return { known: isNewer ? view.pipeline : this.#begun.known, isNewer };
  }

  /** One reading after the other, however many changes there are. */
  async #catchUp(): Promise<void> {
    this.#isBehind = true;
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    while (this.#isBehind && this.#stopWatching !== null) {
      this.#isBehind = false;
      const [before, began] = [this.#mark, performance.now()];
      await this.latest().catch(() => undefined);
      if (this.#mark !== before) this.#tell({ type: 'now', mark: this.#mark });
      const pause = Math.max(LEAST_PAUSE_MS, PAUSE_TIMES * (performance.now() - began));
      await new Promise((resolve) => setTimeout(resolve, pause).unref());
    }
    this.#isCatchingUp = false;
  }

  get #mark(): string {
    return this.#data === null ? '' : pageMark(this.#data);
  }

  #tellOfLog(): void {
    if (this.#data?.runs.some(({ status }) => status === 'STARTED'))
      this.#tell({ type: 'log', mark: this.#mark });
  }
}

/** In words, whatever it is. */
export function problemOf(error: unknown): Problem {
  if (error instanceof FailureError) return describe(error.failure);
  return { code: 'state-io', message: describeThrown(error).message, hint: 'dynpart state check' };
}
