/** Loads the user's code into this process: from now on what it prints is its own. */
import { createRequire } from 'node:module';
import type { Pipeline } from '../definitions/pipeline.ts';
import { loadPipeline } from '../loader/load-pipeline.ts';
import { cacheFolder } from './cache-folder.ts';
import { captureOutput } from './capture-output.ts';

export function loadUserPipeline(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  onOutput: (text: string) => void,
): Promise<Pipeline> {
  captureOutput((text) => onOutput(text.replace(/\n$/, '')));
  return loadPipeline(file, { cacheFolder: cacheFolder(env), requireOwn: createRequire(import.meta.url) });
}
