/** Failures of the pipeline file: how it is found, loaded and checked, and whose state it uses. */
import { didYouMean } from '../nearest.ts';
import { shellFlag, shellWord } from '../shell-words.ts';
import { quoted } from '../text.ts';
import { AGAIN, type InWords, withFrames, type WordsFor } from './phrases.ts';

/** One thing that is wrong with a pipeline, and where it stands in the user's file. */
export interface PipelineProblem {
  readonly code: string;
  readonly message: string;
  /** `file:line`, or `null` when it is not known. */
  readonly place: string | null;
}

export type PipelineFailure =
  | { readonly reason: 'pipeline-not-found'; readonly file: string; readonly given: boolean }
  | { readonly reason: 'pipeline-unreadable'; readonly file: string; readonly cause: string }
  | {
      readonly reason: 'pipeline-syntax';
      readonly file: string;
      readonly place: string;
      readonly message: string;
      readonly excerpt: string;
    }
  | {
      readonly reason: 'pipeline-import-missing';
      readonly file: string;
      readonly place: string | null;
      readonly specifier: string;
    }
  | {
      readonly reason: 'pipeline-threw';
      readonly file: string;
      readonly message: string;
      readonly frames: readonly string[];
    }
  | { readonly reason: 'pipeline-unsettled' }
  | { readonly reason: 'pipeline-stray'; readonly message: string; readonly frames: readonly string[] }
  | { readonly reason: 'pipeline-no-default'; readonly file: string; readonly exports: readonly string[] }
  | { readonly reason: 'pipeline-not-one'; readonly file: string; readonly what: string }
  | {
      readonly reason: 'pipeline-invalid';
      readonly file: string;
      readonly problems: readonly PipelineProblem[];
    }
  | { readonly reason: 'notify-failed'; readonly hook: string; readonly why: string }
  | {
      readonly reason: 'foreign-state';
      readonly state: string;
      /** The pipeline file that it belongs to, or that shares it; `null`: not known. */
      readonly owner: string | null;
      /** The pipeline file that is used now. */
      readonly file: string;
      /** `shared`: an older dynpart let several pipelines use it, so that it is not clear whose it is. */
      readonly why: 'another' | 'nothing-in-common' | 'shared';
    };

export const pipelineWords: WordsFor<PipelineFailure> = {
  'pipeline-not-found': ({ file, given }) =>
    given
      ? [`there is no pipeline file ${file}`, 'check the path given with -f or DYNPART_FILE']
      : [
          `there is no pipeline.ts, .mts, .js or .mjs in ${file}`,
          'go to the folder of your pipeline, or name the file: dynpart -f FILE …',
        ],
  'pipeline-unreadable': ({ file, cause }) => [
    `cannot read ${file}: ${cause}`,
    'check the path, and let the user that dynpart runs as read the file and the folders above it',
  ],
  'pipeline-syntax': ({ place, message, excerpt }) => [
    `${place}: ${message}${excerpt === '' ? '' : `\n${excerpt}`}`,
    `mend the syntax error and ${AGAIN}`,
  ],
  'pipeline-import-missing': ({ file, place, specifier }) => [
    `${place ?? file}: cannot find '${specifier}', which is imported here`,
    /^[./]/.test(specifier)
      ? 'check the path; it is relative to the file that imports it'
      : packageHint(specifier),
  ],
  'pipeline-threw': ({ file, message, frames }) => [
    `loading ${file} failed: ${withFrames(message, frames)}`,
    'mend it there, or give it what it misses, such as a variable of the environment: it is the code of the pipeline file that threw',
  ],
  'pipeline-unsettled': () => [
    'code of the pipeline waits for a promise that never settles, and nothing is left that could settle it',
    'look for an await at the top level of the pipeline file, or in a file that it imports',
  ],
  'pipeline-stray': ({ message, frames }) => [
    `code of the pipeline failed where nothing waited for it: ${withFrames(message, frames)}`,
    'await every promise, and catch errors in timers and event handlers',
  ],
  'pipeline-no-default': ({ file, exports }) => [
    `${file} has no default export${exports.length === 0 ? '' : ` (it exports ${exports.join(', ')})`}`,
    'end the file with: export default definePipeline({ assets: […], sensors: […] })',
  ],
  'pipeline-not-one': ({ file, what }) => [
    `the default export of ${file} is ${what}, not a pipeline`,
    'end the file with: export default definePipeline({ assets: […], sensors: […] })',
  ],
  'pipeline-invalid': ({ file, problems }) => [
    `${file} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map(({ message, place }) => (place === null ? `  ${message}` : `  ${place}: ${message}`)).join('\n')}`,
    `mend the pipeline file and ${AGAIN}`,
  ],
  'notify-failed': ({ hook, why }) => [
    `hook ${quoted(hook)} of notify failed, and nobody was told by it: ${why}`,
    'nothing else depends on it; it is tried again after a minute, two, four and so on, at most an hour, and this is said once',
  ],
  'foreign-state': foreignState,
};

function foreignState({
  state,
  owner,
  file,
  why,
}: Extract<PipelineFailure, { reason: 'foreign-state' }>): InWords {
  const [ours, theirs] = [quoted(file), owner === null ? 'another pipeline' : `pipeline ${quoted(owner)}`];
  const message = {
    another: `the state ${quoted(state)} belongs to ${theirs}, not to ${ours}`,
    'nothing-in-common': `the state ${quoted(state)} belongs to ${theirs}, and ${ours} has no set and no asset in common with that one`,
    shared: `the state ${quoted(state)} holds what ${ours} has made and what ${theirs} has made: an older dynpart let them share it`,
  }[why];
  const adopt = `dynpart ${shellFlag('-f', file, 'FILE')} ${shellFlag('--state', state, 'STATE')} state adopt`;
  // In a database each pipeline has a schema of its own.
  const another = /^postgres(?:ql)?:/.test(state) ? 'a schema of its own: ?schema=NAME' : '--state FILE';
  return [
    message,
    `nothing was changed. To make it the state of ${ours} from now on: ${adopt}; to use another state: ${another}`,
  ];
}

/** What may be imported from the package itself. */
const OWN_MODULES = ['dynpart', 'dynpart/sources', 'dynpart/testing'];

function packageHint(specifier: string): string {
  const name = packageName(specifier);
  if (name === 'dynpart' && specifier !== name)
    return `it has ${OWN_MODULES.map((one) => `'${one}'`).join(', ')}${didYouMean(specifier, OWN_MODULES)}`;
  const install = `install it beside the pipeline file: npm install ${shellWord(name, 'PACKAGE')}`;
  return specifier === name ? install : `${install}; where it is there, look at what stands behind its name`;
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
