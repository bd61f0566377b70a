/** Two bundles: the command line as CommonJS (it starts fastest on Node 20), the library as ES modules. */
import { defineConfig } from 'rolldown';

// What is heavy stays outside and is loaded where it is first needed.
const loadedOnUse = ['ora', 'execa', 'jiti'];

export default defineConfig([
  {
    input: { cli: 'src/cli/main.ts', evaluator: 'src/cli/evaluator-thread.ts' },
    platform: 'node',
    external: loadedOnUse,
    output: {
      dir: 'dist',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: 'chunks/[name].cjs',
      minify: false,
    },
  },
  {
    input: { index: 'src/index.ts' },
    platform: 'node',
    output: { dir: 'dist', format: 'esm', entryFileNames: '[name].js' },
  },
]);
