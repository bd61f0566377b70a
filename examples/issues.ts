/**
 * The items of a paginated API with rate limits, such as the issues of a repository: a record of each, made anew when it changes.
 *
 *     API_URL='https://api.github.com/repos/nodejs/node/issues?state=all&per_page=100' API_TOKEN=… dynpart -f issues.ts sensor tick
 */
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { http } from 'dynpart/sources';

const url = process.env['API_URL'] ?? 'https://api.github.com/repos/nodejs/corepack/issues?per_page=100';
const headers = process.env['API_TOKEN'] ? { authorization: `Bearer ${process.env['API_TOKEN']}` } : {};

const issues = dynamicPartitions<{ readonly title: string }>('issues');

const record = asset({
  name: 'record',
  partitions: issues,
  automate: 'stale',
  materialize: ({ partitionKey, item }) => ({ number: Number(partitionKey), title: item.title }),
});

const list = sensor({
  name: 'list',
  timeoutSeconds: 600,
  evaluate: http(issues, {
    url,
    headers,
    next: 'link',
    key: 'number',
    version: 'updated_at',
    item: ['title'],
  }),
});

export default definePipeline({ assets: [record], sensors: [list] });
