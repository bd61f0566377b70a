/** (a) Start-up: what a command costs that has next to nothing to do, in ratio to `node -e 0`. */
import fs from 'node:fs';
import path from 'node:path';
import { bareNode, demand, dynpart, folderWith, pairs, readJson, run } from './harness.mjs';

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
  evaluate: ({ partitions }) => {
    const keys = partitions(episodes).missing(items.map(({ id }) => id));
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

export function measure({ quick }) {
  const count = quick ? 10 : 40;
  const files = { 'feed.ts': feed, 'words.ts': words };
  const folder = folderWith('quiet', { ...files, 'pipeline.ts': quiet });
  run(dynpart(['sensor', 'tick'], folder));
  demand(stateOf(folder).sets.episodes.keys.length === 10, 'ten keys are known');
  const grower = folderWith('growing', { ...files, 'pipeline.ts': growing });
  const edited = folderWith('edited', { ...files, 'pipeline.ts': quiet });
  run(dynpart(['sensor', 'tick'], edited));
  let edits = 0;
  const edit = () => {
    fs.writeFileSync(path.join(edited, 'pipeline.ts'), `${quiet}// edit ${++edits}\n`);
    return dynpart(['sensor', 'tick'], edited);
  };

  const row = (what, subject, { aim, later }) => ({
    what,
    baseline: 'node -e 0',
    ...pairs({ count, warm: 2, subject, baseline: () => bareNode }),
    aim,
    later,
  });
  const rows = [
    row('--version', () => dynpart(['--version'], folder), { later: 1.2 }),
    row('--help', () => dynpart(['--help'], folder), { later: 1.5 }),
    row('partitions list, 10 keys', () => dynpart(['partitions', 'list', 'episodes'], folder), {
      aim: 1.7,
      later: 1.5,
    }),
    row('sensor tick, nothing new', () => dynpart(['sensor', 'tick'], folder), { aim: 2.5, later: 1.8 }),
    row('sensor tick, one key added and run', () => dynpart(['sensor', 'tick'], grower), { later: 2.8 }),
    row('sensor tick, the first after an edit', edit, { later: 8 }),
  ];
  demand(stateOf(grower).sets.episodes.keys.length === count + 2, 'each tick added one key');
  return rows;
}

function stateOf(folder) {
  return readJson(path.join(folder, '.dynpart', 'state.json'));
}
