/** What to do about a key, as commands: the same on a terminal and on the page. */
import { shellFlag } from '../model/shell-words.ts';
import type { ShownState } from '../model/partition-status.ts';

export interface KeyStanding {
  readonly asset: string;
  readonly state: ShownState;
  /** The last run that was to make it. */
  readonly run: string | null;
}

export interface KeyCommand {
  readonly what: string;
  readonly command: string;
}

/** @param key `null`: the assets have no set */
export function keyCommands(key: string | null, assets: readonly KeyStanding[]): KeyCommand[] {
  const of = (state: ShownState): string =>
    assets
      .filter((one) => one.state === state)
      .map(({ asset }) => asset)
      .join(' ');
  const typed = typedKey(key);
  const [failed, missing, backlog, stale] = [of('failed'), of('missing'), of('backlog'), of('stale')];
  const run = assets.find(({ state }) => state === 'failed')?.run ?? null;
  return [
    ...commandIf(failed, 'try again', `dynpart materialize ${failed}${typed}`),
    ...commandIf(failed && run, 'what it printed', `dynpart runs logs ${run}`),
    ...commandIf(missing, 'make what is missing', `dynpart materialize ${missing}${typed}`),
    ...commandIf(backlog, 'make what is of the backlog', `dynpart materialize ${backlog}${typed}`),
    ...commandIf(stale, 'make what is stale', `dynpart materialize ${stale}${typed}`),
  ];
}

/** As flags of a command, with a blank in front; nothing for assets without a set. */
export function typedKey(key: string | null): string {
  return key === null ? '' : ` ${shellFlag('--key', key)}`;
}

function commandIf(holds: string | null, what: string, command: string): KeyCommand[] {
  return holds ? [{ what, command }] : [];
}
