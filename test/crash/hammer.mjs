/**
 * Many real processes at once on one state, which are killed, stopped and let go on at every moment of their lives.
 *
 *     npm run test:hammer                               five minutes
 *     node test/crash/hammer.mjs --seconds 30 --lanes 16 --seed 7 --keep
 *     node test/crash/hammer.mjs --only add,remove,check    only these kinds of commands
 *     node test/crash/hammer.mjs --root /tmp/copy       another checkout's build
 *     node test/crash/hammer.mjs --go-on                do not end at the first problem
 *     node test/crash/hammer.mjs --seconds 12 --least 4 go on for a minute more, until so many were killed and so many stopped
 *
 * A process is struck at a random time, some moments after something that it was seen to do (a temporary, a claim, an
 * executor's file, the beginning of a run), or at a call of its own on the state folder (`hammer/point.cjs`). It is made
 * to stand still first: so it can be said in which phase it was, and its killing is in the log before it happens. What
 * is asked for, what was acknowledged and what must follow is in `hammer/ledger.mjs`; the last word in
 * `hammer/last-checks.mjs`. A seed repeats the choices, not the times.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Chance } from './hammer/chance.mjs';
import { CarriedLedger, changeAll, checkCarried } from './hammer/carried.mjs';
import { ALONE, COMMITS, EVALUATES, EXECUTES, KINDS, LASTING, WEIGHTS } from './hammer/kinds.mjs';
import { grow, rawState } from './hammer/commands.mjs';
import { CursorLedger, KeyLedger, ListLedger, RunLedger } from './hammer/ledger.mjs';
import {
  checkFolder,
  checkHistory,
  checkRuns,
  checkSets,
  checkStatuses,
  replay,
} from './hammer/last-checks.mjs';
import { checkMany } from './hammer/many.mjs';
import { checkOld } from './hammer/old.mjs';
import { checkOther, checkWhose, OTHER_FILE } from './hammer/other.mjs';
import { checkTold } from './hammer/told.mjs';
import { MEANING, Notes, PHASES } from './hammer/phases.mjs';
import { KILLS, pipelineOf, PROGRAM, SENSORS } from './hammer/pipeline.mjs';
import { newestGeneration, Victim } from './hammer/victim.mjs';

/**
 * @import { Answer, Command, Lane } from './hammer/commands.mjs'
 * @import { Kind } from './hammer/kinds.mjs'
 * @import { Field } from './hammer/ledger.mjs'
 * @import { Phase } from './hammer/phases.mjs'
 * @import { Plan } from './hammer/victim.mjs'
 * @import { Ended } from './strace.mjs'
 * @import { StateDocument } from '../../src/state/document/state-document.ts'
 * @typedef {Record<'started' | 'ended' | 'killed' | 'stopped', number>} Row of commands of one kind
 * @typedef {'commits' | 'executes' | 'evaluates'} Sort
 */

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    least: { type: 'string', default: '0' },
    lanes: { type: 'string', default: '12' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    root: { type: 'string', default: path.resolve(import.meta.dirname, '../..') },
    keep: { type: 'boolean', default: false },
    'go-on': { type: 'boolean', default: false },
  },
});

/** So much longer than asked for it goes on at most. */
const LONGER_MS = 60_000;

/** Of a hundred commands so many are left alone, killed, stopped, and stopped and then killed. */
const FATES = { none: 40, kill: 26, stop: 24, both: 10 };

/** Calls on the state folder at which a process may be struck, by which commands make them. */
/** @type {Readonly<Record<Sort, readonly string[]>>} */
const CALLS = {
  commits: [
    'open temporary',
    'write temporary',
    'sync temporary',
    'link generation',
    'link generation',
    'rename state',
    'rename state',
    'sync folder',
    'unlink temporary',
    'unlink generation',
  ],
  executes: [
    'open executors',
    'write executors',
    'unlink executors',
    'write values',
    'sync values',
    'link values',
    'rename values',
    'write runs',
    'write runs',
    'write runs',
    'sync runs',
  ],
  evaluates: ['open claims', 'link claims', 'rename claims', 'unlink claims', 'write ticks'],
};

