/** No class of src/ grows beyond what can be read at once; that no file does is lint's (`max-lines`). */
import fs from 'node:fs';
import path from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { expect, it } from 'vitest';
import { root } from '../support/project.ts';

const MOST_LINES = 220;

interface Class {
  readonly name: string;
  readonly lines: number;
}

/** All classes of a file, those within others included, from `class` to the closing brace. */
function classesIn(text: string): Class[] {
  const found: Class[] = [];
  const look = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return;
    if (isClass(node))
      found.push({
        name: node.id?.name ?? 'a class without a name',
        lines: text.slice(node.start, node.end).split('\n').length,
      });
    for (const child of Object.values(node)) look(child);
  };
  look(parseAst(text, { lang: 'ts' }));
  return found;
}

interface ClassNode {
  readonly id: { readonly name: string } | null;
  readonly start: number;
  readonly end: number;
}

function isClass(node: object): node is ClassNode {
  return 'type' in node && (node.type === 'ClassDeclaration' || node.type === 'ClassExpression');
}

it('finds classes wherever they stand, and counts their lines', () => {
  const text = `/** é */\nexport class One {\n  x = class {\n    y = 1;\n  };\n}\nconst two = () => class Two {};\n`;
  expect(classesIn(text)).toEqual([
    { name: 'One', lines: 5 },
    { name: 'a class without a name', lines: 3 },
    { name: 'Two', lines: 1 },
  ]);
});

it(`no class of src/ is longer than ${MOST_LINES} lines`, () => {
  const folder = path.join(root, 'src');
  const files = fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'));
  const classes = files.flatMap((file) =>
    classesIn(fs.readFileSync(path.join(folder, file), 'utf8')).map((one) => ({ file, ...one })),
  );
  expect(classes.length).toBeGreaterThan(50);
  const tooLong = classes
    .filter(({ lines }) => lines > MOST_LINES)
    .map(
      ({ file, name, lines }) =>
        `src/${file}: class ${name} has ${lines} lines: a second thing lives in it, which has a name and data of its own, and belongs in a file of its own`,
    );
  expect(tooLong).toEqual([]);
});
