/** Failures of a run: what an asset threw or returned, upstreams that are missing, and processes that were lost. */
import { shellWord } from '../shell-words.ts';
import { counted, quoted } from '../text.ts';
import { firstOf, forKey, withFrames, type WordsFor } from './phrases.ts';

export type RunFailure =
  | {
      readonly reason: 'asset-threw';
      readonly asset: string;
      readonly key: string | null;
      readonly message: string;
      readonly frames: readonly string[];
      /** When it asks to be tried again (ISO 8601, UTC). */
      readonly again?: string;
    }
  | {
      readonly reason: 'asset-timeout';
      readonly asset: string;
      readonly key: string | null;
      readonly ms: number;
    }
  | {
      readonly reason: 'value-not-json';
      readonly asset: string;
      readonly key: string | null;
      readonly path: string;
      readonly why: string;
    }
  | {
      readonly reason: 'pool-invalid';
      readonly run: string;
      readonly asset: string;
      readonly key: string | null;
      readonly why: string;
    }
  | {
      readonly reason: 'check-failed';
      readonly asset: string;
      readonly key: string | null;
      /** At least one. */
      readonly wrong: readonly { readonly check: string; readonly why: string }[];
    }
  | {
      readonly reason: 'check-threw';
      readonly asset: string;
      readonly key: string | null;
      readonly check: string;
      readonly message: string;
      readonly frames: readonly string[];
      /** When it asks to be tried again (ISO 8601, UTC). */
      readonly again?: string;
    }
  | {
      readonly reason: 'check-timeout';
      readonly asset: string;
      readonly key: string | null;
      readonly check: string;
      readonly ms: number;
    }
  | {
      readonly reason: 'check-invalid';
      readonly asset: string;
      readonly key: string | null;
      readonly check: string;
      /** In words: `undefined`, `a number`. */
      readonly returned: string;
    }
  | {
      readonly reason: 'upstream-missing';
      readonly asset: string;
      readonly key: string | null;
      readonly upstream: string;
      /** Where many keys of it are needed: how many are not there, and the first of them. */
      readonly absent?: { readonly count: number; readonly first: readonly string[] };
    }
  | {
      readonly reason: 'mapping-failed';
      readonly asset: string;
      readonly key: string | null;
      readonly upstream: string;
      /** What its function did: threw …, returned …, named …. */
      readonly wrong: string;
      readonly frames: readonly string[];
    }
  | {
      readonly reason: 'upstream-failed';
      readonly run: string;
      readonly asset: string;
      readonly upstream: string;
    }
  | { readonly reason: 'unknown-asset'; readonly asset: string }
  | { readonly reason: 'not-yielded'; readonly asset: string; readonly key: string | null }
  | {
      readonly reason: 'wrong-yield';
      readonly asset: string;
      readonly key: string | null;
      /** What was wrong with it. */
      readonly wrong: string;
    }
  | (OfProcess & { readonly reason: 'process-exited'; readonly code: number })
  | (OfProcess & {
      readonly reason: 'process-died';
      readonly run: string;
      readonly how: string;
      /** What it printed last; may be empty. */
      readonly said: string;
    })
  | (OfProcess & { readonly reason: 'process-out-of-memory' })
  | (OfProcess & { readonly reason: 'process-killed'; readonly ms: number })
  | (OfProcess & { readonly reason: 'process-unusable'; readonly message: string })
  | { readonly reason: 'interrupted'; readonly run: string; readonly executions: number }
  | { readonly reason: 'canceled'; readonly why: string }
  | { readonly reason: 'runs-lost'; readonly count: number }
  | {
      readonly reason: 'run-blocked';
      readonly pid: number;
      readonly host: string;
      readonly since: string;
      /** What the process executes, or holds where it has begun none; it may hold none. */
      readonly runs: readonly {
        readonly id: string;
        readonly assets: readonly string[];
        readonly key: string | null;
      }[];
    };

/** What became of the process that an asset with `isolation: 'process'` has of its own. */
interface OfProcess {
  readonly asset: string;
  readonly key: string | null;
}

/** Why a run was canceled that a person has canceled. */
export const CANCELED_BY_HAND = 'it was canceled by hand (runs cancel)';

/** Why a run was canceled whose key was removed. @param by what removed it */
export function keyRemoved(by: string): string {
  return `its partition key was removed (${by})`;
}

/** So many runs of a blocked process are named. */
const MOST_BLOCKED_RUNS = 3;

function withAgain(message: string, again: string | undefined): string {
  return again === undefined ? message : `${message} (asks to be tried again at ${again})`;
}