/** What can be seen of a process from the outside, and how long after it a strike may come. */
/** @type {Readonly<Record<Sort, readonly (readonly [event: string, most: number])[]>>} */
const EVENTS = {
  commits: [['temporary', 12]],
  executes: [
    ['executor', 150],
    ['begin', 150],
    ['begin', 150],
    ['value', 60],
  ],
  evaluates: [
    ['claim', 80],
    ['look', 80],
    ['load', 60],
  ],
};

const base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-hammer-')));
const project = path.join(base, 'project');
const state = path.join(project, '.dynpart');
const logFile = path.join(project, 'hammer.log');
const otherLog = path.join(project, 'other.log');
const beside = path.join(state, 'other.dynpart');
const traceFile = path.join(base, 'trace.jsonl');

/** @type {Map<string, number>} */
const counts = new Map();
/** @type {{ how: 'kill' | 'stop', phase: Phase, way: string }[]} */
const strikes = [];
/** @type {unknown[]} */
const problems = [];
/** @type {Map<string, Row>} */
const commands = new Map();

/** @type {Field} */
const field = {
  base,
  project,
  place: { folder: state, file: 'state.json', beside: state },
  prefix: '',
  logFile,
  binary: path.join(path.resolve(flags.root), 'bin/dynpart.cjs'),
  pointFile: path.join(import.meta.dirname, 'hammer/point.cjs'),
  over: false,
  /** From then on nobody begins anything, and sleepers are woken. */
  until: Infinity,
  files: 0,
  victims: new Map(),
  lists: { feed: [], pairs: [] },
  items: new KeyLedger(),
  carried: new CarriedLedger(),
  mirror: new ListLedger(),
  cursor: new CursorLedger(),
  runs: new RunLedger(),
  keptOut: new Map(),
  keptOutChanges: 0,
  stopped: { status: null, changes: 0 },
  seenFound: [],
  notes: new Notes(logFile, (word, pid) => field.victims.get(pid)?.saw(word)),
  mark: (line) => fs.appendFileSync(logFile, `${line}\n`),
  count: (name, by = 1) => counts.set(name, (counts.get(name) ?? 0) + by),
  struck: (how, phase, way) => strikes.push({ how, phase, way }),
  problem(problem) {
    problems.push(problem);
    const { what, args, output } = problem;
    console.log(
      `\nPROBLEM (seed ${flags.seed})${args === undefined ? '' : `  dynpart ${args.join(' ')}`}\n` +
        `${what.map((text) => `  ${text}\n`).join('')}${output === undefined ? '' : `  ${JSON.stringify(output)}\n`}`,
    );
    if (!flags['go-on']) field.over = true;
  },
};

/** What is the other pipeline's own; all else is shared. */
/** @type {Field} */
const other = Object.assign(Object.create(field), {
  place: { folder: state, file: 'other.json', beside },
  prefix: 'other.',
  logFile: otherLog,
  lists: { feed: [], pairs: [] },
  runs: new RunLedger(),
  notes: new Notes(otherLog, (word, pid) => field.victims.get(pid)?.saw(word)),
  mark: (/** @type {string} */ line) => fs.appendFileSync(otherLog, `${line}\n`),
});
field.other = other;

/** The one thing that may be said: somebody was killed between the two steps of a commit. */
const MAY_BE_SAID =
  /^(?:\d{4}-[\d-]+T[\d:.]+Z )?warning: .* holds serial \d+, its newest generation \d+: the generation is used\./;

// ── One command ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * What a process that was not killed has answered, or `null` when that is a problem.
 * @param {Ended & { told: boolean }} outcome
 * @param {Pick<Command, 'exits' | 'lines' | 'mayWarn'>} command
 * @param {string[]} found
 * @returns {readonly Answer[] | null}
 */
