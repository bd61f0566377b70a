/** What a pipeline file may import from `dynpart/sources`: each returns an `evaluate`, and loads what it needs when it is called. */
export { feed } from './feed.ts';
export type { FeedOptions } from './feed/feed-options.ts';
export type { FeedItem } from './feed/feed-item.ts';
export type { Identity } from './feed/identity.ts';
export type { Backlog, SourceOptions } from './offer.ts';
export { files } from './files.ts';
export type { FileItem, FilesOptions } from './files/files-options.ts';
export { http } from './http.ts';
export type { HttpOptions, HttpRetry, NextPage, PageResponse } from './http/http-options.ts';
export { rows } from './rows.ts';
export type { CursorValue, Rows, RowsOptions } from './rows/rows-options.ts';
export { each, type EachOptions } from './each.ts';
