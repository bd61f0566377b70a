/** The book as a whole: the README is short, every page is in the table of contents, every link leads somewhere. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/project.ts';

const read = (name: string): string => fs.readFileSync(path.join(root, name), 'utf8');
const inFolder = (folder: string): string[] =>
  fs
    .readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.posix.join(folder, name));

const PAGES = [...inFolder('.'), ...inFolder('docs'), ...inFolder('docs/decisions'), 'llms.txt'];

/** What is no code: links in code are no links. */
const proseOf = (text: string): string =>
  text.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, 'code');

/** As GitHub makes them of headings: one that stands twice is numbered. */
function anchorsOf(text: string): string[] {
  const plain = [...text.replaceAll(/^```.*?^```/gms, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
  const named = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!);
  const numbered = plain.map((anchor, at) => {
    const before = plain.slice(0, at).filter((one) => one === anchor).length;
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
  return [...named, ...numbered];
}

function linksOf(page: string): { readonly link: string; readonly file: string; readonly anchor: string }[] {
  const links = [...proseOf(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [name = '', anchor = ''] = link.split('#');
      return { link, anchor, file: name === '' ? page : path.posix.join(path.posix.dirname(page), name) };
    });
}

describe('README', () => {
  it('is short', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(250);
  });

  it('has the two commands of a fresh clone, which are those of package.json and of CI', () => {
    const commands = [...read('README.md').matchAll(/^\$ (npm ci && .*)$/gm)].map(([, command]) => command);
    expect(commands).toEqual(['npm ci && npm run example', 'npm ci && npm test']);
    expect(Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts)).toEqual(
      expect.arrayContaining(['example', 'test']),
    );
    expect(read('.ci/run')).toMatch(/^npm ci$/m);
  });
});

it('the table of contents leads to every page of docs/', () => {
  const named = linksOf('docs/README.md').map(({ file }) => file);
  expect(inFolder('docs').filter((page) => page !== 'docs/README.md' && !named.includes(page))).toEqual([]);
});

it.each(PAGES)('each link of %s leads somewhere', (page) => {
  const lost = linksOf(page).filter(({ file, anchor }) => {
    if (!fs.existsSync(path.join(root, file))) return true;
    return anchor !== '' && !anchorsOf(read(file)).includes(anchor);
  });
  expect(lost.map(({ link }) => link)).toEqual([]);
});
