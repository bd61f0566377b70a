/** One item as a feed of any kind has it, before anybody decides by what it is known again. */
export interface RawItem {
  readonly id: string | null;
  readonly title: string | null;
  /** As it is written, also where it is relative. */
  readonly link: string | null;
  /** Against what relative addresses are meant, where the feed says so itself. */
  readonly base: string | null;
  readonly published: string | null;
  readonly updated: string | null;
  readonly author: string | null;
  /** HTML. */
  readonly summary: string | null;
  /** HTML. */
  readonly content: string | null;
  readonly enclosure: {
    readonly url: string;
    readonly type: string | null;
    readonly bytes: string | null;
  } | null;
  readonly duration: string | null;
  readonly season: string | null;
  readonly episode: string | null;
  readonly image: string | null;
}

export interface RawFeed {
  readonly items: readonly RawItem[];
  /** Why not all of it may be there; `null` when it came to its end. */
  readonly cutOff: string | null;
}

/** What is no feed, in words that say what it is instead. */
export class NoFeed extends Error {}
