/** Two bundles: the command line as CommonJS (it starts fastest on Node 20), the library as ES modules. */
import { defineConfig, type Plugin } from 'rolldown';

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

export default defineConfig([
  {
    input: { cli: 'src/cli/main.ts', evaluator: 'src/cli/evaluator-thread.ts' },
    platform: 'node',
    external: loadedOnUse,
    plugins: [withoutChildProcess()],
    output: {
      dir: 'dist',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: 'chunks/[name].cjs',
      minify: process.env['DYNPART_MINIFY'] === '1',
    },
  },
  {
    input: { index: 'src/index.ts' },
    platform: 'node',
    output: { dir: 'dist', format: 'esm', entryFileNames: '[name].js' },
  },
]);
