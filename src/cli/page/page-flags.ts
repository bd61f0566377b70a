/** What may be left out of the page, as flags of the commands that make it. */
import type { PageShows } from '../../report/page-data.ts';
import type { Declaration } from '../command-line/declaration.ts';

export interface ShowFlags {
  readonly items?: boolean;
  readonly metadata?: boolean;
  readonly logs?: boolean;
}

export function onThePage(command: Declaration): Declaration {
  return command
    .option('--no-items', 'leave versions and items of keys out of the page')
    .option('--no-metadata', 'leave metadata of what was made out of the page')
    .option('--no-logs', 'leave what runs wrote out of the page');
}

export function showsOf({ items = true, metadata = true, logs = true }: ShowFlags): PageShows {
  return { items, metadata, logs };
}
