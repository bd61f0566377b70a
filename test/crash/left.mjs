/** Looks at what a killed or refused command left in the state folder. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { nameless } from './strace.mjs';

/**
 * @import { RunRecord } from '../../src/model/run.ts'
 * @import { StateDocument } from '../../src/state/document/state-document.ts'
 * @typedef {ReturnType<typeof expectationOf>} Expectation
 */

const byText = (/** @type {string} */ a, /** @type {string} */ b) => (a < b ? -1 : Number(a > b));

/** @param {string} folder */
export function namesIn(folder) {
  return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
}

/**
 * @param {string} file
 * @returns {StateDocument | null}
 */
function documentAt(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * All documents that are kept, oldest first.
 * @param {string} folder
 */
export function documents(folder) {
  return ['state.json', ...namesIn(folder).filter((name) => /^\.state\.json\.\d{12}$/.test(name))]
    .map((name) => documentAt(path.join(folder, name)))
    .filter((document) => document !== null)
    .sort((a, b) => a.serial - b.serial);
}

/**
 * Who executes runs there is on another machine, and is judged by when it was seen last. In place: files that share a body share this one.
 * @param {string} folder
 * @param {string} seen
 */
export function putElsewhere(folder, seen) {
  for (const name of ['state.json', ...namesIn(folder).filter((one) => one.startsWith('.state.json.'))]) {
    const document = documentAt(path.join(folder, name));
    if (document === null || document.executors.length === 0) continue;
    const executors = document.executors.map((one) => ({
      ...one,
      host: 'elsewhere',
      bootId: 'other',
      disk: null,
      since: seen,
    }));
    fs.writeFileSync(path.join(folder, name), JSON.stringify({ ...document, executors }));
  }
  fs.rmSync(path.join(folder, 'executors'), { recursive: true, force: true });
}

/** @param {string} file */
function linesIn(file) {
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line)];
      } catch {
        return [];
      }
    });
}

/**
 * @template T
 * @param {Readonly<Record<string, T>>} object
 * @param {(entry: T) => unknown} of
 */
function entries(object, of) {
  return Object.entries(object)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, entry]) => [name, of(entry)]);
}

/**
 * What one commit must bring together: keys, cursors, spent run keys, the outcome of the tick.
 * @param {StateDocument | null} document
 * @param {boolean} versions whether those of sensors count
 */
export function atomicPart(document, versions) {
  return JSON.stringify({
    sets: entries(document?.sets ?? {}, ({ keys, added, keptOut, versions, items }) => [
      keys,
      added.map(([count]) => count),
      keptOut,
      versions ?? '',
      items ?? [],
    ]),
    sensors: entries(
      document?.sensors ?? {},
      ({ status, cursor, version, lastTick, quietSince, runKeys }) => [
        status,
        // Of the tick that added keys, and of no other.
        quietSince && quietSince === lastTick?.finishedAt,
        cursor,
        versions ? version : null,
        runKeys,
        lastTick && [
          lastTick.status,
          lastTick.partitions,
          lastTick.cursor,
          lastTick.runs.map((one) => one.partitionKey),
        ],
      ],
    ),
    // A key does not go without the word of who took it out.
    why: (document?.runs ?? []).flatMap(({ keys, why = {} }) =>
      Object.values(why).map((words) => [keys, words]),
    ),
  });
}

/**
 * For each key what its assets are and which runs it waits for. What a run has made on its way is no part of its own: stopped
 * there, the run goes on, and its end is the same.
 * @param {StateDocument | null} document
 */
function keyParts(document) {
  /** @type {Map<string, string>} */
  const parts = new Map();
  for (const [set, { keys }] of Object.entries(document?.sets ?? {})) {
    keys.forEach((key, at) => {
      const assets = Object.entries(document?.assets ?? {}).filter(([, asset]) => asset.set === set);
      const onTheWay = madeOnTheWay(document, set, key);
      const statuses = assets
        .map(([name, { status, retries = [] }]) => {
          const failures = retries.find(([failed]) => failed === key)?.[1];
          return `${name}${failures === undefined ? '' : ` failed ${failures} times in a row:`} ${status[at] ?? '.'}`;
        })
        .filter((text) => !text.endsWith('.') && !onTheWay.delete(text));
      // On record with its run and not with its key.
      for (const text of onTheWay) statuses.push(`${text} of a run alone`);
      const runs = (document?.runs ?? []).flatMap((group) =>
        group.set !== set
          ? []
          : group.keys.flatMap((other, run) =>
              other === key
                ? [
                    [
                      group.assets,
                      group.sensor,
                      group.status[run] === 'c',
                      group.runKeys === 'keys' ? key : null,
                    ],
                  ]
                : [],
            ),
      );
      parts.set(`${set}/${key}`, JSON.stringify([statuses.sort(), runs]));
    });
  }
  return parts;
}

