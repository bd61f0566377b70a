/** (f) The peers: the same work by Dagster, Luigi and GNU make, beside the command of dynpart's that does it. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { addingByHand } from './discovery.mjs';
import {
  against,
  command,
  demand,
  dynpart,
  env,
  folderWith,
  freshFolder,
  median,
  node,
  ratioRow,
  ratiosOf,
  round,
  run,
  words,
} from './harness.mjs';
import { pythonPeers } from './peers/python.mjs';
import { backfill, costOf, demandRun, hasMake, materialize, runningFolder, stateWith } from './running.mjs';

/**
 * @import { Against, Command, Options } from './harness.mjs'
 * @import { Peer } from './peers/python.mjs'
 * @import { Row } from './table.mjs'
 * @typedef {keyof typeof DAGSTER_ROWS} Kind
 * @typedef {{ id: string, row: 'requested' | 'executed', runs: number, count: number }} RequestedRuns
 */

const here = path.join(path.dirname(fileURLToPath(import.meta.url)), 'peers');

export const name = 'peers';
export const title = 'The same work by others, in ratio to them';

const HUNDRED_THOUSAND = 100_000;

/**
 * One sensor that finds so many keys, and one asset: what dagster_pipeline.py is.
 * @param {number} count
 */
const pipelineOf = (count) => `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';

const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: ({ partitionKey }) => \`value of \${partitionKey}\` });
const find = sensor({
  name: 'find',
  assets: [record],
  minimumIntervalSeconds: 1,
  evaluate: ({ cursor }) => {
    if (cursor === 'found') return { skipReason: 'nothing new' };
    const keys = Array.from({ length: ${count} }, (_, at) => \`key-\${String(at + 1).padStart(7, '0')}\`);
    return {
      cursor: 'found',
      dynamicPartitionsRequests: [items.buildAddRequest(keys)],
      runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({ partitions: [items], assets: [record], sensors: [find] });
`;

/** @param {Options} options */
export async function measure({ quick, full }) {
  const absent = { version: '', missing: 'requirements.txt does not name it' };
  const { dagster = absent, luigi = absent } = pythonPeers(['dagster', 'luigi']);
  const count = quick ? 2 : 5;
  const rows = [
    ...(await dagsterRows(dagster, { count, full })),
    ...luigiRows(luigi, { count, full }),
    ...makeRows({ count }),
  ];
  return rows;
}

/** @param {Kind} row */
function idOf(row) {
  return `peers.dagster-${row}`;
}

const DAGSTER_ROWS = {
  list: 'sensor list',
  preview: 'sensor tick --dry-run, 10 keys found',
  materialize: 'materialize --key',
  run: 'a run in process',
  requested: 'a run requested by a sensor, not executed',
  executed: 'a run requested by a sensor, and executed',
  add: `partitions add --from, ${words(HUNDRED_THOUSAND)} keys`,
  memory: '1,000 changed versions: planned and committed in a warm process, the state in memory',
  file: 'the same, the state in a file',
};

const DAGSTER_KINDS = /** @type {Kind[]} */ (Object.keys(DAGSTER_ROWS));

/**
 * @param {Peer} peer
 * @param {{ count: number, full: boolean }} options
 * @returns {Promise<Row[]>}
 */
