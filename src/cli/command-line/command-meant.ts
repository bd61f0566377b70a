/** The command that somebody meant who typed another tool's name for it, or left out its group or its argument. */
import { shellWord } from '../../model/shell-words.ts';
import type { Declaration, DeclaredOption } from './declaration.ts';
import { EXAMPLES } from './examples.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';

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

/** The same, within a group that has the command: alone the word may mean another one. */
const CALLED_IN_GROUPS: Readonly<Record<string, string>> = { run: 'tick', evaluate: 'tick', poll: 'tick' };

/** Words for what an argument or flag is called here. */
const NAMED_ELSEWHERE: Readonly<Record<string, string>> = {
  run: 'id',
  'run-id': 'id',
  partition: 'key',
  'partition-key': 'key',
  out: 'file',
  output: 'file',
};

const LISTED_BY: Readonly<Record<string, string>> = {
  id: 'dynpart runs list',
  ids: 'dynpart runs list',
  set: 'dynpart partitions list',
  sensor: 'dynpart sensor list',
  asset: 'dynpart assets list',
  key: 'dynpart partitions list SET',
};

/** What a group does with a name that stands in the place of its command. */
const DOES_WITH_NAME: Readonly<Record<string, string>> = {
  partitions: 'list',
  runs: 'show',
  sensor: 'tick',
  value: 'show',
};

interface Mistake {
  /** Commander's. */
  readonly code: string;
  readonly args: readonly string[];
  /** What commander has said of it. */
  readonly said: string;
}

/** A hint for a line that cannot be read; `null` where commander itself has found what is near. */
export function hintFor(program: Declaration, { code, args, said }: Mistake): string | null {
  const found = hintByKind(program, { code, args, said });
  if (found !== null) return found;
  if (said.includes('Did you mean')) return null;
  const { at, rest } = place(program, args);
  if (code === 'commander.unknownCommand' && rest[0] !== undefined) {
    const command = at.commands.find(({ name }) => name === DOES_WITH_NAME[at.name]);
    if (command !== undefined)
      return didYouMean([pathTo(program, command), ...rest.map((word) => shellWord(word))]);
  }
  const dashes = code === 'commander.unknownOption' ? '; a key that begins with a dash goes behind --' : '';
  return `see: ${pathTo(program, at)} --help${dashes}`;
}

function hintByKind(program: Declaration, { code, args, said }: Mistake): string | null {
  switch (code) {
    case 'commander.missingArgument':
      return whereToFind(program, args) ?? wholeLine(program, args);
    case 'commander.optionMissingArgument':
      return withItsValue(program, args, /'([^']*)'/.exec(said)?.[1] ?? '');
    case 'commander.unknownCommand':
      return commandMeant(program, args);
    case 'commander.unknownOption':
      return whoseOption(program, args, /'(-[^']*)'/.exec(said)?.[1] ?? '');
    case 'commander.excessArguments':
      return flagMeant(program, args);
    default:
      return null;
  }
}

/** A hint for a line with one word too many, where a flag of the command takes such a word. */
function flagMeant(program: Declaration, args: readonly string[]): string | null {
  const { at, rest } = place(program, args);
  const words = rest.slice(0, at.arguments.length);
  const more = rest.slice(at.arguments.length);
  const [word = ''] = more;
  const hasKey = at.options.some(({ flags }) => flags.startsWith('--key '));
  const flag = /\.[cm]?[jt]s$/.test(word) ? '-f' : hasKey ? '--key' : null;
  if (flag === null || (flag === '-f' && more.length > 1)) return null;
  const meant = more.flatMap((one) => [flag, shellWord(one)]);
  return didYouMean([pathTo(program, at), ...words.map((one) => shellWord(one)), ...meant]);
}

/** A hint for a line whose command is unknown; `null` where nothing is near enough. */
function commandMeant(program: Declaration, args: readonly string[]): string | null {
  const { at, rest } = place(program, args);
  const [word] = rest;
  if (word === undefined) return null;
  if (word === 'help') return didYouMean([pathTo(program, place(at, rest.slice(1)).at), '--help']);
  if (word === 'version') return didYouMean([program.name, '--version']);
  const name = CALLED_ELSEWHERE[word] ?? word;
  const here = at.commands.find((command) => command.name === (CALLED_IN_GROUPS[word] ?? name));
  if (here !== undefined) return didYouMean([pathTo(program, here)]);
  const elsewhere = program.commands
    .flatMap((command) => [command, ...command.commands])
    .filter((command) => command.name === name && !command.isHidden);
  const paths = elsewhere.map((command) => pathTo(program, command));
  return paths.length === 0 ? flagWithoutDashes(program, at, rest) : didYouMean([paths.join(' or ')]);
}

