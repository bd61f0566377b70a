/** The command line and its evaluator thread as CommonJS, which starts fastest on Node 20; the library as ES modules. */
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

// What nearly every command needs goes into one file: each further one costs a start-up about 1 % of `node -e 0`.
const core = new RegExp(
  [
    'node_modules/(commander|lowdb)/',
    'src/definitions/(failure|nearest|partition-key|place|run|time)',
    'src/state/(?!memory)',
    'src/loader/pipeline-file',
    'src/engine/(run-records|cancel-runs|last-tick|sensor-status|remembering)',
    'src/cli/(?!main|commands|load-user|capture|run-options|purge|materialize|evaluat|print-runs|completion|write-status|render/(event|live|html))',
  ]
    .join('|')
    .replaceAll('/', '[\\\\/]'),
);

// Names stay, so that a stack in a bug report can be read.
const minify = { mangle: false, compress: true, codegen: true };

/** A command line or thread of its own: sharing files between them would mean more of them at every start. */
function program(name: string, input: string): RolldownOptions {
  return {
    input: { [name]: input },
    platform: 'node',
    external: loadedOnUse,
    plugins: [withoutChildProcess()],
    output: {
      dir: 'dist',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: `${name}/[name].cjs`,
      codeSplitting: { groups: [{ name: 'core', test: core }] },
      minify,
    },
  };
}

export default defineConfig([
  program('cli', 'src/cli/main.ts'),
  program('evaluator', 'src/cli/evaluator-thread.ts'),
  {
    input: { index: 'src/index.ts' },
    platform: 'node',
    output: { dir: 'dist', format: 'esm', entryFileNames: '[name].js' },
  },
]);