function documentOf({ code, stdout, stderr, told }, { exits = [0], lines = false, mayWarn }, found) {
  const said = stderr.split('\n').filter((line) => line !== '' && mayWarn?.test(line) !== true);
  for (const line of said) if (!MAY_BE_SAID.test(line)) found.push(`it said: ${line}`);
  if (said.length > 0) field.count('warnings of a newer generation', said.length);
  const documents = stdout.split('\n').slice(0, -1);
  if (code === null || !(told ? [...exits, 143] : exits).includes(code)) found.push(`exit code ${code}`);
  if (!lines && documents.length !== 1) found.push(`${documents.length} documents`);
  try {
    return documents.map((text) => JSON.parse(text));
  } catch {
    found.push('its output is no JSON');
    return null;
  }
}

/**
 * @param {string} kind
 * @param {Command} command
 * @param {Plan | null} plan
 * @param {number} began
 * @returns {Promise<Answer | null>}
 */
async function run(kind, command, plan, began = Date.now()) {
  const args = [...command.args, '--json'];
  const victim = new Victim(command.field ?? field, { args, plan, term: command.term });
  const result = await victim.ended;
  const record = { kind, args, pid: victim.pid, began, ms: Date.now() - began, ...result, done: victim.done };
  fs.appendFileSync(traceFile, `${JSON.stringify(record)}\n`);
  const row = commands.get(kind) ?? { started: 0, ended: 0, killed: 0, stopped: 0 };
  commands.set(kind, row);
  row.started++;
  if (victim.done.some((text) => text.startsWith('stopped'))) row.stopped++;
  if (result.itself) field.count('processes that a run took down');
  if (victim.hung) {
    field.problem({ what: ['it never ended', ...victim.done], args, output: result });
    return null;
  }
  if (field.over && result.signal === 'SIGKILL') {
    await command.killed();
    return null;
  }
  if (result.signal !== null && !(result.signal === 'SIGKILL' && result.killed)) {
    // Told to stop before it listened.
    if (result.signal === 'SIGTERM' && victim.told) row.killed++;
    else field.problem({ what: [`ended by ${result.signal}`, ...victim.done], args, output: result });
    await command.killed();
    return null;
  }
  if (result.signal === 'SIGKILL') {
    row.killed++;
    await command.killed();
    return null;
  }
  row.ended++;
  /** @type {string[]} */
  const found = [];
  const lines = documentOf({ ...result, told: victim.told }, command, found);
  // Of several lines there may be none.
  const [answer = /** @type {Answer} */ ({})] = lines ?? [];
  if (lines !== null && found.length === 0) {
    try {
      command.ended(answer, found, lines);
    } catch (error) {
      found.push(`its answer is not as it should be: ${stackOf(error)}`);
    }
  }
  if (found.length > 0) field.problem({ what: [...found, ...victim.done], args, output: result });
  return lines === null ? null : answer;
}

/** @param {unknown} error */
function stackOf(error) {
  return error instanceof Error ? error.stack : String(error);
}

/**
 * What is to become of a command.
 * @param {Kind} kind
 * @param {Chance} chance
 * @param {number} usual
 * @returns {Plan | null}
 */
