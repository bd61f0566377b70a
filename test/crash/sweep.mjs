/**
 * Kills the real binary at every system call that touches the state folder, and lets each of those calls fail.
 *
 *     node test/crash/sweep.mjs                     all points of all scenarios (about half an hour on two cores)
 *     node test/crash/sweep.mjs --quick             a sample, the same each time
 *     node test/crash/sweep.mjs --only tick,remove --fault kill,EIO
 *     node test/crash/sweep.mjs --only tick --point kill:link#2 --keep     one point, and its folder is kept
 *     node test/crash/sweep.mjs --root /tmp/copy    another checkout's build
 *     node test/crash/sweep.mjs --verbose           also every message that failing calls led to
 *
 * strace counts `when=N` for each thread by itself, and a busy thread may come to the number first. So each point is
 * looked for in the log afterwards: one that did not fire is tried again, and never counts as passed. Not with
 * `--seccomp-bpf` for kills: there the call goes on although the signal was asked for.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    fault: { type: 'string' },
    point: { type: 'string' },
    root: { type: 'string', default: path.resolve(import.meta.dirname, '../..') },
    keep: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    lanes: { type: 'string', default: '2' },
  },
});

const binary = path.join(path.resolve(flags.root), 'bin/dynpart.cjs');
const base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-crash-')));

// ── Faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const CHANGES =
  'write pwrite64 writev fsync fdatasync ftruncate link linkat rename renameat renameat2 unlink unlinkat rmdir open openat mkdir mkdirat symlink truncate copy_file_range sendfile'.split(
    ' ',
  );
const READS = ['read', 'pread64', 'getdents64', 'statx', 'newfstatat', 'access', 'faccessat2', 'close'];
const NAMES = ['link', 'linkat', 'rename', 'renameat', 'renameat2', 'unlink', 'unlinkat', 'mkdir', 'mkdirat'];

const opens = (call) => call.name === 'openat' || call.name === 'open';
const creates = (call) => opens(call) && /O_CREAT/.test(call.text);
const opensToWrite = (call) => opens(call) && /O_WRONLY|O_RDWR|O_CREAT/.test(call.text);

/** Which calls a fault is let loose on: those that can fail so on a real system. */
const FAULTS = {
  // In --quick without the opens for reading: the kill before the next change leaves the same files.
  kill: (call) => CHANGES.includes(call.name) && (!flags.quick || !opens(call) || creates(call)),
  ENOSPC: (call) =>
    [
      'write',
      'pwrite64',
      'writev',
      'fsync',
      'link',
      'linkat',
      'rename',
      'renameat',
      'mkdir',
      'mkdirat',
    ].includes(call.name) || creates(call),
  EIO: (call) =>
    CHANGES.includes(call.name) ||
    // A file that was only read closes without fail, and node would abort itself.
    (READS.includes(call.name) && (call.name !== 'close' || call.closesWritten)),
  EACCES: (call) => NAMES.includes(call.name) || opens(call) || call.name === 'statx',
  EMFILE: opens,
  EROFS: (call) => NAMES.includes(call.name) || opensToWrite(call),
};

/** Sizes beyond which no file may grow (RLIMIT_FSIZE): the write before the refused one is a short one. */
const SHORT = [0, 1, 20, 60, 120, 300, 400, 500, 900, 1300, 1700, 2100, 2600, 3100, 5000];

// ── Scenarios ────────────────────────────────────────────────────────────────────────────────────────────────────────

const PIPELINE = `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const others = dynamicPartitions('others');
const first = asset({
  name: 'first',
  partitions: items,
  materialize({ partitionKey, log }) {
    log.info('making ' + partitionKey);
    return { key: partitionKey, text: 'x'.repeat(3000) };
  },
});
const second = asset({ name: 'second', partitions: items, inputs: { first }, materialize: ({ inputs }) => inputs.first.key + '!' });
const other = asset({ name: 'other', partitions: others, materialize: ({ partitionKey }) => partitionKey });
const source = sensor({
  name: 'source',
  assets: [first, second],
  evaluate({ partitions }) {
    const listed = (process.env.ITEMS ?? '').split(',').filter((item) => item !== '');
    const fresh = partitions(items).missing(listed);
    return {
      cursor: String(listed.length),
      dynamicPartitionsRequests: [items.buildAddRequest(fresh)],
      runRequests: fresh.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({ assets: [first, second, other], sensors: [source] });
`;

