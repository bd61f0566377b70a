/** Failures of what dynpart keeps: the state file, its generations and copies, and values. */
import type { MoveMark } from '../move-mark.ts';
import { shellFlag, shellWord } from '../shell-words.ts';
import { clean } from '../text.ts';
import { forKey, type Refusal, type WordsFor } from './phrases.ts';

/** Of a file that holds something else: there never was a state. */
interface NoState {
  readonly isNone?: boolean;
}

export type StateFailure =
  | { readonly reason: 'state-empty'; readonly file: string }
  | {
      readonly reason: 'state-missing';
      readonly file: string;
      /** With all that stands beside it. */ readonly isGone?: boolean;
    }
  | (NoState & { readonly reason: 'state-not-json'; readonly file: string; readonly cause: string })
  | (NoState & {
      readonly reason: 'state-misshapen';
      readonly file: string;
      readonly place: string;
      readonly expected: string;
    })
  | {
      readonly reason: 'state-newer';
      readonly file: string;
      readonly schema: number;
      readonly supported: number;
    }
  | {
      readonly reason: 'state-older';
      readonly file: string;
      readonly schema: number;
      readonly oldest: number;
    }
  | {
      readonly reason: 'commit-unsure';
      readonly file: string;
      readonly serial: number;
      /** What the disk refused. */ readonly cause?: string;
    }
  | {
      readonly reason: 'commit-unsynced';
      readonly file: string;
      readonly serial: number;
      readonly cause: string;
    }
  | { readonly reason: 'state-moved'; readonly place: string; readonly move: MoveMark }
  | {
      readonly reason: 'move-incomplete';
      readonly place: string;
      readonly what: string;
      readonly found: number;
      readonly sent: number;
    }
  | { readonly reason: 'state-mounted'; readonly file: string }
  | { readonly reason: 'state-too-large'; readonly file: string }
  | { readonly reason: 'items-too-large'; readonly bytes: number; readonly most: number }
  | { readonly reason: 'clock-unusable'; /** Since 1970. */ readonly ms: number }
  | (Refusal & { readonly reason: 'state-io'; readonly file: string; readonly action: string })
  | {
      readonly reason: 'value-damaged';
      readonly file: string;
      readonly asset: string;
      readonly key: string | null;
      readonly cause: string;
    }
  | {
      readonly reason: 'database';
      /** Worded where it is met, in `state/postgres/`: who has a file loads none of it. */
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    }
  | { readonly reason: 'copy-unusable'; readonly file: string; readonly why: string }
  | { readonly reason: 'state-problems'; readonly file: string; readonly count: number };

