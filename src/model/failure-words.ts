/** The words for every failure: what, where, and what to do next. */
import { ERROR_LIMIT, recordable } from './recordable.ts';
import type { BadKey, Failure } from './failure.ts';

/** A failure in words, as `--json` and the history show it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** A key or name in quotes with everything escaped that could disturb a terminal. */
export function quoted(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control and bidirectional characters must not reach a terminal
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => {
      return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
    },
  );
}

/** At most five of many, then how many more there are. */
export function listed(items: readonly string[], most = 5): string {
  const rest = items.length - most;
  return items.slice(0, most).map(quoted).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** A problem as records keep it: an error may name a hundred thousand keys, or hold all that a program printed. */
export function recordedProblem(problem: Problem | null): Problem | null {
  if (problem === null) return null;
  const { message, hint } = problem;
  return {
    ...problem,
    message: recordable(message, ERROR_LIMIT),
    hint: hint === null ? null : recordable(hint, ERROR_LIMIT),
  };
}

/** Words for a failure. */
export function describe(failure: Failure): Problem {
  const say = (message: string, hint: string | null = null): Problem => ({
    code: failure.reason,
    message,
    hint,
  });
  switch (failure.reason) {
    case 'usage':
      return say(failure.message, failure.hint);
    case 'unknown-name':
      return {
        code: `unknown-${failure.thing}`,
        message: `there is no ${failure.thing} ${listed(failure.names)}`,
        hint: hintForName(failure),
      };
    case 'unknown-keys': {
      const { keys, sets, nearest } = failure;
      const [set] = sets;
      return {
        code: 'unknown-key',
        message: `${keys.length === 1 ? 'key' : 'keys'} ${listed(keys)} ${keys.length === 1 ? 'is' : 'are'} not in ${sets.length === 1 ? 'set' : 'the sets'} ${sets.map((name) => `'${name}'`).join(' or ')}`,
        hint:
          (nearest.length > 0 ? `did you mean ${nearest.map(quoted).join(' or ')}? ` : '') +
          (sets.length === 1
            ? `To register a key: dynpart partitions add ${shellQuoted(set!, 'SET')} KEY, or materialize with --add`
            : 'To register a key: dynpart partitions add SET KEY, or materialize the assets of one set with --add'),
      };
    }
    case 'ambiguous-keys':
      return failure.known
        ? say(
            `key ${listed(failure.keys)} is in the sets ${listed(failure.sets)}: which one is meant is not to be guessed`,
            'name the assets to materialize: dynpart materialize ASSET --key KEY',
          )
        : say(
            `key ${listed(failure.keys)} is in none of the sets ${listed(failure.sets)}: which of them is to get it is not to be guessed`,
            'name the assets of one set: dynpart materialize ASSET --key KEY --add',
          );
    case 'asset-without-key':
      return failure.set === null
        ? say(
            `asset '${failure.asset}' is not partitioned: it cannot be made for key ${listed(failure.keys)}`,
            `make it by itself: dynpart materialize ${shellQuoted(failure.asset, 'ASSET')}`,
          )
        : say(
            `asset '${failure.asset}' cannot be made for key ${listed(failure.keys)}, which its set '${failure.set}' does not have`,
            `name only assets whose set has the key, or register it: dynpart partitions add ${shellQuoted(failure.set, 'SET')} KEY`,
          );
    case 'invalid-keys':
      return {
        code: 'invalid-key',
        message: `${failure.keys.length === 1 ? 'a key' : `${failure.keys.length} keys`} of ${failure.source} cannot be used: ${failure.keys.slice(0, 1000).map(badKey).join('; ')}${failure.keys.length > 1000 ? `; and ${failure.keys.length - 1000} more` : ''}`,
        hint: 'a key is 1 to 1,024 bytes of UTF-8 text without control characters; nothing was changed',
      };
    case 'keys-file':
      return say(
        `cannot read keys from ${failure.file}: ${failure.cause}`,
        'name a text file with a key on each line, or - for standard input',
      );
    case 'pipeline-not-found':
      return say(
        failure.given
          ? `there is no pipeline file ${failure.file}`
          : `there is no pipeline.ts, .mts, .js or .mjs in ${failure.file}`,
        failure.given
          ? 'check the path given with -f or DYNPART_FILE'
          : 'go to the folder of your pipeline, or name the file: dynpart -f FILE …',
      );
    case 'pipeline-unreadable':
      return say(
        `cannot read ${failure.file}: ${failure.cause}`,
        'let the user that dynpart runs as read the file, and the folders above it',
      );
    case 'pipeline-syntax':
      return say(
        `${failure.place}: ${failure.message}${failure.excerpt === '' ? '' : `\n${failure.excerpt}`}`,
        'mend the syntax error and run the command again',
      );
    case 'pipeline-import-missing':
      return say(
        `${failure.place ?? failure.file}: cannot find '${failure.specifier}', which is imported here`,
        /^[./]/.test(failure.specifier)
          ? 'check the path; it is relative to the file that imports it'
          : `install it beside the pipeline file: npm install ${packageName(failure.specifier)}`,
      );
    case 'pipeline-threw':
      return say(
        `loading ${failure.file} failed: ${withFrames(failure.message, failure.frames)}`,
        'the error comes from the code of the pipeline file, when it is imported',
      );
    case 'foreign-state':
      return foreignState(failure);
    case 'pipeline-unsettled':
      return say(
        'code of the pipeline waits for a promise that never settles, and nothing is left that could settle it',
        'look for an await at the top level of the pipeline file, or in a file that it imports',
      );
    case 'pipeline-stray':
      return say(
        `code of the pipeline failed where nothing waited for it: ${withFrames(failure.message, failure.frames)}`,
        'await every promise, and catch errors in timers and event handlers',
      );
    case 'pipeline-no-default':
      return say(
        `${failure.file} has no default export${failure.exports.length === 0 ? '' : ` (it exports ${failure.exports.join(', ')})`}`,
        'end it with: export default definePipeline({ assets: […], sensors: […] })',
      );
    case 'pipeline-not-one':
      return say(
        `the default export of ${failure.file} is ${failure.what}, not a pipeline`,
        'export default definePipeline({ assets: […], sensors: […] })',
      );
    case 'pipeline-invalid': {
      const problems = failure.problems.map(({ message, place }) =>
        place === null ? message : `${place}: ${message}`,
      );
      const count = problems.length;
      return say(
        `${failure.file} has ${count === 1 ? 'a problem' : `${count} problems`}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
        'mend the pipeline file and run the command again',
      );
    }
    case 'sensor-threw':
      return say(
        `sensor '${failure.sensor}' threw: ${withFrames(failure.message, failure.frames)}`,
        'nothing was applied and the cursor stays; the next tick tries again',
      );
    case 'sensor-timeout':
      return say(
        `sensor '${failure.sensor}' took longer than its timeout of ${failure.seconds} s`,
        'nothing was applied; hand the signal of the context to fetch, or raise timeoutSeconds',
      );
    case 'sensor-result':
      return say(
        `the result of sensor '${failure.sensor}' cannot be used: ${failure.problems.slice(0, 1000).join('; ')}${failure.problems.length > 1000 ? `; and ${failure.problems.length - 1000} more` : ''}`,
        'nothing was applied and the cursor stays',
      );
    case 'sensor-stuck':
      return say(
        `sensor '${failure.sensor}' is stuck: process ${failure.pid} on ${failure.host} has been evaluating it since ${failure.since}, longer than its timeout of ${failure.seconds} s`,
        `end that process on ${failure.host}; as it is blocked it needs: kill -9 ${failure.pid}`,
      );
    case 'sensor-interrupted':
      return say(
        `the evaluation of sensor '${failure.sensor}' was interrupted`,
        'nothing was applied; the next tick tries again',
      );
    case 'sensor-busy':
      return say(
        `sensor '${failure.sensor}' is being evaluated by process ${failure.pid} on ${failure.host} since ${failure.since}`,
        'try again later, or use --if-busy wait',
      );
    case 'asset-threw':
      return say(
        `asset '${failure.asset}'${forKey(failure.key)} threw: ${withFrames(failure.message, failure.frames)}`,
      );
    case 'asset-timeout':
      return say(
        `asset '${failure.asset}'${forKey(failure.key)} took longer than its timeout of ${failure.ms} ms`,
        'hand the signal of the context to what it waits for, or raise timeoutMs',
      );
    case 'value-not-json':
      return say(
        `asset '${failure.asset}'${forKey(failure.key)} returned a value that cannot be kept: ${failure.path} ${failure.why}`,
        'return JSON (texts, numbers, true, false, null, lists and plain objects of these) or a Uint8Array',
      );
    case 'upstream-missing':
      return say(
        `asset '${failure.asset}'${forKey(failure.key)} needs asset '${failure.upstream}', which is not materialized${forKey(failure.key)}`,
        `materialize '${failure.upstream}' as well`,
      );
    case 'upstream-failed':
      return say(`asset '${failure.asset}' was skipped because asset '${failure.upstream}' did not succeed`);
    case 'unknown-asset':
      return say(
        `the pipeline has no asset '${failure.asset}' any more`,
        'put it back, or materialize the assets that it has',
      );
    case 'interrupted':
      return say(
        `the run was interrupted: its process ended ${failure.executions} times while it was executing`,
        'look for what ends the process (memory?), then: dynpart runs retry ID',
      );
    case 'canceled':
      return say(failure.why);
    case 'run-blocked': {
      const told = failure.runs
        .slice(0, MOST_BLOCKED_RUNS)
        .map(({ id, assets, key }) => `${id} (${assets.join(', ')}${forKey(key)})`);
      const more = failure.runs.length - told.length;
      const which = `${told.length > 1 ? 'one of the runs' : 'run'} ${told.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
      return say(
        `process ${failure.pid} on ${failure.host} is blocked: code of ${which} has not let go of its thread since ${failure.since}`,
        `end that process on ${failure.host}: kill -9 ${failure.pid}; the next tick or worker takes its runs up, and a run that ends its process three times fails`,
      );
    }
    case 'runs-lost':
      return say(
        `${failure.count === 1 ? 'a run is' : `${failure.count} runs are`} no longer this process's: it gave no sign of life for too long, or somebody released them`,
        'what it made of them is not on record; whoever takes them up executes them again: dynpart runs list',
      );
    case 'state-empty':
      return say(`the state file ${failure.file} is empty`, wayBack(failure.file));
    case 'state-missing':
      return say(
        `the state file ${failure.file} is gone, but its generations are still there`,
        wayBack(failure.file),
      );
    case 'state-not-json':
      return say(`the state file ${failure.file} is not whole: ${failure.cause}`, wayBack(failure.file));
    case 'state-misshapen':
      return say(
        `the state file ${failure.file} is not what dynpart writes: ${failure.place} should be ${failure.expected}`,
        wayBack(failure.file),
      );
    case 'state-newer':
      return say(
        `the state file ${failure.file} has schema ${failure.schema}; this dynpart knows schemas up to ${failure.supported}`,
        'install the newer dynpart that wrote it: npm install -g dynpart@latest',
      );
    case 'state-older':
      return say(
        `the state file ${failure.file} has schema ${failure.schema}; this dynpart knows schemas from ${failure.oldest} on`,
        failure.schema < 1
          ? wayBack(failure.file)
          : 'let an older dynpart that knows it bring it forward: any command of it that changes something does',
      );
    case 'commit-unsure':
      return say(
        `this process was stopped while many others committed, and cannot tell whether its own commit ${failure.serial} of ${failure.file} was made`,
        'look (dynpart status, dynpart runs list), and run the command again if it was not',
      );
    case 'file-in-the-way':
      return say(
        `${failure.file} stays as it is: ${failure.why}`,
        'name another file, or remove this one first if nobody needs it',
      );
    case 'state-mounted':
      return say(
        `the state file ${failure.file} is a mount of its own: a commit puts a new file in its place, and cannot do so there`,
        'nothing was changed; mount the folder that it is in, not the file',
      );
    case 'state-too-large':
      return say(
        `the state file ${failure.file} would be larger than 512 MiB, which is the most that can be read again`,
        'nothing was changed; remove keys that are done: dynpart partitions remove SET --older-than 90d --keep-out, or let several pipelines share the work',
      );
    case 'clock-unusable':
      return say(
        `the clock of this machine is ${failure.ms} ms from 1970, outside the years 0 to 9999: records cannot hold such a time`,
        'nothing was changed; set the clock, then run the command again',
      );
    case 'state-io':
      return say(
        `cannot ${failure.action} ${failure.file}: ${failure.cause}`,
        'what was committed before stands, and nothing of this step was; check the disk and the permissions of the folder, then run the command again',
      );
    case 'value-damaged':
      return say(
        `the value of asset '${failure.asset}'${forKey(failure.key)} in ${failure.file} cannot be read: ${failure.cause}`,
        `materialize it again: dynpart materialize ${failure.asset}${failure.key === null ? '' : ` --key ${shellQuoted(failure.key)}`}`,
      );
    case 'copy-unusable':
      return say(
        `${failure.file} is no copy of a state that could be restored: ${failure.why}`,
        'nothing was changed; name a copy that dynpart state export made: dynpart state restore FILE',
      );
    case 'state-problems':
      return say(
        `${failure.file} has ${failure.count === 1 ? 'a problem' : `${failure.count} problems`}`,
        wayBack(failure.file),
      );
    default:
      return unreachable(failure);
  }
}

function hintForName(failure: Extract<Failure, { reason: 'unknown-name' }>): string {
  const list = {
    set: 'dynpart partitions list',
    sensor: 'dynpart sensor list',
    asset: 'dynpart assets list',
    run: 'dynpart runs list',
  }[failure.thing];
  if (failure.keyOf !== undefined)
    return `${quoted(failure.names[0]!)} is a key of set '${failure.keyOf}'; a key goes behind --key: dynpart materialize --key ${shellQuoted(failure.names[0]!, 'KEY')}`;
  if (failure.nearest.length > 0)
    return `did you mean ${failure.nearest.map(quoted).join(' or ')}? All of them: ${list}`;
  return failure.known === 0
    ? `there is no ${failure.thing} at all yet; see: ${list}`
    : `see which there are: ${list}`;
}

function foreignState({ state, owner, file, why }: Extract<Failure, { reason: 'foreign-state' }>): Problem {
  const [ours, theirs] = [quoted(file), owner === null ? 'another pipeline' : `pipeline ${quoted(owner)}`];
  const message = {
    another: `the state ${quoted(state)} belongs to ${theirs}, not to ${ours}`,
    'nothing-in-common': `the state ${quoted(state)} belongs to ${theirs}, and ${ours} has no set and no asset in common with that one`,
    shared: `the state ${quoted(state)} holds what ${ours} has made and what ${theirs} has made: an older dynpart let them share it`,
  }[why];
  const adopt = `dynpart -f ${shellQuoted(file, 'FILE')} --state ${shellQuoted(state, 'STATE')} state adopt`;
  return {
    code: 'foreign-state',
    message,
    hint: `nothing was changed. To make it the state of ${quoted(file)} from now on: ${adopt}; to use another state: --state FILE`,
  };
}

function badKey({ key, why, line }: BadKey): string {
  const shown = key.length > 60 ? `${key.slice(0, 60)}…` : key;
  return `${line === undefined ? '' : `line ${line}: `}${quoted(shown)}: ${why}`;
}

/** So many runs of a blocked process are named. */
const MOST_BLOCKED_RUNS = 3;

function withFrames(message: string, frames: readonly string[]): string {
  return [message, ...frames.map((frame) => `    ${frame}`)].join('\n');
}

function forKey(key: string | null): string {
  return key === null ? '' : ` for key ${quoted(key)}`;
}

function wayBack(file: string): string {
  return `nothing was changed. To take the newest intact generation: dynpart state restore --last --state ${file}; to take a copy: dynpart state restore FILE --state ${file}`;
}

/** A key or path as it can be pasted into a shell; one that cannot be typed stays a word. */
export function shellQuoted(key: string, word = 'KEY'): string {
  if (!/^[\x20-\x7e]+$/.test(key)) return word;
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(key) ? key : `'${key.replaceAll("'", `'\\''`)}'`;
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function unreachable(failure: never): never {
  throw new Error(`no words for ${JSON.stringify(failure)}`);
}
