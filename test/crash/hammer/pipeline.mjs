/** The pipeline that is hammered. Its own log tells, in the order of appending, who evaluated and executed what, and when. */

import { APART_AT_ONCE, manyPipeline } from './many-pipeline.mjs';
import { KEPT } from './old.mjs';

/** How many runs the whole state may have started at once, and how many keys of `second`. */
export const CONCURRENCY = 4;
export const SECOND_CONCURRENCY = 1;

/** How often a run may be begun and not ended. */
export const MAX_INTERRUPTED = 3;

/** What a key's last character does to the assets that are made for it. */
export const FAILS = '~';
export const KILLS = '!';

/** Sensors of the pipeline, by what they are there for. */
export const SENSORS = ['feed', 'pairs', 'count', 'guard', 'pulse', 'carried', 'automation'];

/** After so many delays automation tries a failed key again. */
export const LATER = ['1s', '2s'];

/** The end of a version of which nothing is to be made. */
export const SKIPS = 's';

/**
 * A program of a run: of one key there is one at a time, whoever started it and whatever became of that process. Its name
 * is a link that holds who it is, so that it is made at once or not at all.
 */
export const PROGRAM = `key=$1 run=$2 seconds=$3 how=$4
[ "$how" = stubborn ] && trap '' TERM
start() {
  read -r stat 2>/dev/null </proc/$1/stat || return
  set -- $stat
  [ "$3" != Z ] && echo "\${22}"
}
me=$$.$(start $$)
if ! ln -s $me "lock.$key" 2>/dev/null; then
  other=$(readlink "lock.$key")
  [ -n "$other" ] && [ "$(start "\${other%.*}")" = "\${other#*.}" ] && echo "two $key $run $me $other" >>"$LOG"
  ln -sfn $me "lock.$key"
fi
echo "program $key $run" >>"$LOG"
sleep "$seconds"
[ "$(readlink "lock.$key")" = $me ] && rm -f "lock.$key"
echo "made $key"
`;

/**
 * The pipeline of a state: two of them stand in one folder and share all names. `log` and the lists are its own.
 * @param {{ name: string, log: string, side: string, prefix: string }} whose
 */