const many = (name, size) =>
  Array.from({ length: size }, (_, at) => `${name}-${String(at).padStart(5, '0')}-${'k'.repeat(60)}`);

/** What dynpart 0.1 left, but for its statuses: the values are not there. */
const SCHEMA_1 = `${JSON.stringify({
  ...JSON.parse(fs.readFileSync(path.join(import.meta.dirname, '../fixtures/state-schema-1.json'), 'utf8')),
  assets: {},
})}\n`;

/** `start`: commands, or calls at which the last one is killed; `command`: the one under test, which may be repeated. */
const SCENARIOS = {
  tick: { start: [['a', 'sensor', 'tick']], items: 'a,b,c', command: ['sensor', 'tick'] },
  worker: {
    start: [
      ['a', 'sensor', 'tick'],
      ['a,b,c,d,e,f', 'sensor', 'tick', '--no-run'],
    ],
    items: '',
    command: ['worker', '--once'],
  },
  materialize: {
    start: [
      ['a', 'sensor', 'tick'],
      ['', 'partitions', 'add', 'items', 'b', 'c'],
    ],
    items: '',
    command: ['materialize', 'first', 'second', '--missing'],
  },
  'first-tick': { start: [], items: 'a', command: ['sensor', 'tick'] },
  'first-add': { start: [], items: '', command: ['partitions', 'add', 'items', 'a', 'b'] },
  add: {
    start: [
      ['a', 'sensor', 'tick'],
      ...Array.from({ length: 17 }, (_, at) => ['', 'partitions', 'add', 'others', `n${at}`]),
    ],
    items: '',
    command: ['partitions', 'add', 'items', 'd', 'e'],
  },
  'add-large': {
    start: [
      ['', 'partitions', 'add', 'others', ...many('one', 1000)],
      ['', 'partitions', 'add', 'others', ...many('two', 1000)],
      ['', 'partitions', 'add', 'others', 'n'],
    ],
    items: '',
    command: ['partitions', 'add', 'items', 'd', 'e'],
  },
  remove: {
    start: [
      ['a', 'sensor', 'tick'],
      ['a,b,c', 'sensor', 'tick', '--no-run'],
    ],
    items: '',
    command: ['partitions', 'remove', 'items', 'b'],
  },
  purge: {
    start: [['a,b', 'sensor', 'tick']],
    items: '',
    command: ['partitions', 'remove', 'items', 'a', '--purge'],
  },
  // The way back itself: a tick that was killed when its commit was published and not yet in place …
  recover: {
    start: [['a', 'sensor', 'tick']],
    killed: { items: 'a,b', command: ['sensor', 'tick'], at: /^rename\(.*\/state\.json"\)/ },
    items: 'a,b',
    command: ['sensor', 'tick'],
  },
  // … and one that was killed when a run's end was in the history and not yet in the state.
  'recover-late': {
    start: [['a', 'sensor', 'tick']],
    killed: { items: 'a,b', command: ['sensor', 'tick'], at: /^fsync\(.*runs\.000001\.jsonl>\)/ },
    items: 'a,b',
    command: ['sensor', 'tick'],
  },
  status: { start: [['a', 'sensor', 'tick']], items: '', command: ['status'], reads: true },
  // The first commit to a state that dynpart 0.1 left: schema 1 as it was, or schema 2 and the copy beside it.
  migrate: {
    start: [],
    state: SCHEMA_1,
    items: '',
    command: ['partitions', 'add', 'items', 'd'],
    also: migrationProblems,
  },
};

// ── Running ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function environment(items) {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: base,
    XDG_CACHE_HOME: path.join(base, 'cache'),
    UV_THREADPOOL_SIZE: '1',
    ITEMS: items,
  };
}