/** A hint for a flag that was written as a command. */
function flagWithoutDashes(
  program: Declaration,
  at: Declaration,
  [word, ...rest]: readonly string[],
): string | null {
  const isMeant = ({ flags }: DeclaredOption): boolean => flags.split(/[ ,]+/).includes(`--${word}`);
  const every = GLOBAL_OPTIONS.find(isMeant);
  if (every !== undefined) {
    const meant = place(at, rest);
    const isRunnable = meant.at.commands.length === 0;
    const words = isRunnable ? meant.rest.map((one) => shellWord(one)) : ['COMMAND'];
    return didYouMean([pathTo(program, meant.at), ...words, asWritten(every)]);
  }
  const having = [at, ...at.commands, ...at.commands.flatMap(({ commands }) => commands)]
    .flatMap((command) => command.options.filter(isMeant).map((option) => ({ command, option })))
    .filter(({ command }) => !command.isHidden);
  if (having.length === 0 || having.length > MOST_NAMED) return null;
  const lines = having.map(({ command, option }) => `${pathTo(program, command)} ${asWritten(option)}`);
  return didYouMean([lines.join(' or ')]);
}

/** `--html FILE` of `-h, --html <file>`. */
function asWritten({ flags }: Pick<DeclaredOption, 'flags'>): string {
  return flags.replace(/^-\w, /, '').replace(/<([\w-]+)>/, (_, name: string) => name.toUpperCase());
}

/** A hint for a line that lacks an argument: which command lists what may stand there. */
function whereToFind(program: Declaration, args: readonly string[]): string | null {
  const { at, rest } = place(program, args);
  const words = rest.filter((word) => !word.startsWith('-'));
  const missing = at.arguments[words.length];
  const name = nameIn(missing?.spec ?? '');
  const list = LISTED_BY[name];
  if (list === undefined) return null;
  const example = at.arguments.slice(0, words.length + 1).map(({ spec }) => nameIn(spec).replace(/s$/, ''));
  return `for example: ${pathTo(program, at)} ${example.join(' ').toUpperCase()}; to find one: ${list}`;
}

/** For what no command lists: a line that can be typed as it stands. */
function wholeLine(program: Declaration, args: readonly string[]): string | null {
  const { at } = place(program, args);
  const example = EXAMPLES[pathTo(program, at).split(' ').slice(1).join(' ')]?.[0];
  return example === undefined ? null : `for example: ${example}`;
}

/** A hint for a flag that stands there without its value: a whole line, with the arguments that the command wants. */
function withItsValue(program: Declaration, args: readonly string[], flags: string): string {
  const { at } = place(program, args);
  const wanted = at.arguments.map(({ spec }) => spec).filter((spec) => spec.startsWith('<'));
  const words = [
    pathTo(program, at),
    ...wanted.map((spec) => nameIn(spec).toUpperCase()),
    asWritten({ flags }),
  ];
  return `for example: ${words.join(' ')}`;
}

function nameIn(spec: string): string {
  return spec.replaceAll(/[<>[\].]/g, '');
}

/** A hint for a flag that this command does not have: what it names is an argument here, or others have it. */
function whoseOption(program: Declaration, args: readonly string[], flag: string): string | null {
  const { at } = place(program, args);
  const names = at.arguments.map(({ spec }) => nameIn(spec).replace(/s$/, ''));
  const one = flag.slice(2).replace(/s$/, '');
  const name = NAMED_ELSEWHERE[one] ?? one;
  if (names.includes(name))
    return `an argument here, without ${flag}: ${pathTo(program, at)} ${names.join(' ').toUpperCase()}`;
  if (name !== one && at.options.some(({ flags }) => flags.startsWith(`--${name} `)))
    return `did you mean --${name}?`;
  const long = at.options.flatMap(({ flags }) => flags.split(/[ ,]+/)).filter((word) => isShort(flag, word));
  if (long.length === 1) return `did you mean ${long[0]!}?`;
  const having = program.commands
    .flatMap((command) => [command, ...command.commands])
    .filter(
      ({ options, isHidden }) =>
        !isHidden && options.some(({ flags }) => flags.split(/[ ,]+/).includes(flag)),
    );
  if (having.length === 0) return null;
  const paths = having.slice(0, MOST_NAMED).map((command) => pathTo(program, command));
  return `${flag} belongs to ${paths.join(', ')}${having.length > MOST_NAMED ? ' and others' : ''}`;
}

/** `--dry` of `--dry-run`. Two letters begin too many. */
function isShort(flag: string, option: string): boolean {
  return flag.length >= '--dry'.length && option.startsWith(flag);
}

const MOST_NAMED = 4;

/** Whether help can be given for these words. */
export function isCommand(program: Declaration, words: readonly string[]): boolean {
  const { at, rest } = place(program, words);
  return rest.length === 0 || at.commands.length === 0;
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