/**
 * What else a key may be while a run of it goes on: what was stale is not any more, from the first of its assets on.
 * @param {string} part
 */
function partsOnTheWay(part) {
  /** @type {[string[], [string[]][]]} */
  const [statuses, runs] = JSON.parse(part);
  return runs.flatMap(([assets]) =>
    assets.slice(0, -1).map((_, at) => {
      const made = assets.slice(0, at + 1);
      const left = statuses.filter(
        (text) =>
          !made.some((asset) => /^[vcu]$/.test(text.slice(asset.length + 1)) && text.startsWith(`${asset} `)),
      );
      return JSON.stringify([left, runs]);
    }),
  );
}

/**
 * What pending runs of a key have made so far, as statuses.
 * @param {StateDocument | null} document
 * @param {string} set
 * @param {string} key
 */
function madeOnTheWay(document, set, key) {
  return new Set(
    (document?.runs ?? []).flatMap((group) =>
      group.set !== set
        ? []
        : group.keys.flatMap((other, run) =>
            other === key
              ? (group.done?.[String(group.numbers[run])] ?? []).map(
                  ({ asset, skipReason }) => `${asset} ${skipReason === null ? 'm' : 's'}`,
                )
              : [],
          ),
    ),
  );
}

/**
 * The runs on record, each once: its newest record, unless that was taken back.
 * @param {string} folder
 */
function recordedRuns(folder) {
  const seen = new Set();
  /** @type {string[]} */
  const records = [];
  /** @type {string[]} */
  const retracted = [];
  for (const file of namesIn(path.join(folder, 'history'))
    .filter((name) => name.startsWith('runs.'))
    .reverse()) {
    for (const record of linesIn(path.join(folder, 'history', file)).reverse()) {
      if ('retracted' in record) {
        retracted.push(record.retracted);
        continue;
      }
      /** @type {RunRecord} */
      const run = record;
      const taken = retracted.indexOf(run.id);
      if (taken !== -1) retracted.splice(taken, 1);
      else if (!seen.has(run.id)) {
        seen.add(run.id);
        const { partitionKey, status, sensor, runKey, assets, error } = run;
        records.push(
          JSON.stringify([
            partitionKey,
            status,
            sensor,
            runKey,
            assets.map((one) => [one.asset, one.status]),
            error?.code,
            status === 'CANCELED' ? error?.message : null,
          ]),
        );
      }
    }
  }
  return records.sort();
}

/** @param {string} folder */
function ticksThatChanged(folder) {
  const ticks = path.join(folder, 'history', 'ticks');
  return namesIn(ticks)
    .flatMap((name) => linesIn(path.join(ticks, name)))
    .filter(({ status }) => status === 'SUCCESS').length;
}

/**
 * What user code printed in the runs on record, each line once: a run that was interrupted says it again.
 * @param {string} folder
 */
function logged(folder) {
  const logs = path.join(folder, 'logs');
  const lines = namesIn(logs)
    .flatMap((name) => linesIn(path.join(logs, name)))
    .map(({ asset, text }) => `${asset}: ${text}`);
  return [...new Set(lines)].sort(byText);
}

const isStaged = (/** @type {string} */ name) => /\.(?:bin|none|json|gone)~[^~.]+~?$/.test(name);

/**
 * Every value under its name, as bytes; or those that wait for their place.
 * @param {string} folder
 */
function valuesIn(folder, staged = false) {
  /** @type {Map<string, string>} */
  const values = new Map();
  const root = path.join(folder, 'values');
  for (const asset of namesIn(root).filter((name) => name !== '.tmp'))
    for (const name of namesIn(path.join(root, asset)).filter((one) => isStaged(one) === staged))
      values.set(
        `${asset}/${staged ? name.replace(/~[^~]+~?$/, '') : name}`,
        fs.readFileSync(path.join(root, asset, name), 'latin1'),
      );
  return values;
}

/**
 * Values that somebody's word ends, as journals have them: as `asset/name`.
 * @param {string} folder
 */
function removalsByHand(folder) {
  const journals = path.join(folder, 'values/.tmp');
  return new Set(
    namesIn(journals)
      .filter((name) => !name.startsWith('boot-'))
      .flatMap((name) => linesIn(path.join(journals, name)))
      .filter(({ run }) => run === '')
      .map(({ file }) => file.split('/').slice(-2).join('/')),
  );
}

