/** Required before the binary: writes which files and which parts of node it has loaded, as its process ends. */
const before = new Set(process.moduleLoadList);

process.on('exit', () => {
  const fs = require('node:fs');
  const { LOADED_INTO: file = '' } = process.env;
  const builtins = process.moduleLoadList.filter((name) => !before.has(name));
  fs.writeFileSync(file, JSON.stringify({ files: Object.keys(require.cache), builtins }));
});
