/** No files of src/ lead to each other, neither by types nor by `import()`: lint sees only circles of what is loaded at once. */
import fs from 'node:fs';
import path from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { expect, it } from 'vitest';
import { root } from '../support/project.ts';

/** Whatever names another file: imports, exports, `import()`, and types that are written `import('…').Name`. */
function namedIn(text: string): string[] {
  const found: string[] = [];
  const look = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return;
    if ('source' in node) note(node.source);
    for (const child of Object.values(node)) look(child);
  };
  const note = (source: unknown): void => {
    if (
      source !== null &&
      typeof source === 'object' &&
      'value' in source &&
      typeof source.value === 'string'
    )
      found.push(source.value);
  };
  look(parseAst(text, { lang: 'ts' }));
  return found.filter((name) => name.startsWith('.'));
}

/** The shortest way from a file back to itself; `null`: there is none. */
function circleOf(start: string, leadsTo: ReadonlyMap<string, readonly string[]>): string[] | null {
  const cameFrom = new Map<string, string>();
  const reached = [start];
  for (const file of reached)
    for (const next of leadsTo.get(file) ?? []) {
      if (next === start) {
        const way = [file];
        while (way[0] !== start) way.unshift(cameFrom.get(way[0]!)!);
        return [...way, start];
      }
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      reached.push(next);
    }
  return null;
}

const src = path.join(root, 'src');
const files = fs
  .readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll(path.sep, '/'));
const leadsTo = new Map(
  files.map((file) => [
    file,
    namedIn(fs.readFileSync(path.join(src, file), 'utf8')).map((name) =>
      path.posix.join(path.posix.dirname(file), name),
    ),
  ]),
);

it('what is named is seen, in whichever form', () => {
  const forms = [
    "import './a.ts';",
    "import type { B } from './b.ts';",
    "export * from './c.ts';",
    "const d = () => import('./d.ts');",
    "type E = import('./e.ts').E;",
    "import fs from 'node:fs';",
  ];
  expect(namedIn(forms.join('\n'))).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts']);
  expect([...leadsTo.values()].flat().filter((to) => to.endsWith('.ts') && !leadsTo.has(to))).toEqual([]);
});

it('no file leads back to itself', () => {
  const circles = files.flatMap((file) => circleOf(file, leadsTo)?.join(' → ') ?? []);
  expect(circles).toEqual([]);
});
