/** The command line, its evaluator thread and its asset processes as CommonJS, which starts fastest on Node 20; what pipelines import as ES modules. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { defineConfig, type Plugin, type RolldownOptions } from 'rolldown';

// What is heavy stays outside and is loaded where it is first needed.
const loadedOnUse = ['ora', 'execa', 'jiti'];

/**
 * commander loads `child_process` at once, for subcommands that are programs of their own. There are none here, and it
 * would cost a tenth of the start-up.
 */
function withoutChildProcess(): Plugin {
  const eager = "const childProcess = require('node:child_process');";
  const onUse = "const childProcess = { spawn: (...args) => require('node:child_process').spawn(...args) };";
  return {
    name: 'commander-without-child-process',
    transform: {
      filter: { id: /commander[\\/]lib[\\/]command\.js$/ },
      handler(code) {
        if (!code.includes(eager))
          throw new Error('commander no longer loads child_process as it did: look at it again');
        return code.replace(eager, onUse);
      },
    },
  };
}

/**
 * What is needed together goes into one file: each further one costs a start-up about 1 % of `node -e 0`, and so do 8 kB of
 * code that is not needed. A group is these modules and all that they import, less what they import only on use and what an
 * earlier group has. `test/cli/start-up.test.ts` counts what commands load.
 */
const GROUPS = {
  // What nearly every command needs.
  core: [
    'cli/main.ts',
    'cli/check-names.ts',
    'cli/command-line/options.ts',
    'cli/render/tick-words.ts',
    'engine/plan/ends/cancel-runs.ts',
    'engine/plan/ends/run-records.ts',
    'engine/sensors/sensor-status.ts',
    'model/',
  ],
  // What a tick that finds nothing new needs: the user's pipeline, and a look at what its sensors return.
  tick: [
    'cli/commands/sensor-tick.ts',
    'cli/load-user-pipeline.ts',
    'engine/user-code/thread-turns.ts',
    'loader/known-pipeline.ts',
  ],
  // What a tick needs whose sensor asked for something: the plan, and the commit that comes of it.
  plan: [
    'engine/plan/tick/plan-tick.ts',
    'engine/plan/sensor-result/parse-sensor-result.ts',
    'state/document/apply-changes.ts',
    'engine/runs/made-by.ts',
    'definitions/mapped-keys.ts',
  ],
  // What a tick of `automation` needs that finds nothing to do.
  automation: ['engine/sensors/run-automation.ts'],
  // What `status` and others that look share.
  report: ['engine/sensors/runs-of-ticks.ts', 'report/status-report.ts', 'cli/page/page-flags.ts'],
  // What executes runs.
  execution: ['engine/runs/run-loop.ts', 'values/file-values.ts'],
};

/** What stands in the folder of a group and is not needed with it: it goes with those who import it. */
const APART = placesOf('APART', ['model/network-words.ts']);

function placesOf(name: string, modules: readonly string[]): string[] {
  const places = modules.map((module) => path.join(import.meta.dirname, 'src', module));
  for (const place of places)
    if (!fs.existsSync(place)) throw new Error(`${name} names ${place}, which is not there`);
  return places;
}

function groupOf(name: string, modules: readonly string[]) {
  const places = placesOf(`group ${name}`, modules);
  const test = (module: string): boolean => {
    const id = path.normalize(module);
    return places.some((place) => id.startsWith(place)) && !APART.includes(id);
  };
  return { name, test };
}

const groups = Object.entries(GROUPS).map(([name, modules]) => groupOf(name, modules));

/**
 * What node brings with it is taken as it is. The usual interop would copy each of its names into an object of its own,
 * which is right for modules of any kind and costs every start-up 0.3 ms.
 */
const builtinsAsTheyAre: Plugin = {
  name: 'builtins-as-they-are',
  transform: {
    filter: { id: /[\\/]src[\\/]/, code: /^import \w+ from 'node:/m },
    handler: (code) =>
      code.replace(/^import (\w+) from '(node:\w+)';/gm, "const $1 = process.getBuiltinModule('$2');"),
  },
};

/** Of the package's own description only the version is told. */
const versionAlone: Plugin = {
  name: 'version-alone',
  transform: {
    filter: { id: /package\.json$/ },
    handler: (code) => JSON.stringify({ version: (JSON.parse(code) as { version: string }).version }),
  },
};

// Names of functions and classes stay, so that a stack in a bug report can be read.
const minify = { mangle: { keepNames: true }, compress: true, codegen: true };

/** The bundler's own helpers in the file that needs them at each tick: a file of their own costs a start-up 0.3 ms. */
const helpersInPlace: Plugin = {
  name: 'helpers-in-place',
  generateBundle(_options, bundle) {
    const helpers = Object.values(bundle).find((file) => file.fileName.endsWith('-rolldown-runtime.cjs'));
    if (helpers?.type !== 'chunk') return;
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk' || !/-(?:tick|plan|automation|execution)\.cjs$/.test(file.fileName)) continue;
      const call = `require("./${path.basename(helpers.fileName)}")`;
      if (!file.code.includes(call))
        throw new Error('helpers are asked for in another way: look at it again');
      file.code = file.code.replace(call, () => `(exports=>{${helpers.code};return exports})({})`);
    }
  },
};