async function dagsterRows({ programs, missing, version }, { count, full }) {
  if (programs === undefined)
    return DAGSTER_KINDS.map((row) => ({
      id: idOf(row),
      what: DAGSTER_ROWS[row],
      baseline: 'Dagster',
      skipped: missing,
    }));
  const dagster = new Dagster(programs, version);
  const home = dagster.home();
  run(dagster.python(home, ['dagster_add.py', '1']));
  const folder = folderWith('peer', { 'pipeline.ts': pipelineOf(10) });
  run(dynpart(['partitions', 'add', 'items', 'key-0000001'], folder));

  /**
   * @param {Kind} row
   * @param {Pick<Against, 'subject' | 'baseline' | 'baselineName'> & { check: (own: string, theirs: string) => boolean }} options
   */
  const commands = (row, { subject, baseline, baselineName, check }) =>
    against({
      id: idOf(row),
      what: DAGSTER_ROWS[row],
      count,
      subject,
      baseline,
      baselineName: `Dagster ${version}: ${baselineName}`,
      check: ({ subject: own, baseline: theirs }) => demand(check(own, theirs), DAGSTER_ROWS[row]),
    });
  const pipeline = ['-f', path.join(here, 'dagster_pipeline.py')];
  return [
    commands('list', {
      subject: () => dynpart(['sensor', 'list'], folder),
      baseline: () => dagster.cli(home, ['sensor', 'list', ...pipeline]),
      baselineName: 'dagster sensor list',
      check: (own, theirs) => own.includes('find') && theirs.includes('find'),
    }),
    commands('preview', {
      subject: () => dynpart(['sensor', 'tick', '--dry-run'], folder),
      baseline: () => dagster.cli(home, ['sensor', 'preview', 'find', ...pipeline]),
      baselineName: 'dagster sensor preview',
      check: (own, theirs) => own.includes('key-0000010') && theirs.includes('10 run(s)'),
    }),
    commands('materialize', {
      subject: () => dynpart(['materialize', 'record', '--key', 'key-0000001'], folder),
      baseline: () =>
        dagster.cli(home, [
          'asset',
          'materialize',
          '--select',
          'record',
          '--partition',
          'key-0000001',
          ...pipeline,
        ]),
      baselineName: 'dagster asset materialize --partition',
      check: () => fs.existsSync(path.join(home, 'storage', 'record', 'key-0000001')),
    }),
    inProcess(dagster, idOf('run'), count),
    await requested(dagster, {
      id: idOf('requested'),
      row: 'requested',
      runs: 20,
      count: Math.min(count, 3),
    }),
    ...(full
      ? [await requested(dagster, { id: idOf('executed'), row: 'executed', runs: 10, count: 1 })]
      : [
          {
            id: idOf('executed'),
            what: DAGSTER_ROWS.executed,
            baseline: 'Dagster',
            skipped: 'only with --full',
          },
        ]),
    addedInOneCall(dagster, idOf('add'), count),
    ...(await changedVersions(dagster, count)),
  ];
}

/**
 * materialize() in one Python process, against one of ours with a thousand runs; neither start is counted.
 * @param {Dagster} dagster
 * @param {string} id
 * @param {number} count
 */
function inProcess(dagster, id, count) {
  const folder = runningFolder();
  const ms = sideBySide(count, {
    own: () => costOf(folder, { keys: 1000, runs: 1000 }) / 1000,
    theirs: () => {
      const { stdout } = run(dagster.python(dagster.home(), ['dagster_in_process.py', '11']));
      // The first one loads what the others find loaded.
      return median(JSON.parse(stdout).slice(1)) * 1000;
    },
  });
  return sided(ms, { id, what: DAGSTER_ROWS.run, baseline: `Dagster ${dagster.version}: materialize()` });
}

/**
 * @param {Dagster} dagster
 * @param {RequestedRuns} options
 * @returns {Promise<Row>}
 */
async function requested(dagster, options) {
  try {
    return await measureRequested(dagster, options);
  } catch (error) {
    // A daemon that does not come up must not take the other rows with it.
    const { id, row } = options;
    return {
      id,
      what: DAGSTER_ROWS[row],
      baseline: 'Dagster',
      skipped: `it failed: ${lastLine(error instanceof Error ? error.message : String(error))}`,
    };
  }
}

/** @param {string} text */
function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}

/**
 * What a tick of its daemon takes, for each run, against a whole `sensor tick`, its start included.
 * @param {Dagster} dagster
 * @param {RequestedRuns} options
 */