/** @param {string} folder */
export function leftovers(folder) {
  /** @param {string} name */
  const within = (name) => namesIn(path.join(folder, name)).map((entry) => `${name}/${entry}`);
  const own = namesIn(folder);
  const generations = own.filter((name) => /^\.state\.json\.\d{12}$/.test(name));
  return [
    ...within('executors'),
    ...within('claims'),
    ...within('values/.tmp').filter((name) => !name.includes('/boot-')),
    ...own.filter((name) => name.includes('.tmp')),
    ...(generations.length > 16 ? [`${generations.length} generations`] : []),
  ];
}

/**
 * What an undisturbed run leaves, and everything that it was on the way there.
 * @param {string} startFolder
 * @param {string} endFolder
 * @param {boolean} versions
 */
export function expectationOf(startFolder, endFolder, versions) {
  /** @type {Map<string, Map<string, Set<string>>>} for each whole commit what each key may be in it */
  const known = new Map();
  const startValues = valuesIn(startFolder);
  const last = documents(startFolder).at(-1) ?? null;
  const reached = documents(endFolder).filter(({ serial }) => serial > (last?.serial ?? 0));
  for (const document of [last, ...reached]) {
    const atomic = atomicPart(document, versions);
    const keys = known.get(atomic) ?? new Map();
    known.set(atomic, keys);
    for (const [key, part] of keyParts(document)) {
      const parts = keys.get(key) ?? new Set();
      keys.set(key, parts);
      for (const one of [part, ...partsOnTheWay(part)]) parts.add(one);
    }
  }
  return {
    known,
    startSerial: last?.serial ?? 0,
    startValues,
    startText: textOf(path.join(startFolder, 'state.json')),
    versions,
    end: endOf(endFolder, versions),
    values: valuesIn(endFolder),
  };
}

/**
 * @param {string} folder
 * @param {boolean} versions
 */
export function endOf(folder, versions) {
  const document = documents(folder).at(-1) ?? null;
  return JSON.stringify(
    {
      atomic: JSON.parse(atomicPart(document, versions)),
      keys: entries(Object.fromEntries(keyParts(document)), (part) => part),
      runs: recordedRuns(folder),
      logged: logged(folder),
      ticks: ticksThatChanged(folder),
      executors: document?.executors.length ?? 0,
      pending: document?.runs.length ?? 0,
      values: Object.keys(Object.fromEntries(valuesIn(folder))).sort(byText),
    },
    null,
    1,
  );
}

/**
 * Whether what is left is the old commit or a later one of the same run, and whole.
 * @param {string} folder
 * @param {Expectation} expectation
 */
export function problemsOf(folder, { known, startSerial, startValues, startText, values, versions }) {
  /** @type {string[]} */
  const problems = [];
  const found = documents(folder);
  const document = found.at(-1) ?? null;
  if ((document?.serial ?? 0) < startSerial)
    problems.push(`serial ${document?.serial} is older than the start's ${startSerial}`);
  for (const one of [document, ...found.filter(({ serial }) => serial > startSerial)]) {
    const keys = known.get(atomicPart(one, versions));
    if (keys === undefined) {
      problems.push(`neither the old nor the new commit: ${atomicPart(one, versions).slice(0, 600)}`);
      continue;
    }
    for (const [key, part] of keyParts(one))
      if (!keys.get(key)?.has(part))
        problems.push(`${key} is ${part}, expected one of ${[...(keys.get(key) ?? [])].join(' ')}`);
  }
  const there = valuesIn(folder);
  // Put in place by the next process that executes runs, when its run is on record.
  const waiting = valuesIn(folder, true);
  for (const [name, bytes] of there)
    if (bytes !== values.get(name) && bytes !== startValues.get(name))
      problems.push(`the value ${name} is torn: ${bytes.length} bytes`);
  const goingByHand = removalsByHand(folder);
  // On record, so the value is there: in the state, and in the history of a run that has left it.
  for (const [asset, { set, status }] of Object.entries(document?.assets ?? {})) {
    status.split('').forEach((letter, at) => {
      const name = `${asset}/${document?.sets[set ?? '']?.keys[at]}.json`;
      if ('mFvucVCUWDX'.includes(letter) && !there.has(name) && !waiting.has(name))
        problems.push(`${name} is on record and not there`);
      // What is not stale was made of the version that its key has.
      const version = document?.sets[set ?? '']?.versions?.split('\n')[at] || null;
      const gone = name.replace(/json$/, 'gone');
      if (letter === 's' && there.has(name) && !waiting.has(gone) && !goingByHand.has(gone))
        problems.push(`${name} was skipped, and its value stays`);
      const isOfIt = (/** @type {string | undefined} */ bytes) =>
        bytes !== undefined && JSON.parse(bytes).version === version;
      if (letter === 'm' && version !== null && !isOfIt(there.get(name)) && !isOfIt(waiting.get(name)))
        problems.push(`${name} counts as made of version ${version}, and was not`);
    });
  }
  // A copy that was kept before a restore or a migration is the only way back from it.
  for (const name of namesIn(folder).filter((one) => /\.before-(?:restore|schema)-/.test(one))) {
    const text = textOf(path.join(folder, name));
    if (text !== startText && documentAt(path.join(folder, name)) === null)
      problems.push(`the copy ${name} is torn: ${text?.length} bytes`);
  }
  const copies = namesIn(folder).filter((one) => one.includes('.before-schema-'));
  if (
    startText?.startsWith('{"schema":1,') &&
    // In schema 1 there were none.
    found.some(({ writers }) => writers !== undefined) &&
    copies.length !== 1
  )
    problems.push(`it was migrated, and there are ${copies.length} copies of what it was before`);
  return problems;
}

