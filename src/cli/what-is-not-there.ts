/** What there is to say of something that is not there: keys that look like it, or that it was there. Looked for only when the failure is certain. */
import type { Failure } from '../model/failure.ts';
import type { UsageFailure } from '../model/failures/usage.ts';
import { nearest } from '../model/nearest.ts';
import { shellFlag, shellWord } from '../model/shell-words.ts';
import type { StateView } from '../state/state-view.ts';
import type { StateStore } from '../state/store.ts';

/** A million comparisons would not make the message better. */
const MOST_COMPARED = 20_000;

type NotThere = Extract<UsageFailure, { readonly reason: 'unknown-keys' | 'unknown-name' }>;

export function isNotThere(failure: Failure): failure is NotThere {
  return failure.reason === 'unknown-keys' || failure.reason === 'unknown-name';
}

export async function toldMore(
  store: Pick<StateStore, 'read' | 'runs'>,
  failure: NotThere,
): Promise<Failure> {
  return failure.reason === 'unknown-keys' ? withNearKeys(store, failure) : withGone(store, failure);
}

async function withNearKeys(
  store: Pick<StateStore, 'read'>,
  failure: Extract<Failure, { readonly reason: 'unknown-keys' }>,
): Promise<Failure> {
  const { sets, keys } = failure;
  const query = { set: sets[0]!, limit: MOST_COMPARED, fromEnd: true } as const;
  const view = await store.read({ pages: [query] });
  const known = view.page(query).keys.map(({ key }) => key);
  return { ...failure, nearest: nearest(keys[0]!, known) };
}

/** Names that the state remembers, or that runs have, were in the pipeline, and are not any more. */
async function withGone(
  store: Pick<StateStore, 'read' | 'runs'>,
  failure: Extract<Failure, { readonly reason: 'unknown-name' }>,
): Promise<Failure> {
  const view = await store.read({ sensors: 'all', sets: true });
  const wasThere = async (name: string): Promise<boolean> => {
    switch (failure.thing) {
      case 'run':
        return false;
      case 'set':
        return view.pipeline?.sets.includes(name) ?? false;
      case 'sensor':
        return has(view.pipeline?.sensors, name) || view.sensorNames().includes(name);
      case 'asset':
        return (
          has(view.pipeline?.assets, name) || (await store.runs({ assets: [name], limit: 1 })).runs.length > 0
        );
    }
  };
  for (const name of failure.names) if (!(await wasThere(name))) return otherwise(store, view, failure);
  return { ...failure, areGone: true };
}

/** A key, a set, an asset or a sensor in the place of another one. */
async function otherwise(
  store: Pick<StateStore, 'read'>,
  names: StateView,
  failure: Extract<Failure, { readonly reason: 'unknown-name' }>,
): Promise<Failure> {
  const { thing, keyOf } = failure;
  const { pipeline } = names;
  const sets = names.setNames();
  const name = failure.names[0]!;
  const are = (is: string, command: string): Failure => ({ ...failure, otherwise: { is, command } });
  if (keyOf !== undefined) return failure;
  if (thing !== 'asset' && has(pipeline?.assets, name))
    return are('an asset', `dynpart status ${word(name)}`);
  if (thing !== 'sensor' && has(pipeline?.sensors, name))
    return are('a sensor', `dynpart sensor history ${word(name)}`);
  if (thing !== 'set' && sets.includes(name)) return are('a set', `dynpart partitions list ${word(name)}`);
  const view = await store.read({ keys: sets.map((set) => ({ set, keys: [name] })) });
  const set = sets.find((one) => view.present(one, [name]).size > 0);
  if (set === undefined) return failure;
  const flag = shellFlag('--key', name);
  return thing === 'run'
    ? are(`a key of set '${set}'`, `dynpart runs list ${flag}`)
    : are(
        `a key of set '${set}'`,
        `dynpart partitions show ${shellWord(set, 'SET')} ${shellWord(name, 'KEY')}`,
      );
}

const word = (name: string): string => shellWord(name, 'NAME');

function has(all: readonly { readonly name: string }[] = [], wanted: string): boolean {
  return all.some(({ name }) => name === wanted);
}
