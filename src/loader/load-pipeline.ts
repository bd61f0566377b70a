/** The user's pipeline file → a validated pipeline, or a failure that says what is wrong and where. */
import path from 'node:path';
import { kindOf } from '../definitions/brand.ts';
import { fail } from '../definitions/failure.ts';
import { nameOfType } from '../definitions/partition-key.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import { Compiler } from './compiler.ts';
import { failureOfLoading } from './load-failure.ts';
import { candidatesOf, type ModulePack, readPack, readText, realPath, writePack } from './module-pack.ts';
import { ModuleRunner } from './module-runner.ts';
import { stampOf } from './pipeline-file.ts';

export interface LoadOptions {
  /** The file for this pipeline's compiled code; `null` keeps none. Never in the user's folder. */
  readonly packFile: string | null;
  /** Makes the folder of that file, when there is something to keep. */
  readonly makeFolder: (folder: string) => void;
  /** The version of dynpart. */
  readonly version: string;
  /** Loads a dependency of dynpart itself; `package/file` is a file of it, also one that it does not offer. */
  readonly requireOwn: (name: string) => unknown;
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
  { packFile, makeFolder, version, requireOwn }: LoadOptions,
): Promise<Pipeline> {
  if (stampOf(given) === null) fail({ reason: 'pipeline-not-found', file: given, given: true });
  // What it imports stands beside the real file, as for node itself.
  const file = realPath(given) ?? given;
  const madeWith = `2 dynpart ${version} node ${process.version}`;
  const pack = packFile === null ? null : readPack(packFile, madeWith);
  const runner = new ModuleRunner(pack, new Compiler(file, requireOwn, () => hasText(tsconfigsAbove(file))));
  let module: Record<string, unknown>;
  try {
    module = await runner.run(file);
  } catch (error) {
    return fail(failureOfLoading(error, file));
  }
  if (packFile !== null && runner.knowsMoreThanThePack) {
    const made = packOf(runner, madeWith, tsconfigsAbove(file));
    if (made !== null) writePack(packFile, made, makeFolder);
  }
  return pipelineIn(module, file);
}

/** A pack of what was run; `null` when it could not be told later whether it is still good. */
function packOf(
  runner: ModuleRunner,
  madeWith: string,
  tsconfigs: Record<string, string | null>,
): ModulePack | null {
  const absent = new Set<string>();
  const links: Record<string, string> = {};
  const witnesses: Record<string, string | null> = { ...tsconfigs };
  const inheritsAliases = Object.values(tsconfigs).some((text) => text?.includes('"extends"'));
  for (const [importer, { edges }] of runner.files) {
    for (const [specifier, edge] of Object.entries(edges)) {
      if (edge.kind !== 'local' && edge.kind !== 'native') continue;
      // Files that are not compiled are not compared: they must be there, and be the same ones.
      const real = edge.kind === 'native' ? realPath(edge.file) : null;
      if (real !== null) links[edge.file] = real;
      if (/^(\.{1,2}\/|\/|file:)/.test(specifier)) {
        for (const candidate of candidatesOf(specifier, importer)) {
          const target = realPath(candidate);
          if (target === null) absent.add(candidate);
          else if (target === edge.file && candidate !== target) links[candidate] = target;
        }
      } else if (edge.kind === 'local' || inheritsAliases || specifier.startsWith('#')) {
        // A path alias, or what could become one: what else it could have meant is only known to the compiler.
        return null;
      } else if (!witnessPackage(specifier, importer, { absent, links, witnesses })) return null;
    }
  }
  return { madeWith, files: Object.fromEntries(runner.files), absent: [...absent], links, witnesses };
}

interface Evidence {
  readonly absent: Set<string>;
  readonly links: Record<string, string>;
  readonly witnesses: Record<string, string | null>;
}

/** A package is another one when it was installed anew, linked elsewhere, or when a nearer one appears. */
function witnessPackage(
  specifier: string,
  importer: string,
  { absent, links, witnesses }: Evidence,
): boolean {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  for (let folder = path.dirname(importer); ; folder = path.dirname(folder)) {
    const place = path.join(folder, 'node_modules', name);
    const real = realPath(place);
    if (real !== null) {
      links[place] = real;
      const manifest = path.join(place, 'package.json');
      witnesses[manifest] = readText(manifest);
      return true;
    }
    absent.add(place);
    // Its own name, or something else that no folder of packages answers.
    if (folder === path.dirname(folder)) return false;
  }
}

/** Path aliases come from the tsconfig.json of a folder above: which there are, and what they say. */
function tsconfigsAbove(file: string): Record<string, string | null> {
  const found: Record<string, string | null> = {};
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const tsconfig = path.join(folder, 'tsconfig.json');
    found[tsconfig] = readText(tsconfig);
    if (folder === path.dirname(folder)) return found;
  }
}

function hasText(texts: Record<string, string | null>): boolean {
  return Object.values(texts).some((text) => text !== null);
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
