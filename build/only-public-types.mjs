/** Removes the declarations that nothing which the package exports leads to. Run by the build, behind tsc. */
import fs from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const { exports } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const reached = new Set();

/** @param {string} file */
function reach(file) {
  if (reached.has(file)) return;
  reached.add(file);
  const text = fs.readFileSync(file, 'utf8');
  for (const [, from = ''] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.[jt]s['"]/g))
    reach(path.resolve(path.dirname(file), `${from}.d.ts`));
}

for (const target of Object.values(exports)) if (target.types) reach(path.join(root, target.types));

const folder = path.join(root, 'dist/types');
for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  const file = path.join(folder, name);
  if (name.endsWith('.d.ts') && !reached.has(file)) fs.rmSync(file);
}
