/** The command that somebody meant who typed another tool's name for it, or left out its group or its argument. */
import type { Declaration } from './declaration.ts';

/** What other tools call it. */
const CALLED_ELSEWHERE: Readonly<Record<string, string>> = {
  rm: 'remove',
  delete: 'remove',
  del: 'remove',
  ls: 'list',
  create: 'add',
  pause: 'stop',
  resume: 'start',
  abort: 'cancel',
  log: 'logs',
  validate: 'check',
};

const LISTED_BY: Readonly<Record<string, string>> = {
  id: 'dynpart runs list',
  ids: 'dynpart runs list',
  set: 'dynpart partitions list',
  sensor: 'dynpart sensor list',
  asset: 'dynpart assets list',
};

/** A hint for a line whose command is unknown; `null` where nothing is near enough. */
export function commandMeant(program: Declaration, args: readonly string[]): string | null {
  const { at, rest } = place(program, args);
  const [word] = rest;
  if (word === undefined) return null;
  if (word === 'help') return didYouMean([pathTo(program, place(at, rest.slice(1)).at), '--help']);
  const name = CALLED_ELSEWHERE[word] ?? word;
  const here = at.commands.find((command) => command.name === name);
  if (here !== undefined) return didYouMean([pathTo(program, here)]);
  const elsewhere = program.commands
    .flatMap((command) => [command, ...command.commands])
    .filter((command) => command.name === name && !command.isHidden);
  const paths = elsewhere.map((command) => pathTo(program, command));
  return paths.length === 0 ? null : didYouMean([paths.join(' or ')]);
}

/** A hint for a line that lacks an argument: which command lists what may stand there. */
export function whereToFind(program: Declaration, args: readonly string[]): string | null {
  const { at, rest } = place(program, args);
  const words = rest.filter((word) => !word.startsWith('-'));
  const missing = at.arguments[words.length];
  const name = missing?.spec.replaceAll(/[<>[\].]/g, '') ?? '';
  const list = LISTED_BY[name];
  return list === undefined
    ? null
    : `for example: ${pathTo(program, at)} ${name.replace(/s$/, '').toUpperCase()}; to find one: ${list}`;
}

/** How far the words name commands. Flags in between are passed over: this is only for a hint. */
function place(
  from: Declaration,
  args: readonly string[],
): { readonly at: Declaration; readonly rest: readonly string[] } {
  let at = from;
  let rest = args.filter((arg) => !arg.startsWith('-'));
  for (;;) {
    const next = at.commands.find(({ name }) => name === rest[0]);
    if (next === undefined) return { at, rest };
    [at, rest] = [next, rest.slice(1)];
  }
}

function pathTo(program: Declaration, command: Declaration): string {
  if (command === program) return program.name;
  const group = program.commands.find(({ commands }) => commands.includes(command));
  return [program.name, ...(group === undefined ? [] : [group.name]), command.name].join(' ');
}

function didYouMean(words: readonly string[]): string {
  return `did you mean ${words.join(' ')}?`;
}