const EXPORT =
  /Object\.defineProperty\(exports,["'`]([\w$]+)["'`],\{enumerable:!0,get:function\(\)\{return ([\w$.]+)\}\}\)/;
const EXPORTS = new RegExp(`(?:${EXPORT.source},)*${EXPORT.source}`, 'g');

/** Exports are named in one list: each by itself takes a hundred bytes, which were a tenth of what every start-up reads. */
const exportsAtOnce: Plugin = {
  name: 'exports-at-once',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle))
      if (file.type === 'chunk') file.code = file.code.replace(EXPORTS, inOneList);
  },
};

function inOneList(run: string): string {
  const each = [...run.matchAll(new RegExp(EXPORT, 'g'))].map(([, name, value]) => `${name}:()=>${value}`);
  const define = '(e=>{for(let t in e)Object.defineProperty(exports,t,{enumerable:!0,get:e[t]})})';
  return each.length < 4 ? run : `void ${define}({${each.join()}})`;
}

/** What is left of `import()` in the programs leads outside them, and is done by a file whose compiled code is never kept. */
const importsByAnother: Plugin = {
  name: 'imports-by-another',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle))
      if (file.type === 'chunk')
        file.code = file.code.replace(/\bimport\(/g, 'require("../bin/dynamic-import.cjs")(');
  },
};

/** A command line, or what is isolated from it: sharing files between them would mean more of them at every start. */
function program(name: string, inputs: Readonly<Record<string, string>>): RolldownOptions {
  return {
    input: inputs,
    platform: 'node',
    external: loadedOnUse,
    plugins: [
      withoutChildProcess(),
      builtinsAsTheyAre,
      versionAlone,
      helpersInPlace,
      besideThePrograms,
      importsByAnother,
      exportsAtOnce,
    ],
    output: {
      dir: 'dist',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      // `import.meta.dirname` of what starts is the folder of everything that was built.
      // In one folder: for each further one node looks for a package.json.
      chunkFileNames: `${name}-[name].cjs`,
      codeSplitting: { groups },
      minifyInternalExports: false,
      minify,
      // One sign beyond Latin-1 would make V8 hold and scan the whole file as two bytes a letter.
      charset: 'ascii',
    },
  };
}

/**
 * `dynpart/sources` and `dynpart/testing` are built once, as ES modules that load their parts on use. The command line imports
 * these when a pipeline file does: a copy of them in each program would be the larger part of the package.
 */
const besideThePrograms: Plugin = {
  name: 'beside-the-programs',
  resolveId: {
    filter: { id: /(sources|testing)\/index\.ts$/ },
    handler: (source, importer) =>
      importer === undefined ? null : { id: `./${path.basename(path.dirname(source))}.js`, external: true },
  },
};

function library(name: string, external: (string | RegExp)[] = []): RolldownOptions {
  return {
    input: { [name]: `src/${name}/index.ts` },
    platform: 'node',
    external,
    output: {
      dir: 'dist',
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: `${name}-[name].js`,
      minify,
    },
  };
}

/** The page of `status --html` and `ui` as one file with places for its data: what it allows itself is said by the hashes of its parts. */
const inOneFile: Plugin = {
  name: 'in-one-file',
  generateBundle(_options, bundle) {
    const [chunk] = Object.values(bundle);
    if (chunk?.type !== 'chunk') throw new Error('the page has no script');
    const script = chunk.code.trim();
    if (/<\/script|<!--/i.test(script)) throw new Error('the script of the page would end in its middle');
    const style = own('page.css').replace(/\s*\n\s*/g, '\n');
    const parts: Readonly<Record<string, string>> = {
      '@SCRIPT-HASH@': hashOf(script),
      '@STYLE-HASH@': hashOf(style),
      '@SCRIPT@': script,
      '@STYLE@': style,
    };
    const source = own('shell.html').replace(/@(?:SCRIPT|STYLE)(?:-HASH)?@/g, (name) => parts[name]!);
    delete bundle[chunk.fileName];
    this.emitFile({ type: 'asset', fileName: 'page.html', source });
  },
};

function own(name: string): string {
  return fs.readFileSync(path.join(import.meta.dirname, 'src/page', name), 'utf8');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

export default defineConfig([
  program('cli', { cli: 'src/cli/main.ts' }),
  program('isolated', {
    evaluator: 'src/cli/isolation/evaluator-thread.ts',
    'asset-process': 'src/cli/isolation/inside-asset-process.ts',
  }),
  {
    input: { index: 'src/index.ts' },
    platform: 'node',
    external: loadedOnUse,
    output: { dir: 'dist', format: 'esm', entryFileNames: '[name].js' },
  },
  library('sources'),
  {
    input: { 'sources-looker': 'src/sources/files/looker-program.ts' },
    platform: 'node',
    output: { dir: 'dist', format: 'cjs', entryFileNames: '[name].cjs', minify },
  },
  // A test may wait for what a start may not: it need not bring it along.
  library('testing', [...loadedOnUse, /^croner/]),
  {
    input: { page: 'src/page/main.ts' },
    platform: 'browser',
    plugins: [inOneFile],
    output: { dir: 'dist', format: 'iife', minify: true, charset: 'ascii' },
  },
]);
