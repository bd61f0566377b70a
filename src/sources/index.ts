/** What a pipeline file may import from `dynpart/sources`: each returns an `evaluate`, and loads what it needs when it is called. */
export { feed, type FeedOptions } from './feed.ts';
export type { FeedItem } from './feed/feed-item.ts';
export type { Identity } from './feed/identity.ts';
export type { Backlog, SourceOptions } from './offer.ts';
export { files, type FileItem, type FilesOptions } from './files.ts';
export { http, type HttpOptions, type HttpRetry, type NextPage, type PageResponse } from './http.ts';
export { rows, type CursorValue, type Rows, type RowsOptions } from './rows.ts';
export { each, type EachOptions } from './each.ts';
