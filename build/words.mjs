/** All that dynpart says to people when something is wrong or to be told, on one page, to be read aloud: `npm run words`. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'rolldown/parseAst';

const SOURCE = path.join(import.meta.dirname, '../src');

/** Functions that are given a sentence. */
const SAYING = new Set(['warn', 'chat', 'problem', 'refuse', 'report']);

/**
 * @typedef {object} Words
 * @property {string} file
 * @property {string} by what it is: `failure`, or the function that says it
 * @property {string} message
 * @property {string | null} hint what to do now
 */

/** @typedef {any} Node -- the parser has no types of its own for it */

/** @returns {Words[]} in the order of files; `‹…›` stands for what is put in */
export function allWords() {
  return fs
    .readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .toSorted()
    .flatMap((file) => wordsIn(file, fs.readFileSync(path.join(SOURCE, file), 'utf8')));
}

/**
 * @param {string} file
 * @param {string} source
 */
function wordsIn(file, source) {
  /** @type {Words[]} */
  const found = [];
  /** @param {string} by @param {Node} message @param {Node} [hint] */
  const add = (by, message, hint) => {
    const text = said(message, source);
    const bare = text.replaceAll(/‹[^›]*›/g, '');
    if (/\p{L}{2}/u.test(bare) && bare.includes(' '))
      found.push({ file, by, message: text, hint: hint === undefined ? null : said(hint, source) });
  };
  /** @param {Node} node */
  const walk = (node) => {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) return node.forEach(walk);
    if (node.type === 'ObjectExpression') {
      const fields = fieldsOf(node);
      if (fields.message !== undefined && (fields.hint !== undefined || fields.reason !== undefined))
        add('failure', fields.message, fields.hint);
    }
    // The words of a kind of failure: [message, hint, code].
    if (node.type === 'ArrayExpression' && file.startsWith('model/failures/') && node.elements.length > 0)
      add('failure', node.elements[0], node.elements[1] ?? undefined);
    if (node.type === 'CallExpression' && SAYING.has(nameOf(node.callee)))
      for (const argument of node.arguments) if (isText(argument)) add(nameOf(node.callee), argument);
    for (const child of Object.values(node)) walk(child);
  };
  walk(parseAst(source, { lang: 'ts' }).body);
  return found;
}

/** @param {Node} node @returns {Record<string, Node>} */
const fieldsOf = (node) =>
  Object.fromEntries(
    node.properties.flatMap((/** @type {Node} */ one) =>
      one.type === 'Property' ? [[one.key.name ?? one.key.value, one.value]] : [],
    ),
  );

/** @param {Node} callee @returns {string} */
const nameOf = (callee) => callee.name ?? callee.property?.name ?? '';

/** @param {Node} node */
const isText = (node) =>
  ['Literal', 'TemplateLiteral', 'ConditionalExpression', 'BinaryExpression'].includes(node.type);

/** @param {Node} node @param {string} source @returns {string} */
function said(node, source) {
  if (node.type === 'Literal') return String(node.value);
  if (node.type === 'BinaryExpression') return said(node.left, source) + said(node.right, source);
  if (node.type === 'ConditionalExpression')
    return `${said(node.consequent, source)} | ${said(node.alternate, source)}`;
  if (node.type !== 'TemplateLiteral')
    return `‹${source.slice(node.start, node.end).replaceAll(/\s+/g, ' ')}›`;
  return node.quasis
    .map((/** @type {Node} */ part, /** @type {number} */ at) => {
      const put = node.expressions[at];
      return (
        part.value.cooked +
        (put === undefined ? '' : `‹${source.slice(put.start, put.end).replaceAll(/\s+/g, ' ')}›`)
      );
    })
    .join('');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let last = '';
  for (const { file, by, message, hint } of allWords()) {
    if (file !== last) process.stdout.write(`\n${file}\n`);
    last = file;
    process.stdout.write(
      `  ${by === 'failure' ? '' : `${by}: `}${message}\n${hint === null ? '' : `      ${hint}\n`}`,
    );
  }
}