export const runWords: WordsFor<RunFailure> = {
  'asset-threw': ({ asset, key, message, frames, again }) => [
    `asset '${asset}'${forKey(key)} threw: ${withFrames(withAgain(message, again), frames)}`,
  ],
  'asset-timeout': ({ asset, key, ms }) => [
    `asset '${asset}'${forKey(key)} took longer than its timeout of ${ms} ms`,
    'hand the signal of the context to what it waits for, or raise timeoutMs',
  ],
  'not-yielded': ({ asset, key }) => [
    `asset '${asset}' was given${key === null ? '' : ` key ${quoted(key)}`} and ended without yielding it`,
    'yield [key, value] or [key, skip(…)] for each of its keys, or throw what went wrong',
  ],
  'wrong-yield': ({ asset, key, wrong }) => [
    `asset '${asset}'${forKey(key)} was not made: its code ${wrong}`,
    'yield [key, value] or [key, skip(…)], once for each key that it was given: async *materialize({ keys })',
  ],
  'process-exited': ({ asset, key, code }) => [
    `asset '${asset}'${forKey(key)} ended its process: process.exit(${code})`,
    'throw an error where something is wrong, or return skip(…): the rest of the run went on without its process',
  ],
  'process-died': ({ run, asset, key, how, said }) => [
    `the process of asset '${asset}'${forKey(key)} died: ${how}${said === '' ? '' : `; it said last: ${said}`}`,
    `look for what ended it, in its log and in that of the system: dynpart runs logs ${run}`,
  ],
  'process-out-of-memory': ({ asset, key }) => [
    `asset '${asset}'${forKey(key)} needed more memory than its process may have`,
    'work on less at a time, or raise processes: { memoryMb } of definePipeline',
  ],
  'process-killed': ({ asset, key, ms }) => [
    `asset '${asset}'${forKey(key)} did not end at its timeout of ${ms} ms, and its process was killed`,
    'hand the signal of the context to what it waits for, or raise timeoutMs',
  ],
  'process-unusable': ({ asset, key, message }) => [
    `no process of its own could be had for asset '${asset}'${forKey(key)}: ${message}`,
    'mend what it says; what a pipeline file does when it is loaded must be right in a process of its own, too',
  ],
  'value-not-json': ({ asset, key, path, why }) => [
    `asset '${asset}'${forKey(key)} returned a value that cannot be kept: ${path} ${why}`,
    'return JSON (texts, numbers, true, false, null, lists and plain objects of these) or a Uint8Array',
  ],
  'pool-invalid': ({ run, asset, key, why }) => [
    `pool of asset '${asset}'${forKey(key)} cannot be told: ${why}`,
    `nothing was called; mend the function, or add the pool (or default) to pools of definePipeline, then: dynpart runs retry ${run}`,
  ],
  'check-failed': ({ asset, key, wrong }) => [
    wrong.length === 1
      ? `check ${quoted(wrong[0]!.check)} of asset '${asset}'${forKey(key)} failed: ${wrong[0]!.why}`
      : `${wrong.length} checks of asset '${asset}'${forKey(key)} failed: ${firstOf(wrong, ({ check, why }) => `${quoted(check)}: ${why}`)}`,
    'nothing was saved, and what was on record stands; mend what it is made from, or the check',
  ],
  'check-threw': ({ asset, key, check, message, frames, again }) => [
    `check ${quoted(check)} of asset '${asset}'${forKey(key)} threw: ${withFrames(withAgain(message, again), frames)}`,
    'nothing was saved, and what was on record stands; a check that says no returns what is wrong, as a text',
  ],
  'check-timeout': ({ asset, key, check, ms }) => [
    `check ${quoted(check)} of asset '${asset}'${forKey(key)} took longer than ${ms} ms`,
    'nothing was saved, and what was on record stands; hand the signal of the context to what the check waits for, or set timeoutMs of the asset',
  ],
  'check-invalid': ({ asset, key, check, returned }) => [
    `check ${quoted(check)} of asset '${asset}'${forKey(key)} returned ${returned} where true, what is wrong as a text, or warn('…') is meant`,
    'nothing was saved, and what was on record stands; mend the check',
  ],
  'upstream-missing': ({ asset, key, upstream, absent }) => {
    if (absent === undefined)
      return [
        `asset '${asset}'${forKey(key)} needs asset '${upstream}', which is not materialized${forKey(key)}`,
        `materialize '${upstream}' as well`,
      ];
    const { count, first } = absent;
    const more = count - first.length;
    return [
      `asset '${asset}'${forKey(key)} needs asset '${upstream}' for ${counted(count, 'key')} of which it is not there: ${first.map(quoted).join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
      `materialize them: dynpart materialize ${shellWord(upstream, 'ASSET')} --missing; or let '${asset}' do without them: onMissing: 'skip'`,
    ];
  },
  'mapping-failed': ({ asset, key, upstream, wrong, frames }) => [
    `mapKeys of asset '${asset}'${forKey(key)}, for keys of asset '${upstream}', ${withFrames(wrong, frames)}`,
    'mend the function: it answers at once with one key, or with a list of keys',
  ],
  'upstream-failed': ({ run, asset, upstream }) => [
    `asset '${asset}' was skipped because asset '${upstream}' did not succeed`,
    `mend what keeps '${upstream}' from being made, then: dynpart runs retry ${run}`,
  ],
  'unknown-asset': ({ asset }) => [
    `the pipeline has no asset '${asset}' any more`,
    'put it back, or materialize the assets that it has',
  ],
  interrupted: ({ run, executions }) => [
    `the run was interrupted: its process ended ${executions} times while it was executing`,
    `look for what ends the process (memory?), then: dynpart runs retry ${run}`,
  ],
  canceled: ({ why }) => [why],
  'run-blocked': ({ pid, host, since, runs }) => {
    const named = runs
      .slice(0, MOST_BLOCKED_RUNS)
      .map(({ id, assets, key }) =>
        assets.length === 0 ? id : `${id} (${assets.join(', ')}${forKey(key)})`,
      );
    const more = runs.length - named.length;
    const which =
      named.length === 0
        ? 'the pipeline'
        : `${named.length > 1 ? 'one of the runs' : 'run'} ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    return [
      `process ${pid} on ${host} is blocked: code of ${which} has not let go of its thread since ${since}`,
      `end that process on ${host}: kill -9 ${pid}; the next tick or worker takes its runs up, and a run that ends its process three times fails`,
    ];
  },
  'runs-lost': ({ count }) => [
    `${count === 1 ? 'a run is' : `${count} runs are`} no longer this process's: it gave no sign of life for too long, or somebody released them`,
    'what it made of them is not on record; whoever takes them up executes them again: dynpart runs list',
  ],
};