function fateOf(kind, chance, usual) {
  const how = chance.weighed(FATES);
  // What only reads is over before it has made anything: some are enough.
  if (how === 'none' || (!COMMITS.has(kind) && chance.is(0.75))) return null;
  const makers = { commits: COMMITS, executes: EXECUTES, evaluates: EVALUATES };
  const sorts = /** @type {Sort[]} */ (Object.keys(makers)).filter((sort) => makers[sort].has(kind));
  const loads = sorts.includes('executes') || sorts.includes('evaluates');
  const ways = { time: loads ? 25 : 8, event: 30, point: 45 };
  const way = sorts.length === 0 ? 'time' : chance.weighed(ways);
  const plan = { how, for: chance.time(10, 3000), window: chance.is(0.4) };
  // While its program is at work: that goes on alone.
  if (kind === 'program' && chance.is(0.6))
    return { ...plan, how: 'kill', when: { event: 'begin', delay: 50 + chance.next() * 700 } };
  if (way === 'time') {
    // Of those that load the pipeline most of the time from there on: before it there is only node's start.
    if (loads && chance.is(0.8))
      return { ...plan, when: { event: 'load', delay: chance.next() * usual * 0.6 } };
    return { ...plan, when: { ms: (0.2 + chance.next()) * usual } };
  }
  const sort = chance.of(sorts);
  if (way === 'event') {
    const [event, most] = chance.of(EVENTS[sort]);
    return { ...plan, when: { event, delay: chance.next() * most } };
  }
  const side = chance.of(['before', 'after', 'after']);
  const nth = 1 + Math.floor(chance.next() ** 3 * 3);
  return { ...plan, when: { point: `${chance.of(CALLS[sort])} ${side} ${nth}` } };
}

// ── Lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @type {Set<Kind>} */
const alone = new Set();

/**
 * @param {(kind: Kind) => boolean} holds
 * @returns {Kind[]}
 */
function kindsWhere(holds) {
  return /** @type {Kind[]} */ (Object.keys(WEIGHTS)).filter(holds);
}

/** @param {readonly Kind[]} kinds */
function weightsOf(kinds) {
  return /** @type {Partial<typeof WEIGHTS>} */ (
    Object.fromEntries(kinds.map((kind) => [kind, WEIGHTS[kind]]))
  );
}

