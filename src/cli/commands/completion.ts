/** `dynpart completion`: a script for the shell, and the answers that it asks for. */
import { fail } from '../../model/failure.ts';
import { bashWord, readBashLine } from '../completion/bash-words.ts';
import { type Offers, offersFor, type OpenState } from '../completion/offers.ts';
import { SCRIPTS, type Shell, SHELLS } from '../completion/scripts.ts';
import type { Context } from '../context.ts';
import { Output } from '../output.ts';
import type { CompletionOffers, CompletionScript } from '../json-results.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { createProgram } from '../command-line/program.ts';
import { clean, isDangerous } from '../../model/text.ts';

const HOW = `
How to turn it on:
  bash  eval "$(dynpart completion bash)"      in ~/.bashrc
  zsh   eval "$(dynpart completion zsh)"       in ~/.zshrc, after compinit
  fish  dynpart completion fish | source       in ~/.config/fish/config.fish`;

type Declare = (names: readonly string[]) => Promise<Declaration>;

/** @param declare the commands of these names, each with all that it takes */
export function completionOf(declare: Declare): (program: Declaration) => void {
  return (program) => completionCommand(program, declare);
}

function completionCommand(program: Declaration, declare: Declare): void {
  const completion = program
    .command('completion')
    .description('a script that completes commands, flags, sets, keys, sensors and assets')
    .addHelpText(HOW);
  for (const shell of SHELLS)
    completion
      .command(shell)
      .description(`the script for ${shell}`)
      .action(({ output }) => print(output, shell));
  completion
    .command('offer', { hidden: true })
    .argument('<as>')
    .argument('[words...]')
    .description('what may come next on a line; the scripts ask for it')
    .action((context, _, as, words) => offer(context, declare, as, words));
}

function print(output: Output, shell: Shell): Promise<CompletionScript> {
  const script = SCRIPTS[shell];
  output.print(script);
  return Promise.resolve({ shell, script });
}

/** Never an error: what cannot be found out is not offered. */
async function offer(
  context: Context,
  declare: Declare,
  as: string,
  words: readonly string[],
): Promise<CompletionOffers> {
  if (as === 'bash') {
    const [breaks = '', typed = ''] = words;
    const line = readBashLine(typed, { home: context.terminal.env['HOME'] ?? '~', breaks });
    const { kept, replaced, open } = line;
    const offers = await offersOn(context, declare, line.words.slice(1), `${kept}${replaced}`);
    return answer(context.output, offers, (word) => bashWord(word.slice(kept.length), open));
  }
  if (as === 'words') {
    const offers = await offersOn(context, declare, words.slice(0, -1), words.at(-1) ?? '');
    return answer(context.output, offers, (word) => (isDangerous(word) ? `${word}\t${clean(word)}` : word));
  }
  return fail({
    reason: 'usage',
    message: `offers come as bash or words, not ${JSON.stringify(as)}`,
    hint: 'the scripts know',
  });
}

function answer(output: Output, offers: Offers, write: (word: string) => string): CompletionOffers {
  const words = offers.files ? [] : offers.words.map(write).filter((word) => word !== '');
  output.print(`${[offers.files ? 'files' : 'words', ...words].join('\n')}\n`);
  return { files: offers.files, offers: words };
}

async function offersOn(
  context: Context,
  declare: Declare,
  words: readonly string[],
  current: string,
): Promise<Offers> {
  const program = createProgram({
    declared: await declare(words),
    version: context.version,
    output: { writeOut: () => undefined, writeErr: () => undefined },
    onInvocation: () => undefined,
  });
  const { output, project, terminal, clock } = context;
  const open: OpenState = async (flags) => {
    // Warnings would be written between the prompt and what the user types.
    const silent = new Output({ terminal, clock, options: { ...output.options, quiet: true } });
    const meant = project.elsewhere(flags, silent);
    await meant.findState({ loads: false });
    return meant.store;
  };
  return offersFor(program, words, current, open);
}
