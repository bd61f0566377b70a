/** The user's pipeline file → a validated pipeline, or a failure that says what is wrong and where. */
import { kindOf } from '../definitions/brand.ts';
import { fail, FailureError } from '../model/failure.ts';
import { nameOfType } from '../model/partition-key.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import { Compiler } from './compiler.ts';
import { type FreshPack, type PackedFile, readPack, realPath } from './module-pack.ts';
import { ModuleRunner } from './module-runner.ts';
import { isFile, stampOf } from './pipeline-files.ts';

export interface LoadedPipeline {
  readonly pipeline: Pipeline;
  /** Of the files that it was loaded from; see `isAsStamped`. */
  readonly stamp: string;
  /** What was run of them until now. */
  readonly code: () => PipelineCode;
}

/** The files of a pipeline as they were run, for who is to run the same, whatever became of the files since. Plain data. */
export interface PipelineCode {
  /** The real one. */
  readonly file: string;
  readonly files: Readonly<Record<string, PackedFile>>;
}

export interface LoadOptions {
  /** The file for this pipeline's compiled code; `null` keeps none. Never in the user's folder. */
  readonly packFile: string | null;
  /** Makes the folder of that file, when there is something to keep. */
  readonly makeFolder: (folder: string) => void;
  /** The version of dynpart. */
  readonly version: string;
  /** Loads a dependency of dynpart itself; `package/file` is a file of the package, also a file that the package does not export. */
  readonly requireOwn: (name: string) => unknown;
  /** Run instead of what the files say now. */
  readonly code?: PipelineCode | undefined;
}

/**
 * Loads and checks a pipeline file.
 *
 * jiti compiles it, on every Node: it takes every TypeScript syntax, and its code is kept in a pack that starts faster
 * than Node's own type stripping. `import 'dynpart'` is answered with this very package, also where the user's folder has
 * no `node_modules`. `docs/decisions/0004-loader.md` has the figures.
 */
export async function loadPipeline(
  given: string,
  { packFile, makeFolder, version, requireOwn, code }: LoadOptions,
): Promise<LoadedPipeline> {
  if (code === undefined && !isFile(given)) {
    const { failureOfGiven } = await import('./what-keeps-from.ts');
    fail(failureOfGiven(given));
  }
  // What it imports stands beside the real file, as for node itself.
  const file = code?.file ?? realPath(given) ?? given;
  const madeWith = `4 dynpart ${version} node ${process.version}`;
  const kept = (): FreshPack | null => (packFile === null ? null : readPack(packFile, madeWith));
  const pack = code === undefined ? kept() : new Map(Object.entries(code.files));
  const runner = new ModuleRunner(pack, new Compiler(file, requireOwn));
  let pipeline: Pipeline;
  try {
    // What is exported is the user's as well, and may throw when it is looked at.
    pipeline = pipelineIn(await runner.run(file), file);
  } catch (error) {
    if (error instanceof FailureError) throw error;
    const { failureOfLoading } = await import('./load-failure.ts');
    return fail(failureOfLoading(error, file));
  }
  if (packFile !== null && code === undefined && runner.knowsMoreThanThePack) {
    const { packOf, writePack } = await import('./make-pack.ts');
    const made = packOf(runner, file, madeWith);
    if (made !== null) writePack(packFile, made, makeFolder);
  }
  // The path as it was given comes first: it may be a link that leads elsewhere tomorrow.
  return {
    pipeline,
    stamp: stampOf([given, ...runner.ownFiles()]),
    code: () => ({ file, files: Object.fromEntries(runner.files) }),
  };
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
      ? exported instanceof Promise
        ? 'a promise (write await in front of it)'
        : nameOfType(exported)
      : {
          asset: 'an asset',
          sensor: 'a sensor',
          'dynamic-partitions': 'a partitions definition',
          skip: 'what skip() returns',
          warning: 'what warn() returns',
          keys: 'keys of an asset',
        }[kind];
  return fail({ reason: 'pipeline-not-one', file, what });
}
