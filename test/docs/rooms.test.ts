/** The rooms of CONTRIBUTING are those of the tree. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../support/project.ts';

/** Of these rooms each folder is named; what is in a folder of another room is that room's own business. */
const OPEN = ['.', 'engine', 'engine/plan'];

function folders(of: string): string[] {
  return fs
    .readdirSync(path.join(root, 'src', of), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? [path.posix.join(of, entry.name)] : []));
}

it('each room of src/ has its line in CONTRIBUTING, and each line a room', () => {
  const text = fs.readFileSync(path.join(root, 'CONTRIBUTING.md'), 'utf8');
  const [, lines = ''] = /^## Rooms\n\n```text\n([^]*?)```/m.exec(text) ?? [];
  const said: string[] = [];
  let above: string[] = [];
  for (const [, indent, name] of lines.matchAll(/^( *)(\S+)\/ /gm)) {
    above = [...above.slice(0, indent!.length / 2), name!];
    if (above[0]!.startsWith('src')) said.push(above.join('/').slice('src/'.length));
  }
  expect(said.filter((room) => !fs.existsSync(path.join(root, 'src', room)))).toEqual([]);
  expect(OPEN.flatMap(folders).filter((room) => !said.includes(room))).toEqual([]);
});
