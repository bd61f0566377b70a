/**
 * Uploads in a folder: the lines of each file are counted once it is whole, and again when it is replaced.
 *
 *     mkdir inbox && dynpart -f uploads.ts sensor watch
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { files, type FileItem } from 'dynpart/sources';

const uploads = dynamicPartitions<FileItem>('uploads');

const lines = asset({
  name: 'lines',
  partitions: uploads,
  automate: 'stale',
  async materialize({ item }) {
    const text = await readFile(path.join(import.meta.dirname, item.path), 'utf8');
    return text.split('\n').length - 1;
  },
});

const inbox = sensor({
  name: 'inbox',
  minimumIntervalSeconds: 1,
  evaluate: files(uploads, 'inbox/**/*.csv'),
});

export default definePipeline({ assets: [lines], sensors: [inbox] });