async function measureRequested(dagster, { id, row, runs, count }) {
  const executes = row === 'executed';
  const folder = folderWith('requested', { 'pipeline.ts': pipelineOf(runs) });
  const ms = { own: /** @type {number[]} */ ([]), theirs: /** @type {number[]} */ ([]) };
  for (let i = 0; i < count; i++) {
    const state = path.join(freshFolder('state'), 'state.json');
    const args = executes ? ['sensor', 'tick'] : ['sensor', 'tick', '--no-run'];
    ms.own.push(run(dynpart([...args, '--state', state], folder)).ms / runs);
    const { tick, all } = await dagster.tick({ runs, executes });
    ms.theirs.push(((executes ? all : tick) * 1000) / runs);
  }
  return {
    ...sided(ms, { id, what: DAGSTER_ROWS[row], baseline: `Dagster ${dagster.version}: dagster-daemon` }),
    note: `each of ${runs}`,
  };
}

/**
 * The whole command, node's start and the reading of the file included, against the call alone.
 * @param {Dagster} dagster
 * @param {string} id
 * @param {number} count
 */
function addedInOneCall(dagster, id, count) {
  const { fresh, done } = addingByHand(HUNDRED_THOUSAND);
  const ms = sideBySide(count, {
    own: () => {
      const { ms: took } = run(fresh());
      done();
      return took;
    },
    theirs: () =>
      Number(run(dagster.python(dagster.home(), ['dagster_add.py', String(HUNDRED_THOUSAND)])).stdout) * 1000,
  });
  return sided(ms, {
    id,
    what: DAGSTER_ROWS.add,
    baseline: `Dagster ${dagster.version}: one call of add_dynamic_partitions`,
    aim: 1,
  });
}

/**
 * What automation asks for when 1,000 keys have changed, against the evaluator of Dagster's conditions, which commits nothing and
 * has its instance in memory. Both have planned before when they are measured.
 * @param {Dagster} dagster
 * @param {number} count
 */
async function changedVersions(dagster, count) {
  const { rolldown } = await import('rolldown');
  const built = path.join(freshFolder('built'), 'changed-versions.mjs');
  const bundle = await rolldown({
    input: path.join(here, 'changed-versions.ts'),
    platform: 'node',
    external: ['ora', 'execa', 'jiti'],
    logLevel: 'silent',
  });
  await bundle.write({ dir: path.dirname(built), format: 'esm', entryFileNames: path.basename(built) });
  const theirs = () => {
    const { stdout } = run(dagster.python(dagster.home(), ['dagster_evaluate.py']));
    const { changed, requested: many } = JSON.parse(lastLine(stdout));
    demand(many === 1000, 'Dagster asks for all keys');
    return changed * 1000;
  };
  return /** @type {const} */ (['memory', 'file']).map((place) =>
    sided(
      sideBySide(count, {
        own: () => median(JSON.parse(run(node([built, place, '200'])).stdout).slice(50)),
        theirs,
      }),
      {
        id: idOf(place),
        what: DAGSTER_ROWS[place],
        baseline: `Dagster ${dagster.version}: evaluate_automation_conditions, eager()`,
        ...(place === 'memory' && { aim: 0.01 }),
      },
    ),
  );
}

function goOn() {
  // The command that was waited for has ended badly, which ends all the rest.
}

class Dagster {
  #programs;

  /**
   * @param {string} programs
   * @param {string} version
   */
  constructor(programs, version) {
    this.#programs = programs;
    this.version = version;
  }

  /** A fresh instance, with its databases in SQLite files, as a user has it who sets nothing up. */
  home(settings = '') {
    return folderWith('dagster', { 'dagster.yaml': `telemetry:\n  enabled: false\n${settings}` });
  }

  /**
   * @param {string} home
   * @param {readonly string[]} args
   */
  cli(home, args) {
    return this.#command('dagster', home, args);
  }

  /**
   * @param {string} home
   * @param {readonly string[]} args
   */
  python(home, args) {
    return this.#command('python', home, args);
  }

