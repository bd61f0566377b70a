/** The states that a key can be in, worst first: their letters in the data, and how they are shown. */
import type { ShownState } from '../model/partition-status.ts';

export interface StateSign {
  readonly state: ShownState;
  readonly letter: string;
  /** Told apart without colours, too. */
  readonly sign: string;
  /** The class of what shows it; its colours are `--kind` and `--kind-soft` in page.css. */
  readonly kind: string;
}

/** In the order of how much somebody is wanted. A state is known by its place here. */
export const STATES: readonly StateSign[] = [
  { state: 'failed', letter: 'f', sign: '✕', kind: 'failed' },
  { state: 'in progress', letter: 'p', sign: '▸', kind: 'running' },
  { state: 'stale', letter: 's', sign: '◐', kind: 'stale' },
  { state: 'missing', letter: '.', sign: '○', kind: 'missing' },
  { state: 'backlog', letter: 'b', sign: '·', kind: 'backlog' },
  { state: 'skipped', letter: 'k', sign: '–', kind: 'skipped' },
  { state: 'materialized', letter: 'm', sign: '●', kind: 'made' },
];

export const FAILED = 0;
export const RUNNING = 1;

/** By the code of a letter, the place in {@link STATES}. */
export const PLACE_OF_CODE = placesOfCodes();

export const ALL_STATES = (1 << STATES.length) - 1;

function placesOfCodes(): Uint8Array {
  const places = new Uint8Array(128).fill(STATES.findIndex(({ state }) => state === 'missing'));
  for (const [place, { letter }] of STATES.entries()) places[letter.charCodeAt(0)] = place;
  return places;
}