/** @param {number} at */
async function lane(at) {
  const chance = new Chance(Number(flags.seed) * 1000 + at);
  const name = `l${at}`;
  /** @type {Lane} */
  const self = {
    name,
    chance,
    field,
    count: 0,
    keys: Array.from({ length: 6 }, (_, key) => `${name}/k${key}`),
    quiet: async (args, exits = [0]) =>
      field.over ? null : run('look', { args, exits, ended: () => undefined, killed: () => undefined }, null),
  };
  /** @type {Map<Kind, number>} */
  const usual = new Map();
  const only = flags.only?.split(',');
  const weights = kindsWhere((kind) => only?.includes(kind) ?? true);
  while (!field.over && Date.now() < field.until) {
    const free = weights.filter((kind) => !alone.has(kind));
    if (free.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    const kind = chance.weighed(weightsOf(free));
    // One that lasts of each is enough: they would take all the work.
    if (ALONE.has(kind) || LASTING.has(kind)) alone.add(kind);
    try {
      const command = KINDS[kind](self);
      const began = Date.now();
      const took = usual.get(kind) ?? 600;
      const document = await run(kind, command, fateOf(kind, chance, command.term ?? took), began);
      if (document !== null) usual.set(kind, took * 0.8 + (Date.now() - began) * 0.2);
    } finally {
      alone.delete(kind);
    }
  }
}

/**
 * Looks at the file itself all the time: it is one whole document, whoever is writing.
 * @param {AbortSignal} done
 */
async function watchFile(done) {
  while (!done.aborted) {
    try {
      const { schema, serial, sets } = JSON.parse(fs.readFileSync(path.join(state, 'state.json'), 'utf8'));
      if (!(schema > 0) || !(serial > 0) || typeof sets !== 'object') throw new Error('it is no state');
      field.count('looks at the file itself');
    } catch (error) {
      field.problem({ what: [`state.json: ${stackOf(error)}`] });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Sees what processes do, by the names of the files that they make and by the log. */
function watchFolders() {
  /** @type {[folder: string, event: string][]} */
  const places = [
    [state, 'temporary'],
    [path.join(state, 'executors'), 'executor'],
    [path.join(state, 'claims'), 'claim'],
    [path.join(state, 'values', '.tmp'), 'value'],
    [path.join(beside, 'executors'), 'executor'],
    [path.join(beside, 'claims'), 'claim'],
    [path.join(beside, 'values', '.tmp'), 'value'],
  ];
  const watched = places.map(([folder, event]) =>
    fs.watch(folder, (_, name) => {
      const pid = /(?:^|\.)(\d+)-\d+-[0-9a-f]+/.exec(name ?? '')?.[1];
      if (pid !== undefined) field.victims.get(Number(pid))?.saw(event);
    }),
  );
  watched.push(fs.watch(logFile, () => field.notes.read()));
  watched.push(fs.watch(otherLog, () => other.notes.read()));
  return () => watched.forEach((watcher) => watcher.close());
}

// ── All of it ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * @param {readonly string[]} args
 * @param {readonly number[]} exits
 * @returns {Promise<Answer>}
 */
const ask = async (args, exits = [0, 1]) => {
  const document = await run('last', { args, exits, ended: () => undefined, killed: () => undefined }, null);
  if (document === null) throw new Error(`${args.join(' ')}: it gave no answer`);
  return document;
};

/**
 * @param {readonly string[]} args
 * @returns {Promise<Answer>}
 */
const askOther = async (args) => {
  const command = { args: ['-f', OTHER_FILE, ...args], exits: [0, 1], field: other };
  const document = await run('last', { ...command, ended: () => undefined, killed: () => undefined }, null);
  if (document === null) throw new Error(`${args.join(' ')}: it gave no answer`);
  return document;
};

async function prepare() {
  fs.mkdirSync(project);
  /** @type {[file: string, name: string, Field][]} */
  const pipelines = [
    ['pipeline.ts', 'pipeline', field],
    [OTHER_FILE, 'other', other],
  ];
  for (const [file, name, { logFile: log, prefix, place }] of pipelines) {
    const side = path.relative(project, place.beside);
    fs.writeFileSync(path.join(project, file), pipelineOf({ name, log: path.basename(log), side, prefix }));
    fs.writeFileSync(log, '');
    for (const list of ['feed.txt', 'pairs.txt', 'carried.txt'])
      fs.writeFileSync(path.join(project, `${prefix}${list}`), '');
  }
  fs.writeFileSync(path.join(project, 'program.sh'), PROGRAM);
  grow(field, 'feed');
  grow(field, 'pairs');
  grow(other, 'feed');
  // Some from the beginning on: in a short run they come seldom.
  await ask(['partitions', 'add', 'parts', 'p0', 'p1', 'p2', 'p3']);
  other.runs.note(
    (await askOther(['sensor', 'tick', 'feed'])).ticks.flatMap(({ runs }) => runs),
    'tick',
  );
  field.runs.note(
    (await ask(['sensor', 'tick'])).ticks.flatMap(({ runs }) => runs),
    'tick',
  );
}

/**
 * The state as the program has it. The file itself stays behind its newest generation where somebody was killed in between
 * and nothing was committed since: whoever reads that alone sees runs that have ended.
 * @param {(args: readonly string[]) => Promise<Answer>} asking
 * @param {string} name
 * @returns {Promise<StateDocument>}
 */
async function exported(asking, name) {
  const file = path.join(project, name);
  fs.rmSync(file, { force: true });
  await asking(['state', 'export', name]);
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

/**
 * Some runs still take their process down: whoever takes up what is left is killed, too, three times a run at most.
 * @param {() => Promise<void>} work
 */
async function persistently(work) {
  for (let tries = 0; ; tries++) {
    try {
      await work();
      return;
    } catch (error) {
      if (tries > 60) throw error;
    }
  }
}

/**
 * The last commit of the other pipeline is cut between its link and its rename, and no later one puts that right: of what it
 * recorded nothing is left to do.
 */
async function cutLastCommit() {
  do {
    await persistently(async () => {
      await askOther(['sensor', 'tick', 'feed']);
      await askOther(['worker', '--once']);
    });
    grow(other, 'feed');
  } while (other.lists.feed.at(-1)?.endsWith(KILLS) === true);
  // The first commit is the tick with its run, the second one the end of that.
  /** @type {Plan} */
  const plan = { how: 'kill', for: 0, window: false, when: { point: 'rename state before 2' } };
  const args = ['-f', OTHER_FILE, 'sensor', 'tick', 'feed'];
  await run(
    'last',
    { args, exits: [0, 1], field: other, ended: () => undefined, killed: () => undefined },
    plan,
  );
  const inFile = rawState(other);
  if (inFile.serial < newestGeneration(other.place) && inFile.runs.length > 0)
    field.count('last commits that were cut between their two steps');
}

/** Until nothing is left to do: what killed processes left is taken up by others, and what failed is tried again. */
async function drain() {
  /** @type {unknown} */
  let left = null;
  for (let rounds = 0; rounds < 16; rounds++) {
    const { ticks } = await ask(['sensor', 'tick', ...SENSORS]);
    await ask(['worker', '--once']);
    await askOther(['sensor', 'tick', 'feed']);
    await askOther(['worker', '--once']);
    const documents = [await exported(ask, 'drain.json'), await exported(askOther, 'other-drain.json')];
    const pending = documents.flatMap(({ runs }) => runs);
    const { runs: queued } = await ask(['runs', 'list', '--status', 'QUEUED']);
    const isAsking = ticks.some(({ sensor, runs }) => sensor === 'automation' && runs.length > 0);
    if (pending.length === 0 && queued.length === 0 && !isAsking) return;
    left = { documents: documents.map(({ runs, executors }) => ({ runs, executors })), queued, ticks };
    // What failed is tried again a second later.
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  field.problem({ what: ['runs are left after sixteen rounds'], output: left });
}

async function lastChecks() {
  changeAll(field);
  await cutLastCommit();
  await persistently(drain);
  // One more of each, for what is only tidied by the way.
  await ask(['partitions', 'add', 'items', 'last']);
  field.items.change(['last'])(() => true);
  await ask(['materialize', 'mark', '--key', 'last']);
  await ask(['sensor', 'tick', ...SENSORS]);
  await ask(['worker', '--once']);
  const { ok, problems: found } = await ask(['state', 'check']);
  if (!ok) field.problem({ what: [`state check: ${JSON.stringify(found)}`] });
  const document = await exported(ask, 'last.json');
  const { runs } = await ask(['runs', 'list', '--limit', '1000000']);
  const status = await ask(['status']);
  const { runs: ofOther } = await askOther(['runs', 'list', '--limit', '1000000']);
  const { ok: isWell, problems: wrong } = await askOther(['state', 'check']);
  if (!isWell) field.problem({ what: [`state check of the other: ${JSON.stringify(wrong)}`] });
  const otherDocument = await exported(askOther, 'other-last.json');
  field.notes.read();
  const putBacks = strikes.filter(({ way }) => way.startsWith('rename claims')).length;
  const told = replay(fs.readFileSync(logFile, 'utf8'), putBacks);
  /** @type {[string, string[]][]} */
  const looks = [
    ['the log of executions', told.problems],
    ['the runs', checkRuns(field, runs, told.interrupted)],
    ['the history', checkHistory(field, told.killedIn)],
    ['the statuses', checkStatuses(field, document, runs, status)],
    ['the sets', checkSets(field, document)],
    ['what carries a version', checkCarried(field, document, runs)],
    ['what is made of many keys', checkMany(field, document)],
    ['what a rule takes out', checkOld(field, document)],
    ['whose values they are', checkWhose(field, 'pipeline')],
    ['the other pipeline', checkOther(other, otherDocument, ofOther, putBacks)],
    ['what somebody was told', checkTold(field, document)],
    ['what somebody was told of the other', checkTold(other, otherDocument)],
    ['the folder', checkFolder(field, runs)],
  ];
  for (const [name, what] of looks)
    if (what.length > 0)
      field.problem({ what: [`${what.length} problems with ${name}`, ...what.slice(0, 20)] });
  return {
    ...told.figures,
    runs: runs.length,
    'runs of the other pipeline': ofOther.length,
    serial: document.serial,
    interrupted: told.interrupted.size,
  };
}

async function main() {
  if (!fs.existsSync('/proc/self/stat')) {
    console.log('SKIPPED the hammer: there is no /proc to see processes in');
    return 0;
  }
  if (!fs.existsSync(path.join(path.resolve(flags.root), 'dist/cli.cjs')))
    throw new Error('npm run build first');
  for (const kind of flags.only?.split(',') ?? [])
    if (!(kind in WEIGHTS)) throw new Error(`there is no kind ${kind}: ${Object.keys(WEIGHTS).join(', ')}`);
  console.log(`seed ${flags.seed}, ${flags.lanes} lanes, ${flags.seconds} s, in ${base}`);
  await prepare();
  const close = watchFolders();
  const done = new AbortController();
  const watching = watchFile(done.signal);
  const least = Number(flags.least);
  const enough = Date.now() + Number(flags.seconds) * 1000;
  // On a busy machine it takes longer until anything was shown.
  const until = setInterval(() => {
    const isShown = sum('killed') >= least && sum('stopped') >= least && sum('ended') > 5 * least;
    if (Date.now() >= (isShown ? enough : enough + LONGER_MS))
      field.until = Math.min(field.until, Date.now());
  }, 50);
  const lanes = Promise.all(Array.from({ length: Number(flags.lanes) }, (_, at) => lane(at)));
  const guard = setInterval(() => {
    if (field.over) for (const victim of field.victims.values()) victim.end();
  }, 50);
  await lanes;
  clearInterval(guard);
  clearInterval(until);
  close();
  const ended = Date.now();
  /** @type {Record<string, number> | null} */
  const figures = problems.length > 0 && !flags['go-on'] ? null : await lastChecks();
  done.abort();
  await watching;
  if (figures !== null) figures['seconds for the end'] = Math.round((Date.now() - ended) / 1000);
  report(figures);
  return problems.length === 0 ? 0 : 1;
}

/** @param {keyof Row} name */
const sum = (name) => [...commands.values()].reduce((total, row) => total + row[name], 0);

const WAYS = {
  time: 'a random time',
  event: 'something that was seen from the outside',
  point: 'a call of its own on the state folder',
};

/** @param {Readonly<Record<string, number>> | null} figures */
function report(figures) {
  const lines = [
    `${sum('started')} processes: ${sum('ended')} ended, ${sum('killed')} killed, ${sum('stopped')} stopped for a while`,
    '',
    'phase'.padEnd(12) + 'killed'.padStart(8) + 'stopped'.padStart(9),
    ...PHASES.map((phase) => {
      const of = (/** @type {string} */ how) =>
        String(strikes.filter((one) => one.how === how && one.phase === phase).length);
      return `${phase.padEnd(12)}${of('kill').padStart(8)}${of('stop').padStart(9)}   ${MEANING[phase]}`;
    }),
    '',
    ...Object.entries(WAYS).map(([way, what]) => {
      const of = strikes.filter((one) => one.way === way || (way === 'point' && one.way.includes(' ')));
      return `${String(of.length).padStart(7)}  strikes at ${what}`;
    }),
    ...[...counts].map(([name, count]) => `${String(count).padStart(7)}  ${name}`),
    ...Object.entries(figures ?? {}).map(([name, count]) => `${String(count).padStart(7)}  ${name}`),
    '',
    problems.length === 0
      ? 'nothing lost, nothing twice'
      : `${problems.length} problems; seed ${flags.seed}; the folder is kept: ${base}`,
  ];
  console.log(lines.join('\n'));
}

// Whoever stands still would stand there for ever.
process.on('exit', () => {
  for (const victim of field.victims.values()) victim.end();
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

let code = 1;
try {
  code = await main();
} catch (error) {
  console.log(`seed ${flags.seed}; the folder is kept: ${base}\n${stackOf(error)}`);
} finally {
  if (code === 0 && !flags.keep) fs.rmSync(base, { recursive: true, force: true });
  else if (flags.keep) console.log(base);
}
process.exitCode = code;