/** @param {string} file */
export function textOf(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
}

/**
 * Temporaries that a process should have removed, and claims that it should have given up; others' were there before.
 * @param {string} folder
 * @param {string} before
 */
export function forgotten(folder, before) {
  // A dead one's claim is kept under another name until what is left of its programs was looked for.
  const there = new Set(leftovers(before).map((name) => textOf(path.join(before, name))));
  return leftovers(folder)
    .filter((name) => name.startsWith('claims/') || name.startsWith('.state.json.tmp'))
    .filter((name) => !there.has(textOf(path.join(folder, name))));
}

/**
 * One text for folders that no command can tell apart: all names and bytes, and which names share their content;
 * process tags, pids, times and the letters of ids aside.
 * @param {string} project
 */
export function fingerprintOf(project) {
  const files = fs
    .readdirSync(project, { recursive: true, withFileTypes: true })
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ file, name: nameless(file.slice(project.length)), stat: fs.lstatSync(file) }))
    .sort((a, b) => byText(a.name, b.name) || a.stat.size - b.stat.size);
  /** @type {Map<number, number>} */
  const inodes = new Map();
  /** @type {Map<string, string>} */
  const ids = new Map();
  const hash = createHash('sha256');
  for (const { file, stat } of files) {
    if (!inodes.has(stat.ino)) inodes.set(stat.ino, inodes.size);
    const text = stat.isDirectory() ? 'folder' : fs.readFileSync(file, 'latin1');
    // Who is meant by an id matters, its letters do not.
    const numbered = `${file.slice(project.length)}\n${text}`
      .replaceAll(project, '')
      .replace(/\b0[a-z0-9]{14}\b/g, (id) => {
        const number = ids.get(id) ?? `NUMBER${ids.size}`;
        ids.set(id, number);
        return number;
      })
      .replace(/"(pid|startTime|lineage)":("[^"]*"|\d+)/g, '"$1":0')
      .replace(/^at \d+$/gm, 'at 0');
    hash.update(`${inodes.get(stat.ino)} ${nameless(numbered)}\0`);
  }
  return hash.digest('hex');
}

/**
 * With its hard links: the state file shares its content with a generation.
 * @param {string} from
 * @param {string} to
 */
export function copy(from, to) {
  fs.rmSync(to, { recursive: true, force: true });
  /** @type {Map<number, string>} */
  const linked = new Map();
  /**
   * @param {string} source
   * @param {string} target
   */
  const copyFile = (source, target) => {
    const { ino, nlink, atime, mtime } = fs.statSync(source);
    const first = linked.get(ino);
    if (first !== undefined) return fs.linkSync(first, target);
    fs.copyFileSync(source, target);
    fs.utimesSync(target, atime, mtime);
    if (nlink > 1) linked.set(ino, target);
    return undefined;
  };
  /**
   * @param {string} source
   * @param {string} target
   */
  const copyFolder = (source, target) => {
    fs.mkdirSync(target);
    for (const entry of fs.readdirSync(source, { withFileTypes: true }))
      (entry.isDirectory() ? copyFolder : copyFile)(
        path.join(source, entry.name),
        path.join(target, entry.name),
      );
  };
  copyFolder(from, to);
}
