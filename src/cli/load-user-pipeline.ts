/** Loads the user's code into this process or thread: from now on what it prints is its own. */
import path from 'node:path';
import type * as CodeCache from '../../bin/code-cache.cjs';
import { type LoadedPipeline, loadPipeline, type PipelineCode } from '../loader/load-pipeline.ts';
import { makeMissing } from '../files/durable-files.ts';
import { FailureError } from '../model/failure.ts';
import { waiting } from './nothing-left.ts';
import { captureOutput, catchStrays, type OnStray } from './isolation/capture-output.ts';

export interface UserPipeline {
  readonly file: string;
  /** Where its compiled code is kept; `null`: nowhere. */
  readonly packFile: string | null;
  readonly version: string;
  /** As it was loaded somewhere else: this is run, and not what the files say by now. */
  readonly code?: PipelineCode;
}

/** What the code does where no run or tick can be named. */
export interface UnattributedOutput {
  readonly onOutput: (text: string) => void;
  readonly onStray: OnStray;
}

/** A dependency of dynpart's own. Mostly none is needed, and to load `node:module` and make a `require` costs start-up. */
function requireOwn(name: string): unknown {
  const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);
  const [, packageName, file] = /^(\w+)\/(.+)$/.exec(name) ?? [];
  if (packageName === undefined) return require(name);
  const place = path.join(path.dirname(require.resolve(`${packageName}/package.json`)), file!);
  return keptCompiler(require, place) ?? require(place);
}

/** It is as large as three times all that a tick loads otherwise: what V8 made of it is kept, and saves a quarter of the first tick after an edit. */
function keptCompiler(require: NodeJS.Require, place: string): unknown {
  try {
    const { loadCompiler } = require('../bin/code-cache.cjs') as typeof CodeCache;
    return loadCompiler(place, process);
  } catch {
    // Run from the sources there is no such file, and what is kept is never needed.
    return undefined;
  }
}

export function loadUserPipeline(
  pipeline: UserPipeline,
  { onOutput, onStray }: UnattributedOutput,
): Promise<LoadedPipeline> {
  captureOutput((text) => onOutput(text.replace(/\n$/, '')));
  catchStrays(onStray);
  return loadAgain(pipeline);
}

/** Where the user's code was loaded before: its files as they are now, each anew. Packages and what Node has of its own stay as they are. */
export function loadAgain({ file, packFile, version, code }: UserPipeline): Promise<LoadedPipeline> {
  return orUnsettled(
    loadPipeline(file, {
      packFile,
      makeFolder: (folder) => makeMissing(folder, 0o700),
      version,
      requireOwn,
      code,
    }),
  );
}

/** Not for good where the code waits for what will never be. */
async function orUnsettled<Loaded>(loading: Promise<Loaded>): Promise<Loaded> {
  let tell!: () => void;
  const unsettled = new Promise<never>((_, reject) => {
    tell = () => reject(new FailureError({ reason: 'pipeline-unsettled' }));
  });
  waiting.add(tell);
  try {
    return await Promise.race([loading, unsettled]);
  } finally {
    waiting.delete(tell);
  }
}
