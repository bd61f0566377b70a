/** (a) Start-up: what a command costs that has next to nothing to do, in ratio to `node -e 0`. */
import fs from 'node:fs';
import path from 'node:path';
import { against, bareNode, demand, dynpart, env, folderWith, readState, run } from './harness.mjs';

/** @import { Options, Prepared } from './harness.mjs' */

const feed = `
export interface Item { readonly id: string; readonly title: string }
export const items: readonly Item[] = Array.from({ length: 10 }, (_, at) => ({ id: \`episode-\${at + 1}\`, title: \`Episode \${at + 1}\` }));
`;
const words = `
import type { Item } from './feed';
export function wordsIn(item: Item | undefined): number {
  return item?.title.split(/\\s+/).length ?? 0;
}
`;

/** A TypeScript pipeline with two local imports whose sensor finds ten keys, all of them known after the first tick. */
const quiet = `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { items } from './feed';
import { wordsIn } from './words';

const episodes = dynamicPartitions('episodes');
const record = asset({
  name: 'record',
  partitions: episodes,
  materialize: ({ partitionKey }) => ({ words: wordsIn(items.find(({ id }) => id === partitionKey)) }),
});
const newEpisodes = sensor({
  name: 'new_episodes',
  assets: [record],
  evaluate: async ({ partitions }) => {
    const keys = await partitions(episodes).missing(items.map(({ id }) => id));
    if (keys.length === 0) return { skipReason: 'nothing new' };
    return {
      dynamicPartitionsRequests: [episodes.buildAddRequest(keys)],
      runRequests: keys.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({ partitions: [episodes], assets: [record], sensors: [newEpisodes] });
`;

/** The same, finding one new key with each tick. */
const growing = quiet.replace(
  /evaluate:[\s\S]*?\n {2}\},\n/,
  `evaluate: ({ cursor }) => {
    const next = Number(cursor ?? '0') + 1;
    const key = \`episode-\${next}\`;
    return {
      cursor: String(next),
      dynamicPartitionsRequests: [episodes.buildAddRequest([key])],
      runRequests: [{ partitionKey: key, runKey: key }],
    };
  },
`,
);

export const name = 'start-up';
export const title = 'Start-up, in ratio to node -e 0';

/** @param {Options} options */
export function measure({ quick }) {
  const count = quick ? 10 : 40;
  const folder = quietFolder();
  const grower = folderWith('growing', { ...files, 'pipeline.ts': growing });
  const edited = quietFolder();
  let edits = 0;
  const edit = () => {
    fs.writeFileSync(path.join(edited, 'pipeline.ts'), `${quiet}// edit ${++edits}\n`);
    return dynpart(['sensor', 'tick'], edited);
  };
  let packs = compiled();
  const wasCompiled = () => {
    const before = packs;
    packs = compiled();
    return packs !== before;
  };

  /**
   * @param {string} id
   * @param {string} what
   * @param {{ aim: number, subject: Prepared, check: (out: string) => boolean }} options
   */
  const row = (id, what, { aim, subject, check }) =>
    against({
      id: `start-up.${id}`,
      what,
      aim,
      count,
      warm: 2,
      subject,
      baseline: bareNode,
      baselineName: 'node -e 0',
      check: ({ subject: out }) => demand(check(out), what),
    });
  const rows = [
    row('version', '--version', {
      aim: 1.2,
      subject: () => dynpart(['--version'], folder),
      check: (out) => /^\d+\.\d+\.\d+\n$/.test(out),
    }),
    row('help', '--help', {
      aim: 1.5,
      subject: () => dynpart(['--help'], folder),
      check: (out) => out.includes('sensor') && out.includes('materialize'),
    }),
    row('list', 'partitions list, 10 keys', {
      aim: 1.5,
      subject: () => dynpart(['partitions', 'list', 'episodes'], folder),
      check: (out) => out.trim().split('\n').length === 10,
    }),
    row('tick', 'sensor tick, nothing new', {
      aim: 1.8,
      subject: () => dynpart(['sensor', 'tick'], folder),
      // Silent, as under cron.
      check: (out) => out === '',
    }),
    row('tick-run', 'sensor tick, one key added and run', {
      aim: 2.8,
      subject: () => dynpart(['sensor', 'tick'], grower),
      check: () => true,
    }),
    row('tick-edited', 'sensor tick, the first after an edit', {
      aim: 8,
      subject: edit,
      check: wasCompiled,
    }),
  ];
  demand(stateOf(grower).sets['episodes']?.keys.length === count + 2, 'each tick added one key');
  demand(/^m+$/.test(stateOf(grower).assets['record']?.status ?? ''), 'and ran it');
  for (const one of [folder, edited])
    demand(sawNothingNew(one, count), 'each tick looked and found nothing new');
  return rows;
}

const files = { 'feed.ts': feed, 'words.ts': words };

/** A folder whose ten keys are known, and whose pipeline is compiled. */
export function quietFolder() {
  const folder = folderWith('quiet', { ...files, 'pipeline.ts': quiet });
  run(dynpart(['sensor', 'tick'], folder));
  demand(stateOf(folder).sets['episodes']?.keys.length === 10, 'ten keys are known');
  return folder;
}

/**
 * A busy tick ends well, too, and would have been measured for one that looked.
 * @param {string} folder
 * @param {number} count
 */
function sawNothingNew(folder, count) {
  const { stdout } = run(
    dynpart(['sensor', 'history', 'new_episodes', '--limit', String(count), '--json'], folder),
  );
  /** @type {{ ticks: { status: string }[] }} */
  const { ticks } = JSON.parse(stdout);
  return ticks.length === count && ticks.every(({ status }) => status === 'SKIPPED');
}

/** What the tool keeps of compiled pipelines: changes when something was compiled anew. */
function compiled() {
  return fs
    .readdirSync(env.XDG_CACHE_HOME, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const { ino, mtimeMs, size } = fs.statSync(path.join(entry.parentPath ?? entry.path, entry.name));
      return `${entry.name} ${ino} ${mtimeMs} ${size}`;
    })
    .toSorted()
    .join('\n');
}

/** @param {string} folder */
function stateOf(folder) {
  return readState(path.join(folder, '.dynpart', 'state.json'));
}
