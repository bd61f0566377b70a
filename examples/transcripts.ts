/**
 * Recordings in a folder: their facts come from an API that answers for many at once, their transcripts from code that keeps a core busy.
 *
 *     dynpart -f examples/transcripts.ts sensor tick
 *
 * RECORDINGS is a folder, API_URL answers a POST of `{ "names": […] }` with `[{ "name", "speaker" }, …]`.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { asset, definePipeline, dynamicPartitions, sensor, skip } from 'dynpart';
import { files, type FileItem } from 'dynpart/sources';

const { RECORDINGS = 'recordings', API_URL = 'http://localhost:8080/facts' } = process.env;

export const recordings = dynamicPartitions<FileItem>('recordings');

interface Fact {
  readonly name: string;
  readonly speaker: string | null;
}

/** One request for up to a hundred: each recording still has a run, a value and a failure of its own. */
export const facts = asset({
  name: 'facts',
  partitions: recordings,
  automate: 'stale',
  batch: 100,
  retry: { maxRetries: 2, delayMs: 1000, later: ['10m', '1h'] },
  async *materialize({ keys, log, signal }) {
    const names = keys.map(({ partitionKey }) => partitionKey);
    log.info(`asking for ${names.length} at once`);
    const response = await fetch(API_URL, { method: 'POST', body: JSON.stringify({ names }), signal });
    if (!response.ok) throw new Error(`${API_URL} answered ${response.status}`);
    for (const { name, speaker } of (await response.json()) as Fact[]) {
      if (speaker === null) yield [name, skip('nobody speaks')];
      else yield [name, { speaker }];
    }
  },
});

/** In a process of its own: two of them use two cores, and one that crashes takes nobody along. */
export const transcript = asset({
  name: 'transcript',
  partitions: recordings,
  inputs: { facts },
  automate: 'stale',
  isolation: 'process',
  timeoutMs: 60_000,
  async materialize({ partitionKey, inputs, addMetadata }) {
    const sound = await fs.readFile(path.join(RECORDINGS, partitionKey));
    // Stands for what a model does: it keeps the core busy, and depends on every byte.
    let state = 1;
    for (let round = 0; round < 200; round++)
      for (const byte of sound) state = (Math.imul(state, 31) + byte) >>> 0;
    addMetadata({ bytes: sound.length, process: process.pid });
    return { speaker: inputs.facts.speaker, text: sound.toString('utf8').trim(), check: state };
  },
});

export const folder = sensor({
  name: 'folder',
  evaluate: files(recordings, '*.txt', { cwd: RECORDINGS }),
});

export default definePipeline({ assets: [facts, transcript], sensors: [folder] });