/** Ends with everything that was said; `null` for the code of a process that a signal ended. */
function run(argv, cwd, items) {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0], argv.slice(1), {
      cwd,
      env: environment(items),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (text) => (said[name] += text));
    const killer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    child.on('error', reject).on('close', (code, signal) => {
      clearTimeout(killer);
      resolve({ code, signal, ...said });
    });
  });
}

const dynpart = (args, cwd, items) => run([process.execPath, binary, ...args], cwd, items);

async function traced(options, args, cwd, items) {
  const log = path.join(path.dirname(cwd), 'strace.log');
  const argv = ['strace', '-f', '-y', '-o', log, ...options, process.execPath, binary, ...args];
  const ended = await run(argv, cwd, items);
  return { ...ended, calls: callsIn(fs.readFileSync(log, 'utf8')) };
}

const UNFINISHED = ' <unfinished ...>';
const isUnfinished = (text) => text.endsWith(UNFINISHED);

/** The calls of a log, each with its number among those of its name and thread. */
function callsIn(log) {
  const counts = new Map();
  const calls = [];
  for (const line of log.split('\n')) {
    // A call during which another thread did something is told in two lines.
    const resumed = /^(\d+) +<\.\.\. [a-z0-9]+ resumed>(.*)$/.exec(line);
    const begun =
      resumed && calls.findLast(({ thread, text }) => thread === resumed[1] && isUnfinished(text));
    if (begun) begun.text = `${begun.text.slice(0, -UNFINISHED.length)}${resumed[2]}`;
    const found = /^(\d+) +(([a-z]+[a-z0-9]*)\(.*)$/.exec(line);
    if (found === null) continue;
    const [, thread, text, name] = found;
    const counter = `${thread} ${name}`;
    const number = (counts.get(counter) ?? 0) + 1;
    counts.set(counter, number);
    calls.push({ thread, name, text, number });
  }
  return calls;
}

/** What a call does, without the names that differ from run to run. */
function signatureOf({ text }, folder) {
  return text
    .replaceAll(`${folder}/`, '')
    .replace(/"\{.*?"\.*/, '…')
    .replace(/ = .*$/, '')
    .replace(/0x[0-9a-f]+/g, '')
    .replace(/\d+-\d+-[0-9a-f]+/g, 'TAG')
    .replace(/\b0[a-z0-9]{14}\b/g, 'ID')
    .replace(/\(\d+</, '(<')
    .replace(/stx_\w+=[^,}]*/g, '')
    .replace(/, \d+\)$/, ')')
    .slice(0, 200);
}

// ── Looking at what is left ──────────────────────────────────────────────────────────────────────────────────────────

const byText = (a, b) => (a < b ? -1 : Number(a > b));

function namesIn(folder) {
  return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
}

function documentAt(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** All documents that are kept, oldest first. */
function documents(folder) {
  return ['state.json', ...namesIn(folder).filter((name) => /^\.state\.json\.\d{12}$/.test(name))]
    .map((name) => documentAt(path.join(folder, name)))
    .filter((document) => document !== null)
    .sort((a, b) => a.serial - b.serial);
}

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

function entries(object, of) {
  return Object.entries(object)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, entry]) => [name, of(entry)]);
}

/** What one commit must bring together: keys, cursors, spent run keys, the outcome of the tick. */
function atomicPart(document) {
  return JSON.stringify({
    sets: entries(document?.sets ?? {}, ({ keys, added, keptOut }) => [
      keys,
      added.map(([count]) => count),
      keptOut,
    ]),
    sensors: entries(document?.sensors ?? {}, ({ status, cursor, version, lastTick, runKeys }) => [
      status,
      cursor,
      version,
      runKeys,
      lastTick && [
        lastTick.status,
        lastTick.partitions,
        lastTick.cursor,
        lastTick.runs.map((one) => one.partitionKey),
      ],
    ]),
  });
}