export const pipelineOf = ({ name, log, side, prefix }) => `import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allKeys, asset, definePipeline, dynamicPartitions, lastKeys, mapKeys, sensor, skip, warn } from 'dynpart';

const here = (name) => new URL(name, import.meta.url);
const started = fs.readFileSync('/proc/self/stat', 'latin1').replace(/^.*\\) /, '').split(' ')[19];
const who = process.pid + ' ' + started;
const own = { of: '${name}' };
// One write each: O_APPEND puts the lines of all processes into one order.
const note = (...words) => fs.appendFileSync(here('${log}'), words.join(' ') + '\\n');
const lines = (name) => fs.readFileSync(here('${prefix}' + name), 'utf8').split('\\n').filter((line) => line !== '');
const sleep = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const abort = () => { clearTimeout(timer); reject(new Error('aborted')); };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
const aWhile = () => {
  const dice = Math.random();
  return Math.random() * (dice < 0.5 ? 80 : dice < 0.9 ? 400 : 900);
};
note('load', who);

/** Takes its own process down, and says before it which runs go with it. */
async function die() {
  const begun = new Set();
  for (const name of fs.readdirSync(here('${side}/executors'))) {
    if (!name.includes('.' + process.pid + '-' + started + '-')) continue;
    for (const line of fs.readFileSync(here('${side}/executors/' + name), 'utf8').split('\\n')) {
      const [word, id] = line.split(' ');
      if (word === 'begun') begun.add(id);
      else begun.delete(id);
    }
  }
  note('killing', who, [...begun].join(',') || '-');
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => setTimeout(() => undefined, 1e6));
}

function made(name, partitions, more = {}) {
  return asset({
    name,
    partitions,
    ...more,
    // Of each value that is kept; and the other half of those that always fail return what this refuses.
    checks: { right: ({ value }) => (value.wrong ? 'it is always wrong' : warn('it is by ' + value.run)) },
    async materialize(context) {
      const { partitionKey: key, run, signal, version, item, inputs } = context;
      note('begin', who, name, key, run.id);
      let how = 'stopped';
      try {
        if (key.endsWith('${KILLS}')) await die();
        if (name === 'work') await program(context);
        else await sleep(aWhile(), signal);
        if (key.endsWith('${FAILS}')) {
          if (Math.random() < 0.5) return { wrong: true };
          throw new Error('it always fails');
        }
        how = 'done';
        if (name === 'base' && version?.endsWith('${SKIPS}')) return skip('nothing to make of it');
        return { of: '${name}', asset: name, key, run: run.id, version, item, from: inputs?.base?.version ?? null };
      } finally {
        note('end', who, name, key, run.id, how);
      }
    },
  });
}

function seeing(name, assets, look) {
  return sensor({
    name,
    assets,
    minimumIntervalSeconds: 1,
    async evaluate(context) {
      note('look', who, name);
      try {
        await sleep(Math.random() * 200, context.signal);
        return look(context);
      } finally {
        note('looked', who, name);
      }
    },
  });
}

/** One that stays with its run, one behind a shell, and one that its shell leaves behind: that ends with the run. */
const SHELLS = ['exec sh "$@"', 'sh "$@" & wait', 'sh "$@" & sleep 0.1'];
async function program({ partitionKey, run, exec }) {
  const words = [SHELLS[Math.floor(Math.random() * SHELLS.length)], 'sh', fileURLToPath(here('program.sh'))];
  // Some outlive the process that started them until another one takes the key up.
  const seconds = (Math.random() * (Math.random() < 0.4 ? 5 : 1)).toFixed(2);
  const how = Math.random() < 0.04 ? 'stubborn' : 'plain';
  await exec('sh', ['-c', ...words, '${prefix}' + partitionKey, run.id, seconds, how], {
    cwd: fileURLToPath(here('.')),
    env: { LOG: fileURLToPath(here('${log}')) },
  });
}

const items = dynamicPartitions('items');
const mirror = dynamicPartitions('mirror');
const guarded = dynamicPartitions('guarded');
const found = dynamicPartitions('found');
const pairs = dynamicPartitions('pairs');
const pulses = dynamicPartitions('pulses');
const carried = dynamicPartitions('carried');
const jobs = dynamicPartitions('jobs');
// Ticks of automation take out what is made, but for the newest ones.
const old = dynamicPartitions('old', { retain: { keepLast: ${KEPT}, purge: true, maxRemove: '100%' } });

const mark = made('mark', items);
const copy = made('copy', found);
const first = made('first', pairs);
const second = made('second', pairs, { inputs: { first }, concurrency: ${SECOND_CONCURRENCY} });
const pulse = made('pulse', pulses);
const work = made('work', jobs);
const base = made('base', carried, {
  automate: 'stale',
  retry: { maxRetries: 0, later: ${JSON.stringify(LATER)} },
});
const aged = made('aged', old, { automate: 'missing' });
const derived = made('derived', carried, { inputs: { base }, automate: 'stale' });

${manyPipeline(FAILS)}
/** All that is listed, each time: that each run key launches one run is not the sensor's to see to. */
const listed = (name, set, assets) =>
  seeing(name, assets, () => {
    const all = lines(name + '.txt');
    return {
      cursor: String(all.length),
      // Not only what is missing: somebody may remove a key while it looks, and the run for it must find it.
      dynamicPartitionsRequests: [set.buildAddRequest(all)],
      runRequests: all.map((partitionKey) => ({ partitionKey, runKey: partitionKey })),
    };
  });

/** What somebody was told, and when. */
const tell = ({ incidents }) => {
  for (const { asset: name, sensor: looking, code, occasion } of incidents)
    fs.appendFileSync(here('${prefix}told.txt'), [Date.now(), name ?? looking, code, occasion].join(' ') + '\\n');
};

export default definePipeline({
  notify: [{ name: 'told', on: ['run-failed', 'sensor-failed', 'stuck', 'recovered'], send: tell }],
  assets: [mark, copy, first, second, pulse, work, base, derived, aged, ...many],
  partitions: [mirror, guarded],
  pools: { narrow: { limit: ${APART_AT_ONCE} } },
  processes: { limit: 1 },
  concurrency: ${CONCURRENCY},
  sensors: [
    listed('feed', found, [copy]),
    listed('pairs', pairs, [first, second]),
    // Its cursor is a counter that an operator sets now and then: no step may be lost, and none made twice.
    seeing('count', [], ({ cursor }) => {
      const [operation, number] = (cursor ?? 'op0:0').split(':');
      return { cursor: operation + ':' + (Number(number) + 1) };
    }),
    // It wants all of them, each time: those that an operator keeps out must stay away.
    seeing('guard', [], () => ({
      dynamicPartitionsRequests: [guarded.buildAddRequest(Array.from({ length: 8 }, (_, at) => 'g' + at))],
    })),
    // Runs of one and the same key from every tick: they must wait for each other.
    seeing('pulse', [pulse], async ({ partitions }) =>
      Math.random() < 0.5 && (await partitions(pulses).count()) > 0
        ? { skipReason: 'not now' }
        : {
            dynamicPartitionsRequests: [pulses.buildAddRequest(['p'])],
            runRequests: [{ partitionKey: 'p' }],
          }),
    // What the outside world has, in the versions that it has now. Who asks for what is made of it is automation.
    seeing('carried', [], async ({ partitions }) => {
      const seen = lines('carried.txt').map((line) => {
        const [key, version] = line.split(' ');
        return { key, version, item: { of: key, version } };
      });
      return { dynamicPartitionsRequests: [carried.buildAddRequest(await partitions(carried).changed(seen))] };
    }),
  ],
});
`;
