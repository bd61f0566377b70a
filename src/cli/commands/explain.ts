/** `dynpart explain`: an error code, at length and without a network. */
import path from 'node:path';
import { fail } from '../../model/failure.ts';
import { nearest } from '../../model/nearest.ts';
import { clean, quoted } from '../../model/text.ts';
import type { Declaration } from '../command-line/declaration.ts';
import type { Context } from '../context.ts';
import { readPages } from '../explain/pages.ts';
import { plainText } from '../explain/plain.ts';
import type { Explained } from '../json-results.ts';
import type { Output } from '../output.ts';

export function explainCommand(program: Declaration): void {
  program
    .command('explain')
    .argument('<code>', 'as --json has it in error.code')
    .description('an error code, at length')
    .action(explain);
}

/** Longer lines are hard to read. */
const WIDEST = 100;

/** Before each line of a hint. */
const INDENT = '  ';

async function explain({ output, ownFolder }: Context, _: object, code: string): Promise<Explained> {
  const pages = readPages(path.join(ownFolder, '../docs/when-something-went-wrong.md'));
  const page = pages.get(code) ?? refuse(code, [...pages.keys()], output);
  const width = Math.min(output.terminal.stdout.columns, WIDEST);
  output.print(`${clean(plainText(page.title, width))}\n\n${clean(plainText(page.text, width))}\n`);
  return Promise.resolve({ code, ...page });
}

function refuse(code: string, codes: readonly string[], { terminal, options }: Output): never {
  const near = nearest(code, codes);
  const all = `--json has it in error.code; all of them: ${codes.toSorted().join(', ')}`;
  const { isTerminal, columns } = terminal.stderr;
  return fail({
    reason: 'usage',
    message: `there is no error code ${quoted(code)}`,
    hint:
      near.length > 0
        ? `did you mean ${near.join(' or ')}?`
        : isTerminal && !options.json
          ? plainText(all, Math.min(columns, WIDEST) - INDENT.length).replaceAll('\n', `\n${INDENT}`)
          : all,
  });
}
