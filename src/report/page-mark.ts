/** Tells one state of the page from another: the server says it, and the page knows whether it has that one. */
import type { PageData } from './page-data.ts';

export function pageMark({ at, trouble }: Pick<PageData, 'at' | 'trouble'>): string {
  return trouble === null ? at : `${at} trouble`;
}
