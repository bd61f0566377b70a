/** What is said of a feed in a pipeline file. */
import type { SourceOptions } from '../offer.ts';
import type { Identity } from './identity.ts';

/** The options of `feed()`. */
export interface FeedOptions extends SourceOptions {
  /** By what an item is known again. Default `'guid'`: its own id, else its link, else its enclosure, else its title. */
  readonly identity?: Identity;
  /** Bytes of the feed, decompressed. Default 32 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds for the whole answer. Default 30,000. */
  readonly timeoutMs?: number;
  /** Sent with the request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
}
