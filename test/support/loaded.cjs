/** Required before the binary: writes which files and which parts of node it has loaded, as its process ends. */
// Not in the types of node.
const { moduleLoadList } = /** @type {{ moduleLoadList: string[] }} */ (/** @type {unknown} */ (process));
const before = new Set(moduleLoadList);

process.on('exit', () => {
  const fs = require('node:fs');
  const { LOADED_INTO: file = '' } = process.env;
  const builtins = moduleLoadList.filter((name) => !before.has(name));
  fs.writeFileSync(file, JSON.stringify({ files: Object.keys(require.cache), builtins }));
});
