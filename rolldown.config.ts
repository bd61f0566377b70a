/** The command line and its evaluator thread as CommonJS, which starts fastest on Node 20; the library as ES modules. */
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

/** Modules whose paths match one of these, in a bundle's own spelling. */
function inside(...places: readonly string[]): RegExp {
  return new RegExp(places.join('|').replaceAll('/', '[\\\\/]'));
}

// What is needed together goes into one file: each further one costs a start-up about 1 % of `node -e 0`, and so do
// 8 kB of code that is not needed.
const groups = [
  // What nearly every command needs.
  {
    name: 'core',
    test: inside(
      'node_modules/lowdb/',
      'src/model/(?!json-value|thrown|tick)',
      'src/files/(?!segmented-log)',
      'src/state/(json/(?!bring-along)|document/(state-document|document-shape|record-shapes|document-view|key-positions|columns|run-columns))',
      'src/loader/pipeline-file',
      'src/engine/plan/(run-records|cancel-runs|remembering|belonging)',
      'src/engine/sensors/(last-tick|sensor-status)',
      'src/engine/user-code/timer',
      'src/cli/(main|contents|command-line/(declaration|read-plainly|global-options|options)|context|whose-state|state-place|terminal|exit-code|interrupts|stores|cache-folder|system-clock|render/(paint|table))',
      'src/cli/isolation/exit',
    ),
  },
  // What a tick that finds nothing new needs: the user's pipeline, and a look at what its sensors return.
  {
    name: 'tick',
    test: inside(
      'src/index|src/definitions/|src/model/',
      'src/loader/(?!load-failure|make-pack)',
      'src/engine/sensors/(evaluate|run-tick)',
      'src/engine/plan/(tick-record|claim-runs|sensor-result|read-result|partition-requests|run-requests|requested-runs|slots)',
      'src/engine/runs/(run-session|left-programs)',
      'src/engine/user-code/(?!run-program)',
      'src/cli/(commands/sensor(-tick)?\\.|load-user|end-left|run-options|render/(event|live))',
      'src/cli/isolation/(capture|load-process|more-threads)',
    ),
  },
  // What a tick needs whose sensor asked for something.
  { name: 'plan', test: inside('src/engine/plan/(tick|sets-after)') },
  // What executes runs.
  {
    name: 'execution',
    test: inside(
      'src/engine/runs/(execute|run-execution|run-queue|fresh)',
      'src/engine/plan/(ownership|retry-delay)',
      'src/values/',
    ),
  },
];

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
      if (file.type !== 'chunk' || !file.fileName.endsWith('-tick.cjs')) continue;
      const call = `require("./${path.basename(helpers.fileName)}")`;
      if (!file.code.includes(call))
        throw new Error('helpers are asked for in another way: look at it again');
      file.code = file.code.replace(call, () => `(exports=>{${helpers.code};return exports})({})`);
    }
  },
};

/** A command line or thread of its own: sharing files between them would mean more of them at every start. */
function program(name: string, input: string): RolldownOptions {
  return {
    input: { [name]: input },
    platform: 'node',
    external: loadedOnUse,
    plugins: [withoutChildProcess(), builtinsAsTheyAre, versionAlone, helpersInPlace],
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

export default defineConfig([
  program('cli', 'src/cli/main.ts'),
  program('evaluator', 'src/cli/isolation/evaluator-thread.ts'),
  {
    input: { index: 'src/index.ts' },
    platform: 'node',
    output: { dir: 'dist', format: 'esm', entryFileNames: '[name].js' },
  },
]);
