/** Failures of what was typed: arguments, names, keys, and files named on the command line. */
import { shellFlag, shellWord } from '../shell-words.ts';
import { listed, quoted } from '../text.ts';
import { firstOf, type Refusal, type WordsFor } from './phrases.ts';

/** A key that cannot be one, and where it was read. */
export interface BadKey {
  readonly key: string;
  readonly why: string;
  /** Line of the keys file, from 1. */
  readonly line?: number;
}

export type NamedThing = 'set' | 'sensor' | 'asset' | 'run';

export type UsageFailure =
  | { readonly reason: 'usage'; readonly message: string; readonly hint: string }
  | {
      readonly reason: 'unknown-name';
      readonly thing: NamedThing;
      readonly names: readonly string[];
      readonly nearest: readonly string[];
      readonly known: number;
      /** The pipeline had all of them. Looked for when the failure is said. */
      readonly areGone?: boolean;
      /** The set that has the first of the names as a key, where keys could be given. */
      readonly keyOf?: string | undefined;
      /** What the first of the names is instead, and what can be done with it. Looked for when the failure is said. */
      readonly otherwise?: { readonly is: string; readonly command: string };
    }
  | {
      readonly reason: 'unknown-keys';
      readonly sets: readonly string[];
      readonly keys: readonly string[];
      /** Keys of the first set that look like the first one: looked for when the failure is said. */
      readonly nearest?: readonly string[];
    }
  | {
      readonly reason: 'ambiguous-keys';
      readonly keys: readonly string[];
      readonly sets: readonly string[];
      /** Whether the sets have the keys, or one of them is to get them. */
      readonly known: boolean;
    }
  | {
      readonly reason: 'asset-without-key';
      readonly asset: string;
      /** `null`: the asset is not partitioned. */
      readonly set: string | null;
      readonly keys: readonly string[];
    }
  | { readonly reason: 'invalid-keys'; readonly source: string; readonly keys: readonly BadKey[] }
  | (Refusal & { readonly reason: 'keys-file'; readonly file: string })
  /** What a run printed, where it is asked for as one JSON document. */
  | { readonly reason: 'log-too-large'; readonly run: string; readonly mebibytes: number }
  | {
      readonly reason: 'file-in-the-way';
      readonly file: string;
      /** `file` names several. */
      readonly isList?: boolean;
      readonly why: string;
      /** Where it is another one than that another file may be named. */
      readonly hint?: string;
    };

export const usageWords: WordsFor<UsageFailure> = {
  usage: ({ message, hint }) => [message, hint],
  'unknown-name': (failure) => [
    failure.areGone
      ? `the pipeline has no ${failure.thing} ${listed(failure.names)} any more`
      : failure.names.length === 1
        ? `there is no ${failure.thing} ${listed(failure.names)}`
        : `there are no ${failure.thing}s ${listed(failure.names)}`,
    hintForName(failure),
    `unknown-${failure.thing}`,
  ],
  'unknown-keys': ({ keys, sets, nearest = [] }) => [
    `${keys.length === 1 ? 'key' : 'keys'} ${listed(keys)} ${keys.length === 1 ? 'is' : 'are'} not in ${sets.length === 1 ? 'set' : 'the sets'} ${sets.map((name) => `'${name}'`).join(' or ')}`,
    (nearest.length > 0 ? `did you mean ${nearest.map(quoted).join(' or ')}? ` : '') +
      (sets.length === 1
        ? `To register a key: dynpart partitions add ${shellWord(sets[0]!, 'SET')} KEY, or materialize with --add`
        : 'To register a key: dynpart partitions add SET KEY, or materialize the assets of one set with --add'),
    'unknown-key',
  ],
  'ambiguous-keys': ({ keys, sets, known }) =>
    known
      ? [
          `key ${listed(keys)} is in the sets ${listed(sets)}: which one is meant is not to be guessed`,
          'name the assets to materialize: dynpart materialize ASSET --key KEY',
        ]
      : [
          `key ${listed(keys)} is in none of the sets ${listed(sets)}: which of them is to get it is not to be guessed`,
          'name the assets of one set: dynpart materialize ASSET --key KEY --add',
        ],
  'asset-without-key': ({ asset, set, keys }) =>
    set === null
      ? [
          `asset '${asset}' is not partitioned: it cannot be made for key ${listed(keys)}`,
          `make it by itself: dynpart materialize ${shellWord(asset, 'ASSET')}`,
        ]
      : [
          `asset '${asset}' cannot be made for key ${listed(keys)}, which its set '${set}' does not have`,
          `name only assets whose set has the key, or register it: dynpart partitions add ${shellWord(set, 'SET')} KEY`,
        ],
  'invalid-keys': ({ keys, source }) => [
    `${keys.length === 1 ? 'a key' : `${keys.length} keys`} of ${source} cannot be used: ${firstOf(keys, badKey)}`,
    'a key is 1 to 1,024 bytes of UTF-8 text without control characters; nothing was changed',
    'invalid-key',
  ],
  'keys-file': ({ file, cause, kind }) => [
    `cannot read keys from ${file}: ${cause}`,
    kind === 'too-large'
      ? 'give them in several parts: split -l 1000000 FILE part-'
      : 'name a text file with a key on each line, or - for standard input',
  ],
  'log-too-large': ({ run, mebibytes }) => [
    `run ${run} printed more than ${mebibytes} MiB, too much for one JSON document`,
    `take a document a line: dynpart runs logs ${run} --follow --json`,
  ],
  'file-in-the-way': ({
    file,
    isList,
    why,
    hint = 'name another file, or remove this one first if nobody needs it',
  }) => [`${file} stay${isList ? ' as they are' : 's as it is'}: ${why}`, hint],
};

function hintForName({
  thing,
  names,
  nearest,
  known,
  keyOf,
  otherwise,
}: Extract<UsageFailure, { reason: 'unknown-name' }>): string {
  const list = {
    set: 'dynpart partitions list',
    sensor: 'dynpart sensor list',
    asset: 'dynpart assets list',
    run: 'dynpart runs list',
  }[thing];
  if (keyOf !== undefined)
    return `${quoted(names[0]!)} is a key of set '${keyOf}'; a key goes behind --key: dynpart materialize ${names.map((name) => shellFlag('--key', name)).join(' ')}`;
  if (otherwise !== undefined) return `${quoted(names[0]!)} is ${otherwise.is}: ${otherwise.command}`;
  if (nearest.length > 0) return `did you mean ${nearest.map(quoted).join(' or ')}? All of them: ${list}`;
  return known === 0 ? `there is no ${thing} at all yet; see: ${list}` : `see which there are: ${list}`;
}

function badKey({ key, why, line }: BadKey): string {
  const shown = key.length > 60 ? `${key.slice(0, 60)}…` : key;
  return `${line === undefined ? '' : `line ${line}: `}${quoted(shown)}: ${why}`;
}