/** For each key what its assets are and which runs it waits for. */
function keyParts(document) {
  const parts = new Map();
  for (const [set, { keys }] of Object.entries(document?.sets ?? {})) {
    keys.forEach((key, at) => {
      const assets = Object.entries(document.assets).filter(([, asset]) => asset.set === set);
      const statuses = assets
        .map(([name, { status }]) => `${name} ${status[at] ?? '.'}`)
        .filter((text) => !text.endsWith('.'));
      const runs = document.runs.flatMap((group) =>
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

/** The runs on record, each once: its newest record, unless that was taken back. */
function recordedRuns(folder) {
  const seen = new Set();
  const records = [];
  const retracted = [];
  for (const file of namesIn(path.join(folder, 'history'))
    .filter((name) => name.startsWith('runs.'))
    .reverse()) {
    for (const record of linesIn(path.join(folder, 'history', file)).reverse()) {
      if ('retracted' in record) {
        retracted.push(record.retracted);
        continue;
      }
      const taken = retracted.indexOf(record.id);
      if (taken !== -1) retracted.splice(taken, 1);
      else if (!seen.has(record.id)) {
        seen.add(record.id);
        const { partitionKey, status, sensor, runKey, assets, error } = record;
        records.push(
          JSON.stringify([
            partitionKey,
            status,
            sensor,
            runKey,
            assets.map((one) => [one.asset, one.status]),
            error?.code,
          ]),
        );
      }
    }
  }
  return records.sort();
}

function ticksThatChanged(folder) {
  const ticks = path.join(folder, 'history', 'ticks');
  return namesIn(ticks)
    .flatMap((name) => linesIn(path.join(ticks, name)))
    .filter(({ status }) => status === 'SUCCESS').length;
}

/** Every value under its name, as bytes. */
function valuesIn(folder) {
  const values = new Map();
  const root = path.join(folder, 'values');
  for (const asset of namesIn(root).filter((name) => name !== '.tmp'))
    for (const name of namesIn(path.join(root, asset)))
      values.set(`${asset}/${name}`, fs.readFileSync(path.join(root, asset, name), 'latin1'));
  return values;
}

function leftovers(folder) {
  const within = (name) => namesIn(path.join(folder, name)).map((entry) => `${name}/${entry}`);
  const own = namesIn(folder);
  const generations = own.filter((name) => /^\.state\.json\.\d{12}$/.test(name));
  return [
    ...within('executors'),
    ...within('claims'),
    ...within('values/.tmp'),
    ...own.filter((name) => name.includes('.tmp')),
    ...(generations.length > 16 ? [`${generations.length} generations`] : []),
  ];
}

function migrationProblems(folder) {
  const copies = namesIn(folder).filter((name) => name.startsWith('state.json.before-schema-2-'));
  const whole = copies.filter((name) => fs.readFileSync(path.join(folder, name), 'utf8') === SCHEMA_1);
  return [
    ...(copies.length > 1 || whole.length < copies.length
      ? [`copies: ${copies.join(' ')}, whole: ${whole.length}`]
      : []),
    ...(copies.length === 0 && documents(folder).some(({ schema }) => schema !== 1)
      ? ['it was migrated, and there is no copy']
      : []),
  ];
}

/** What an undisturbed run leaves, and everything that it was on the way there. */
function expectationOf(startFolder, endFolder) {
  const known = new Map();
  const startValues = valuesIn(startFolder);
  const last = documents(startFolder).at(-1) ?? null;
  const reached = documents(endFolder).filter(({ serial }) => serial > (last?.serial ?? 0));
  for (const document of [last, ...reached]) {
    const atomic = atomicPart(document);
    const keys = known.get(atomic) ?? new Map();
    known.set(atomic, keys);
    for (const [key, part] of keyParts(document)) keys.set(key, (keys.get(key) ?? new Set()).add(part));
  }
  return {
    known,
    startSerial: last?.serial ?? 0,
    startValues,
    end: endOf(endFolder),
    values: valuesIn(endFolder),
  };
}

function endOf(folder) {
  const document = documents(folder).at(-1) ?? null;
  return JSON.stringify(
    {
      atomic: JSON.parse(atomicPart(document)),
      keys: entries(Object.fromEntries(keyParts(document)), (part) => part),
      runs: recordedRuns(folder),
      ticks: ticksThatChanged(folder),
      executors: document?.executors.length ?? 0,
      pending: document?.runs.length ?? 0,
      values: Object.keys(Object.fromEntries(valuesIn(folder))).sort(byText),
    },
    null,
    1,
  );
}

/** Whether what is left is the old commit or a later one of the same run, and whole. */
function problemsOf(folder, { known, startSerial, startValues, values }) {
  const problems = [];
  const found = documents(folder);
  const document = found.at(-1) ?? null;
  if ((document?.serial ?? 0) < startSerial)
    problems.push(`serial ${document?.serial} is older than the start's ${startSerial}`);
  for (const one of [document, ...found.filter(({ serial }) => serial > startSerial)]) {
    const keys = known.get(atomicPart(one));
    if (keys === undefined) {
      problems.push(`neither the old nor the new commit: ${atomicPart(one).slice(0, 600)}`);
      continue;
    }
    for (const [key, part] of keyParts(one))
      if (!keys.get(key)?.has(part))
        problems.push(`${key} is ${part}, expected one of ${[...(keys.get(key) ?? [])].join(' ')}`);
  }
  const there = valuesIn(folder);
  for (const [name, bytes] of there)
    if (bytes !== values.get(name) && bytes !== startValues.get(name))
      problems.push(`the value ${name} is torn: ${bytes.length} bytes`);
  // On record, so the value is there: in the state, and in the history of a run that has left it.
  for (const [asset, { set, status }] of Object.entries(document?.assets ?? {})) {
    [...status].forEach((letter, at) => {
      const name = `${asset}/${document.sets[set].keys[at]}.json`;
      if (letter === 'm' && !there.has(name)) problems.push(`${name} is on record and not there`);
    });
  }
  return problems;
}

// ── The sweep ────────────────────────────────────────────────────────────────────────────────────────────────────────

const table = [];
const failures = [];
const messages = new Map();
let passed = 0;

function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

class Sweep {
  constructor(name, faults) {
    this.name = name;
    this.faults = faults;
    this.scenario = SCENARIOS[name];
    this.home = path.join(base, `${name}-${faults[0]}`);
    this.project = path.join(this.home, 'p');
    this.folder = path.join(this.project, '.dynpart');
    this.start = path.join(this.home, 'start');
  }

  async prepare() {
    fs.mkdirSync(this.project, { recursive: true });
    fs.writeFileSync(path.join(this.project, 'pipeline.mjs'), PIPELINE);
    const { start, killed, items, command, state } = this.scenario;
    if (state !== undefined) {
      fs.mkdirSync(this.folder, { recursive: true });
      fs.writeFileSync(path.join(this.folder, 'state.json'), state);
    }
    for (const [given, ...args] of start) await this.mustSucceed(args, given);
    // Otherwise compiling the pipeline would be part of the first run only.
    await dynpart(['assets'], this.project, '');
    if (killed !== undefined) {
      this.save();
      const { calls } = await traced(
        ['-e', `trace=${CHANGES.join(',')}`],
        killed.command,
        this.project,
        killed.items,
      );
      const call = calls.find(({ text }) => killed.at.test(text));
      this.reset();
      await traced(
        ['-e', `trace=${CHANGES.join(',')}`, '-e', `inject=${call.name}:signal=KILL:when=${call.number}`],
        killed.command,
        this.project,
        killed.items,
      );
    }
    this.save();
    // Once before it is counted: what it puts into the caches is not part of every run.
    await dynpart(command, this.project, items);
    this.reset();
    this.calls = (
      await traced(['-e', `trace=${[...CHANGES, ...READS].join(',')}`], command, this.project, items)
    ).calls.filter((call) => this.touches(call));
    const files = new Map();
    for (const call of this.calls) {
      const opened = opens(call) ? /= \d+<(.*)>$/.exec(call.text) : null;
      if (opened !== null) files.set(opened[1], opensToWrite(call));
      const closed = /^close\(\d+<(.*)>\)/.exec(call.text);
      call.closesWritten = closed !== null && files.get(closed[1]) === true;
    }
    this.expectation = expectationOf(path.join(this.start, '.dynpart'), this.folder);
    const left = leftovers(this.folder);
    if (left.length > 0) this.failed('undisturbed', [`left behind: ${left.join(' ')}`]);
    const again = await dynpart(command, this.project, items);
    if (again.code !== 0 || endOf(this.folder) !== this.expectation.end)
      throw new Error(`${this.name}: repeated, the command comes to something else: ${again.stderr}`);
  }

  async mustSucceed(args, items) {
    const { code, stderr } = await dynpart(args, this.project, items);
    if (code !== 0)
      throw new Error(`${this.name}: ${args.slice(0, 4).join(' ')} ended with ${code}: ${stderr}`);
  }

  touches({ text }) {
    return (
      text.includes(`${this.folder}/`) || text.includes(`${this.folder}"`) || text.includes(`${this.folder}>`)
    );
  }

  save() {
    copy(this.project, this.start);
  }

  reset() {
    copy(this.start, this.project);
  }

  async sweep() {
    await this.prepare();
    for (const fault of this.faults) {
      if (fault === 'short') {
        await this.sweepShort();
        continue;
      }
      const all = this.calls.filter(FAULTS[fault]);
      const row = { scenario: this.name, fault, points: all.length, tried: 0, fired: 0, ok: 0 };
      table.push(row);
      for (const call of chosen(all, `${this.name} ${fault}`, flags.quick ? QUICK[fault] : Infinity)) {
        const point = `${fault}:${call.name}#${call.number}`;
        if (flags.point !== undefined && flags.point !== point) continue;
        row.tried++;
        const problems = await this.tryPoint(fault, call);
        if (problems === null) {
          if (flags.verbose) console.log(`missed ${this.name} ${point}  ${signatureOf(call, this.project)}`);
          continue;
        }
        row.fired++;
        if (problems.length === 0) row.ok++;
        this.note(point, problems, signatureOf(call, this.project));
      }
    }
  }

  /** `null` when the point did not fire. */
  async tryPoint(fault, call) {
    const kill = fault === 'kill';
    const action = kill ? 'signal=KILL' : `error=${fault}`;
    for (let tries = 0; tries < 3; tries++) {
      this.reset();
      const ended = await traced(
        ['-e', `trace=${call.name}`, '-e', `inject=${call.name}:${action}:when=${call.number}`],
        this.scenario.command,
        this.project,
        this.scenario.items,
      );
      const hit = kill
        ? ended.calls.findLast(
            ({ name, text }) => name === call.name && (text.endsWith(' = ?') || isUnfinished(text)),
          )
        : ended.calls.find(({ text }) => text.endsWith('(INJECTED)'));
      if (hit === undefined || !this.touches(hit)) continue;
      return kill ? this.after(ended) : this.afterError(ended, `(${fault})`);
    }
    return null;
  }

  async sweepShort() {
    const row = { scenario: this.name, fault: 'short', points: SHORT.length, tried: 0, fired: 0, ok: 0 };
    table.push(row);
    for (const size of flags.quick ? [120, 1300] : SHORT) {
      const point = `short:${size}`;
      if (flags.point !== undefined && flags.point !== point) continue;
      row.tried++;
      this.reset();
      const { command, items } = this.scenario;
      const log = path.join(this.home, 'strace.log');
      const argv = ['prlimit', `--fsize=${size}`, process.execPath, binary, ...command];
      // The log of strace may grow: the limit is set behind it.
      const ended = await run(
        ['strace', '-f', '-y', '-o', log, '-e', 'trace=write', ...argv],
        this.project,
        items,
      );
      if (!fs.readFileSync(log, 'utf8').includes('EFBIG')) continue;
      row.fired++;
      const problems = await this.afterError(ended, 'EFBIG');
      if (problems.length === 0) row.ok++;
      this.note(point, problems, `no file may grow beyond ${size} bytes`);
    }
  }

  async afterError(ended, cause) {
    const { code, signal, stderr } = ended;
    const problems = [];
    const said = stderr
      .replaceAll(this.project, '')
      .replace(/\d+-\d+-[0-9a-f]+/g, 'TAG')
      .replace(/\b0[a-z0-9]{14}\b/g, 'ID');
    messages.set(`${code} ${said.split('\n')[0]}`, (messages.get(`${code} ${said.split('\n')[0]}`) ?? 0) + 1);
    if (/bug in dynpart/.test(stderr) || signal !== null || (code !== 0 && code !== 5))
      problems.push(`exit ${code ?? signal}: ${said.trim().split('\n').slice(0, 4).join(' | ')}`);
    else if (code === 5 && !(stderr.includes(this.folder) && stderr.includes(cause)))
      problems.push(`the message names no file or no cause: ${said.trim()}`);
    // An acknowledged command has done everything.
    else if (
      code === 0 &&
      !this.scenario.reads &&
      this.withoutTick(endOf(this.folder)) !== this.withoutTick(this.expectation.end)
    )
      problems.push(`exit 0, and yet: ${difference(endOf(this.folder), this.expectation.end)}`);
    return [...problems, ...(await this.after(ended))];
  }

  /** The record of a tick is also in the state: the next tick may have to bring it into the history. */
  withoutTick(end) {
    return end.replace(/"ticks": \d+/, '');
  }

  async after(ended) {
    const problems = [];
    const { command, items } = this.scenario;
    if (ended.stderr.includes('bug in dynpart')) problems.push('it said that it has a bug');
    problems.push(...problemsOf(this.folder, this.expectation), ...(this.scenario.also?.(this.folder) ?? []));
    const check = await dynpart(['state', 'check', '--json'], this.project, '');
    if (check.code !== 0)
      problems.push(`state check ended with ${check.code}: ${check.stdout}${check.stderr}`);
    if (this.scenario.reads) return problems;
    const again = await dynpart(command, this.project, items);
    if (again.code !== 0)
      problems.push(`run again, it ended with ${again.code}: ${again.stderr}${again.stdout}`);
    problems.push(...problemsOf(this.folder, this.expectation).map((text) => `run again: ${text}`));
    if (endOf(this.folder) !== this.expectation.end)
      problems.push(`run again, it ends elsewhere: ${difference(endOf(this.folder), this.expectation.end)}`);
    const left = leftovers(this.folder);
    if (left.length > 0) {
      // Tidying is the next commit's, the next value's and the next executor's.
      const tidy = await dynpart(['materialize', 'other', '--key', 'tidy', '--add'], this.project, '');
      const still = leftovers(this.folder);
      if (tidy.code !== 0) problems.push(`the command after it ended with ${tidy.code}: ${tidy.stderr}`);
      if (still.length > 0)
        problems.push(`left behind: ${still.join(' ').replace(/\d+-\d+-[0-9a-f]+/g, 'TAG')}`);
    }
    return problems;
  }

  note(point, problems, what) {
    if (problems.length === 0) passed++;
    else this.failed(point, problems, what);
    if (flags.keep) console.log(`${this.name} ${point}: ${this.project}`);
  }

  failed(point, problems, what = '') {
    failures.push({ scenario: this.name, point, problems, what });
    console.log(
      `FAILED ${this.name} ${point}  ${what}\n${[...new Set(problems)].map((text) => `  ${text}\n`).join('')}` +
        `  again: node test/crash/sweep.mjs --only ${this.name} --point '${point}' --keep`,
    );
  }
}

function only(from, other, sign) {
  return from.filter((line) => !other.includes(line)).map((line) => `${sign}${line.trim()}`);
}

/** The lines that only one of two has. */
function difference(found, expected) {
  const [a, b] = [found.split('\n'), expected.split('\n')];
  return [...only(a, b, '+'), ...only(b, a, '-')].join(' ').slice(0, 600);
}

/** With its hard links and times: the state file shares its content with a generation. */
function copy(from, to) {
  fs.rmSync(to, { recursive: true, force: true });
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cp: ${stderr}`);
}

/** How many points of a scenario --quick tries. */
const QUICK = { kill: 5, ENOSPC: 1, EIO: 2, EACCES: 1, EMFILE: 1, EROFS: 1 };

/** Every k-th, from a place that the seed says. */
function chosen(all, seed, wanted) {
  if (all.length <= wanted) return all;
  const next = random([...seed].reduce((sum, char) => Math.imul(sum, 31) + char.charCodeAt(0), 7));
  const step = all.length / wanted;
  return Array.from({ length: wanted }, (_, at) => all[Math.floor((at + next()) * step)]);
}

function whyNot() {
  const probe = spawnSync('strace', ['-f', '-e', 'trace=none', 'true'], { encoding: 'utf8' });
  if (probe.error) return 'strace is not installed (Debian: apt install strace)';
  return probe.status === 0 ? null : `strace may not trace here (ptrace): ${probe.stderr.trim()}`;
}

async function main() {
  const reason = whyNot();
  if (reason !== null) {
    console.log(`SKIPPED the crash sweep: ${reason}`);
    return 0;
  }
  if (!fs.existsSync(path.join(path.resolve(flags.root), 'dist/cli.cjs')))
    throw new Error('npm run build first');
  const faults = flags.point?.split(':').slice(0, 1) ??
    flags.fault?.split(',') ?? [...Object.keys(FAULTS), 'short'];
  const names = flags.only?.split(',') ?? Object.keys(SCENARIOS);
  for (const name of names)
    if (!(name in SCENARIOS))
      throw new Error(`there is no scenario ${name}: ${Object.keys(SCENARIOS).join(', ')}`);
  // Each task has a folder of its own, since the state and the cache know the pipeline by its path.
  const tasks = names.flatMap((name) => {
    const own = SCENARIOS[name].reads
      ? faults.filter((fault) => fault !== 'kill' && fault !== 'short')
      : faults;
    return flags.quick ? [new Sweep(name, own)] : own.map((fault) => new Sweep(name, [fault]));
  });
  const began = Date.now();
  const queue = tasks.filter((task) => task.faults.length > 0).values();
  const lane = async () => {
    for (const task of queue) {
      await task.sweep();
      if (!flags.keep) fs.rmSync(task.home, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: Number(flags.lanes) }, lane));
  report(Date.now() - began);
  const missed = table.reduce((sum, row) => sum + (row.fault === 'short' ? 0 : row.tried - row.fired), 0);
  const tried = table.reduce((sum, row) => sum + row.tried, 0);
  // Points that nobody reached are no points passed: too many of them, and the sweep has proven nothing.
  return failures.length > 0 || passed === 0 || missed > tried / 10 ? 1 : 0;
}

function report(ms) {
  const rows = [
    ['scenario', 'fault', 'points', 'tried', 'fired', 'ok'],
    ...table.map((row) => Object.values(row).map(String)),
  ];
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  console.log('');
  for (const row of rows)
    console.log(
      row.map((cell, at) => (at < 2 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join('  '),
    );
  if (flags.verbose)
    for (const [message, count] of [...messages].sort(([a], [b]) => (a < b ? -1 : 1)))
      console.log(`${String(count).padStart(5)}  ${message}`);
  const missed = table.reduce((sum, row) => sum + row.tried - row.fired, 0);
  console.log(
    `\n${missed} points did not fire and do not count; ${Math.round(ms / 1000)} s\n${passed} passed, ${failures.length} failed`,
  );
}

try {
  process.exitCode = await main();
} finally {
  if (!flags.keep) fs.rmSync(base, { recursive: true, force: true });
}
