/** The flags that every command has, before it or behind it. */
import type { OutputOptions } from '../output.ts';
import type { ProjectOptions } from '../project-parts.ts';
import type { DeclaredOption } from './declaration.ts';

export interface GlobalOptions extends OutputOptions, ProjectOptions {}

const option = (flags: string, description: string): DeclaredOption => ({
  flags,
  description,
  isRequired: false,
});

export const GLOBAL_OPTIONS: readonly DeclaredOption[] = [
  option('-f, --file <file>', 'the pipeline file (DYNPART_FILE; else pipeline.{ts,mts,js,mjs} here)'),
  option(
    '--state <file>',
    'the state: a file or postgres://… (DYNPART_STATE; else .dynpart/state.json beside pipeline.ts, .dynpart/NAME.json beside NAME.ts)',
  ),
  option('--json', 'one JSON document on stdout, errors too'),
  option('-q, --quiet', 'only errors'),
  option('-v, --verbose', 'what it does and why'),
  option('--no-color', 'no colours (also NO_COLOR, TERM=dumb)'),
];

/** What was said of them, by name; the rest is as if nothing had been said. */
export function globalOptions(said: Readonly<Record<string, unknown>>): GlobalOptions {
  return {
    file: said['file'] as string | undefined,
    state: said['state'] as string | undefined,
    json: said['json'] === true,
    quiet: said['quiet'] === true,
    verbose: said['verbose'] === true,
    color: said['color'] !== false,
  };
}

export const GLOBAL_NAMES = ['file', 'state', 'json', 'quiet', 'verbose', 'color'] as const;
