/** The user's pipeline file → a validated pipeline, or a failure that says what is wrong and where. */
import fs from 'node:fs';
import path from 'node:path';
import type * as JitiModule from 'jiti';
import { kindOf } from '../definitions/brand.ts';
import { fail } from '../definitions/failure.ts';
import { nameOfType } from '../definitions/partition-key.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import * as library from '../index.ts';
import { failureOfLoading } from './load-failure.ts';
import { stampOf } from './pipeline-file.ts';

export interface LoadOptions {
  /** Where transformed code is kept; `null` keeps none. Never in the user's folder. */
  readonly cacheFolder: string | null;
  /** Loads a dependency of dynpart itself. */
  readonly requireOwn: (name: string) => unknown;
}

/**
 * Loads and checks a pipeline file.
 *
 * jiti does it for TypeScript and JavaScript alike, on every Node: with its cache warm it is quicker than Node's own type
 * stripping, it takes every TypeScript syntax, and `import 'dynpart'` is answered with this very package, also where the
 * user's folder has no `node_modules`. `docs/decisions/0004-loader.md` has the figures.
 */
export async function loadPipeline(
  file: string,
  { cacheFolder, requireOwn }: LoadOptions,
): Promise<Pipeline> {
  if (stampOf(file) === null) fail({ reason: 'pipeline-not-found', file, given: true });
  const { createJiti } = requireOwn('jiti') as typeof JitiModule;
  let module: Record<string, unknown>;
  try {
    const jiti = createJiti(file, {
      fsCache: cacheFolder ?? false,
      interopDefault: false,
      tsconfigPaths: hasTsconfig(file),
      virtualModules: { dynpart: library },
    });
    module = (await jiti.import(file)) ?? {};
  } catch (error) {
    return fail(failureOfLoading(error, file));
  }
  return pipelineIn(module, file);
}

function pipelineIn(module: Record<string, unknown>, file: string): Pipeline {
  const exported = module['default'];
  if (exported === undefined) {
    const names = Object.keys(module).filter((name) => name !== '__esModule' && name !== 'default');
    return fail({ reason: 'pipeline-no-default', file, exports: names });
  }
  const kind = kindOf(exported);
  if (kind === 'pipeline') return exported as Pipeline;
  const what =
    kind === undefined
      ? nameOfType(exported)
      : { asset: 'an asset', sensor: 'a sensor', 'dynamic-partitions': 'a partitions definition' }[kind];
  return fail({ reason: 'pipeline-not-one', file, what });
}

/** Path aliases cost a search for the file that has them: only where there is one. */
function hasTsconfig(file: string): boolean {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, 'tsconfig.json'))) return true;
    if (folder === path.dirname(folder)) return false;
  }
}
