/** The reference of what the package exports, made of the declarations and their comments: `npm run reference` writes docs/reference-api.md. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(import.meta.dirname, '..');

/** What each entry of the package is for, in the order of the page. */
const ENTRIES = {
  dynpart: {
    entry: '.',
    words: 'What a pipeline file imports. How all of it is used is in [the pipeline file](pipeline-file.md).',
  },
  'dynpart/sources': { entry: './sources', words: 'Sensors of one line, told in [sources](sources.md).' },
  'dynpart/testing': { entry: './testing', words: 'A pipeline under test, told in [testing](testing.md).' },
};

const HEAD = `# The API

What \`dynpart\`, \`dynpart/sources\` and \`dynpart/testing\` export, as the types and their comments say it. This page is made of them
(\`npm run reference\`), and a test fails when it is not current.

<!-- every block held by test/docs/reference-api.test.ts -->
`;

/** A statement at the top of a file, with the comment above it. */
const STATEMENT =
  /(?:^(\/\*\*(?:(?!\*\/)[^])*?\*\/)\n)?^export (?:declare )?(?:abstract )?(?:function|const|class|interface|type) (\w+)[^]*?(?=\n(?:export|import|declare|interface|type|\/\*\*)|\s*(?![^]))/gm;

/** @returns {string} the page */
export function apiReference() {
  const { exports } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const anchors = anchorsOnce();
  const chapters = Object.entries(ENTRIES).map(([name, { entry, words }]) => {
    const exported = exportedBy(path.join(root, exports[entry].types));
    const sorted = [...exported].sort(([one], [other]) => Number(isType(one)) - Number(isType(other)));
    const list = sorted.map(([what]) => `[\`${what}\`](#${anchors(what)})`).join(', ');
    const sections = sorted.map(([what, file]) => section(what, declarationsIn(file).get(what) ?? []));
    return `## \`${name}\`\n\n${words}\n\n${list}.\n\n${sections.join('\n')}`;
  });
  return [HEAD, ...chapters].join('\n').replaceAll(/\n{3,}/g, '\n\n');
}

/**
 * @param {string} index
 * @returns {Map<string, string>} the file of each name
 */
function exportedBy(index) {
  const text = fs.readFileSync(index, 'utf8');
  const names = new Map();
  for (const [, list = '', from = ''] of text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)'/gm))
    for (const name of list.split(','))
      names.set(
        name.replace(/^\s*type /, '').trim(),
        path.resolve(path.dirname(index), from.replace(/\.ts$/, '.d.ts')),
      );
  names.delete('');
  return names;
}

/**
 * @param {string} file
 * @returns {Map<string, {comment: string, text: string}[]>} overloads by name
 */
function declarationsIn(file) {
  const declarations = new Map();
  for (const [whole, comment = '', name] of fs.readFileSync(file, 'utf8').matchAll(STATEMENT)) {
    const text = whole.slice(comment.length).trim();
    declarations.set(name, [...(declarations.get(name) ?? []), { comment, text }]);
  }
  return declarations;
}

/**
 * @param {string} name
 * @param {{comment: string, text: string}[]} declarations
 */
function section(name, declarations) {
  if (declarations.length === 0) throw new Error(`${name} is exported, and no declaration of it was found`);
  const words = declarations.map(({ comment }) => prose(comment)).filter((text) => text !== '');
  const code = declarations.map(({ text }) => dedented(text)).join('\n');
  return [`### ${name}\n`, ...words.map((text) => `${text}\n`), `\`\`\`ts\n${code}\n\`\`\`\n`].join('\n');
}

/** A comment as text: its tags as sentences, its example as it is. @param {string} comment */
function prose(comment) {
  const lines = comment
    .replace(/^\/\*\*\s?|\s*\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''));
  const [words = '', example] = lines.join('\n').split(/^@example\n/m);
  const text = words
    .replaceAll(/^@param (\w+) /gm, '\n- `$1`: ')
    .replaceAll(/^@returns? /gm, '\nReturns ')
    .replaceAll(/@throws (\w+) /g, '\n\nThrows `$1` ')
    .replaceAll('<', '&lt;')
    .trim();
  return example === undefined ? text : `${text}\n\n\`\`\`ts\n${example.trim()}\n\`\`\``;
}

/** The compiler indents by four. @param {string} text */
const dedented = (text) =>
  text
    .replaceAll(/^( {4})+/gm, (blanks) => ' '.repeat(blanks.length / 2))
    .replaceAll('export declare ', '')
    .replaceAll(/^export /gm, '');

/** @param {string} name */
const isType = (name) => /^[A-Z]/.test(name);
/** As GitHub makes them: what stands twice, `asset` and `Asset`, is numbered. */
function anchorsOnce() {
  const times = new Map();
  return (/** @type {string} */ name) => {
    const anchor = name.toLowerCase();
    times.set(anchor, (times.get(anchor) ?? -1) + 1);
    return times.get(anchor) === 0 ? anchor : `${anchor}-${times.get(anchor)}`;
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  fs.writeFileSync(path.join(root, 'docs/reference-api.md'), apiReference());