export const stateWords: WordsFor<StateFailure> = {
  'state-empty': ({ file }) => [`the state file ${file} is empty`, wayBack(file)],
  'state-missing': ({ file, isGone }) => [
    `the state file ${file} is gone, ${isGone ? 'and was there when this command began' : 'but its generations are still there'}`,
    isGone ? 'bring its folder back before anybody begins anew' : wayBack(file),
  ],
  'state-not-json': ({ file, cause, isNone }) =>
    isNone ? noState(file, cause) : [`the state file ${file} is not whole: ${cause}`, wayBack(file)],
  'state-misshapen': ({ file, place, expected, isNone }) => {
    const wrong = `${place} should be ${expected}`;
    if (isNone) return noState(file, wrong);
    return [`the state file ${file} is not what dynpart writes: ${wrong}`, wayBack(file)];
  },
  'state-newer': ({ file, schema, supported }) => [
    `the state file ${file} has schema ${schema}; this dynpart knows schemas up to ${supported}`,
    'install the newer dynpart that wrote it: npm install -g dynpart@latest',
  ],
  'state-older': ({ file, schema, oldest }) => [
    `the state file ${file} has schema ${schema}; this dynpart knows schemas from ${oldest} on`,
    schema < 1
      ? wayBack(file)
      : 'let an older dynpart that knows it bring it forward: any command of it that changes something does',
  ],
  'commit-unsure': ({ file, serial, cause }) => [
    cause !== undefined
      ? `it cannot be told whether commit ${serial} of ${file} was made: ${cause}`
      : `this process was stopped while many others committed, and cannot tell whether its own commit ${serial} of ${file} was made`,
    'look (dynpart status, dynpart runs list), and run the command again if it was not',
  ],
  'commit-unsynced': ({ file, serial, cause }) => [
    `commit ${serial} of ${file} is made, but the disk does not say that it will last: ${cause}`,
    'a loss of power may take it back, and what it did is done again then; check the disk',
  ],
  'state-moved': ({ place, move }) => {
    if ('from' in move)
      return [
        `the state of ${move.from} is being moved to ${place}, and not all of it is here yet`,
        `let the move end; one that was interrupted goes on with: ${moving(move.from, place)}`,
      ];
    if (!move.isOver)
      return [
        `the state ${place} is being moved to ${move.to}`,
        `let the move end; one that was interrupted goes on with: ${moving(place, move.to)}`,
      ];
    return [
      `the state ${place} was moved to ${move.to} at ${move.at}`,
      `name that one: ${shellFlag('--state', move.to, 'STATE')}, or DYNPART_STATE; the way back is: ${moving(move.to, place)}`,
    ];
  },
  'move-incomplete': ({ place, what, found, sent }) => [
    `${place} does not hold the ${what} that were moved there: ${found} of ${sent}${found === sent ? ', but other ones' : ''}`,
    'the state is where it was, and nobody works with it; run the command again, or give the move up: dynpart state move --give-up',
  ],
  'state-mounted': ({ file }) => [
    `the state file ${file} is a mount of its own: a commit puts a new file in its place, and cannot do so there`,
    'nothing was changed; mount the folder that it is in, not the file',
  ],
  'items-too-large': ({ bytes, most }) => [
    `the items of all keys together would have ${bytes} bytes of JSON; a state that is a file keeps ${most} at most, since each commit writes them`,
    'keep in an item only what tells keys apart, and what is large as the value of an asset; nothing was changed',
  ],
  'state-too-large': ({ file }) => [
    `the state file ${file} would be larger than 512 MiB, which is the most that can be read again`,
    'nothing was changed; remove keys that are done: dynpart partitions remove SET --older-than 90d --keep-out, or let several pipelines share the work',
  ],
  'clock-unusable': ({ ms }) => [
    `the clock of this machine is ${ms} ms from 1970, outside the years 0 to 9999: records cannot hold such a time`,
    'nothing was changed; set the clock, then run the command again',
  ],
  'state-io': ({ file, action, cause, kind }) => [
    `cannot ${action} ${file}: ${cause}`,
    kind === 'no-hard-links'
      ? 'nothing of this step was done; a state needs a file system with hard links: name a file on another one (--state FILE), or a state in PostgreSQL'
      : kind === 'too-large'
        ? 'nothing was changed; dynpart writes no file that is so large: it was overwritten, or is no state. To take the newest intact generation: dynpart state restore --last'
        : kind === 'no-file'
          ? 'nothing of this step was done; name a file (--state FILE), or move that away'
          : 'what was committed before stands, and nothing of this step does; check the disk and the permissions of the folder, then run the command again',
  ],
  'value-damaged': ({ file, asset, key, cause }) => [
    `the value of asset '${asset}'${forKey(key)} in ${file} cannot be read: ${cause}`,
    `materialize it again: dynpart materialize ${shellWord(asset, 'ASSET')}${key === null ? '' : ` ${shellFlag('--key', key)}`}`,
  ],
  database: ({ message, hint, code }) => [clean(message), clean(hint), code],
  'copy-unusable': ({ file, why }) => [
    `${file} is no copy of a state that could be restored: ${why}`,
    'nothing was changed; name a copy that dynpart state export made: dynpart state restore FILE',
  ],
  'state-problems': ({ file, count }) => [
    `${file} has ${count === 1 ? 'a problem' : `${count} problems`}`,
    wayBack(file),
  ],
};

function moving(from: string, to: string): string {
  return `dynpart state move ${shellFlag('--state', from, 'STATE')} ${shellFlag('--to', to, 'STATE')}`;
}

function noState(file: string, wrong: string): readonly [string, string] {
  return [
    `${file} is no state of dynpart: ${wrong}`,
    `it was left as it is. Name the state that is meant with --state, or leave that out for the one of the pipeline file. If a state was here, move this file away, and take a copy: dynpart state restore FILE ${shellFlag('--state', file, 'STATE')}`,
  ];
}

function wayBack(file: string): string {
  const state = shellFlag('--state', file, 'STATE');
  return `nothing was changed. To take the newest intact generation: dynpart state restore --last ${state}; to take a copy: dynpart state restore FILE ${state}`;
}