  /**
   * Starts a daemon on a fresh instance and waits for its first tick, or for all runs of it.
   * @param {{ runs: number, executes: boolean }} options
   * @returns {Promise<{ tick: number, all: number }>} seconds
   */
  async tick({ runs, executes }) {
    const home = this.home(executes ? '' : 'concurrency:\n  runs:\n    max_concurrent_runs: 0\n');
    // Before the daemon: two processes that make the databases at once get in each other's way.
    run(
      this.python(home, ['-c', 'from dagster import DagsterInstance as I; I.get().all_instigator_state()']),
    );
    const {
      program,
      args,
      cwd,
      env: more,
    } = this.#command('dagster-daemon', home, ['run', '-f', 'dagster_pipeline.py']);
    const daemon = spawn(program, args, {
      cwd,
      env: { ...env, ...more, BENCH_KEYS: String(runs) },
      stdio: 'ignore',
      // A group of its own: the daemon's children end with it.
      detached: true,
    });
    const ended = new Promise((resolve) => daemon.once('close', resolve));
    // Ctrl-C ends what is waited for below; this process must live to end the daemon, which Ctrl-C does not reach.
    process.once('SIGINT', goOn);
    try {
      const what = executes ? 'all' : 'tick';
      return JSON.parse(run(this.python(home, ['dagster_sensor.py', String(runs), what, '300'])).stdout);
    } finally {
      process.off('SIGINT', goOn);
      daemon.kill('SIGINT');
      await ended;
      try {
        process.kill(-(daemon.pid ?? NaN), 'SIGKILL');
      } catch {
        // Nobody is left.
      }
    }
  }

  /**
   * @param {string} program
   * @param {string} home
   * @param {readonly string[]} args
   * @returns {Command}
   */
  #command(program, home, args) {
    return {
      ...command(path.join(this.#programs, program), args, here),
      env: { DAGSTER_HOME: home, PYTHONDONTWRITEBYTECODE: '1' },
    };
  }
}

/**
 * @param {Peer} peer
 * @param {{ count: number, full: boolean }} options
 * @returns {Row[]}
 */
function luigiRows({ programs, missing, version }, { count, full }) {
  const sizes = [1000, ...(full ? [10_000] : [])];
  const folder = runningFolder();
  return sizes.map((size) => {
    const id = `peers.luigi-${size}`;
    const what = `materialize --all, ${words(size)} runs`;
    if (programs === undefined) return { id, what, baseline: 'Luigi', skipped: missing };
    let state = '';
    return against({
      id,
      what,
      count: size > 1000 ? 1 : count,
      warm: size > 1000 ? 0 : 1,
      subject: () => {
        state = stateWith(folder, size);
        return materialize(folder, state, ['--all']);
      },
      // The script fails when a file is missing.
      baseline: () => {
        const work = freshFolder('luigi');
        fs.mkdirSync(path.join(work, 'values'));
        return command(
          path.join(programs, 'python'),
          [path.join(here, 'luigi_tasks.py'), String(size)],
          work,
        );
      },
      baselineName: `Luigi ${version}`,
      check: () => demandRun(state, size),
    });
  });
}

/**
 * @param {{ count: number }} options
 * @returns {Row[]}
 */
function makeRows({ count }) {
  const size = 10_000;
  if (!hasMake())
    return [
      {
        id: `peers.make-${size}`,
        what: `materialize --all, ${words(size)} runs`,
        baseline: 'GNU make',
        skipped: 'make is not there',
      },
    ];
  return [{ ...backfill(runningFolder(), { size, count, withMake: true }), id: `peers.make-${size}` }];
}

/**
 * Figures of both in turn.
 * @param {number} count
 * @param {{ own: () => number, theirs: () => number }} options
 */
function sideBySide(count, { own, theirs }) {
  const ms = { own: /** @type {number[]} */ ([]), theirs: /** @type {number[]} */ ([]) };
  for (let i = 0; i < count; i++) {
    const steps = [() => ms.own.push(own()), () => ms.theirs.push(theirs())];
    for (const step of i % 2 === 0 ? steps : steps.reverse()) step();
  }
  return ms;
}

/**
 * @param {{ own: readonly number[], theirs: readonly number[] }} ms
 * @param {{ id: string, what: string, baseline: string, aim?: number }} options
 * @returns {Row}
 */
function sided({ own, theirs }, { id, what, baseline, aim }) {
  return {
    ...ratioRow({ id, what, aim, ratios: ratiosOf(own, theirs) }),
    unit: 'ms',
    measured: round(median(own)),
    baseline,
    baselineMeasured: round(median(theirs)),
  };
}
