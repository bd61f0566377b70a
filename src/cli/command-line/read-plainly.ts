/**
 * Reads a command line that is written out plainly, without commander: exact names, known flags, nothing missing and nothing
 * left over. For anything else it answers `null`, and commander reads the line from its beginning: help, abbreviations,
 * suggestions and every refusal are commander's. That both understand a line in the same way is kept by a property test.
 *
 * commander is a third of what a command costs that has next to nothing to do.
 */
import type { Declaration, DeclaredOption } from './declaration.ts';
import { GLOBAL_OPTIONS, globalOptions } from './global-options.ts';
import type { Invocation } from './invocation.ts';

interface Flag {
  readonly option: DeclaredOption;
  /** The name of its value: `--keep-last` is `keepLast`, `--no-run` is `run`. */
  readonly name: string;
  readonly takesValue: boolean;
  readonly isNegated: boolean;
}

interface Said {
  readonly flag: Flag;
  readonly value: string | null;
}

export function readPlainly(program: Declaration, args: readonly string[]): Invocation | null {
  const globals: Said[] = [];
  let command = program;
  let rest = args;
  while (command.handler === null) {
    const taken = take(rest, GLOBAL_OPTIONS, 'up to a word');
    if (taken === null || taken.words.length === 0) return null;
    const next = command.commands.find(({ name }) => name === taken.words[0]);
    if (next === undefined) return null;
    globals.push(...taken.said);
    command = next;
    rest = taken.rest;
  }
  const own = command.options;
  const taken = take(rest, [...own, ...GLOBAL_OPTIONS], 'all');
  if (taken === null) return null;
  const words = argumentsOf(command, taken.words);
  const isSaid = (option: DeclaredOption): boolean => taken.said.some(({ flag }) => flag.option === option);
  if (words === null || own.some((option) => option.isRequired && !isSaid(option))) return null;
  const isOwn = ({ flag }: Said): boolean => own.includes(flag.option);
  const options = valuesOf(own, taken.said.filter(isOwn));
  globals.push(...taken.said.filter((said) => !isOwn(said)));
  const { handler } = command;
  return {
    options: globalOptions(valuesOf([], globals)),
    run: (context) => handler(context, options as never, ...(words as never[])),
  };
}

interface Taken {
  readonly said: Said[];
  readonly words: string[];
  readonly rest: readonly string[];
}

/** Tells flags from words. `null` where something is not plain. */
function take(
  args: readonly string[],
  options: readonly DeclaredOption[],
  how: 'all' | 'up to a word',
): Taken | null {
  const said: Said[] = [];
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === '--') {
      // A command behind it is no command for commander.
      if (how === 'up to a word') return null;
      return { said, words: [...words, ...args.slice(at + 1)], rest: [] };
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg);
      if (how === 'up to a word') return { said, words, rest: args.slice(at + 1) };
      continue;
    }
    const equals = arg.startsWith('--') ? arg.indexOf('=') : -1;
    const flag = flagNamed(equals === -1 ? arg : arg.slice(0, equals), options);
    if (flag === null || (equals !== -1 && !flag.takesValue)) return null;
    if (!flag.takesValue) said.push({ flag, value: null });
    else if (equals !== -1) said.push({ flag, value: arg.slice(equals + 1) });
    else if (++at < args.length) said.push({ flag, value: args[at]! });
    else return null;
  }
  return { said, words, rest: [] };
}

/** The values of a command's arguments; `null` when there are too few or too many words. */
function argumentsOf(command: Declaration, words: readonly string[]): unknown[] | null {
  const values: unknown[] = [];
  for (const [at, { spec }] of command.arguments.entries()) {
    if (spec.startsWith('<') && at >= words.length) return null;
    values.push(spec.includes('...') ? words.slice(at) : words[at]);
  }
  const takesAll = command.arguments.at(-1)?.spec.includes('...') ?? false;
  return takesAll || words.length <= command.arguments.length ? values : null;
}

function valuesOf(options: readonly DeclaredOption[], said: readonly Said[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const option of options) {
    const initial = option.flags.includes('--no-') ? true : option.initial;
    if (initial !== undefined) values[flagOf(option).name] = initial;
  }
  for (const { flag, value } of said) {
    const { name, option, isNegated } = flag;
    if (value === null) values[name] = !isNegated;
    else values[name] = option.parse === undefined ? value : option.parse(value, values[name] as never);
  }
  return values;
}

function flagNamed(name: string, options: readonly DeclaredOption[]): Flag | null {
  const option = options.find(({ flags }) => flags.split(/,? /).includes(name));
  return option === undefined ? null : flagOf(option);
}

function flagOf(option: DeclaredOption): Flag {
  const { flags } = option;
  const long = /--[\w-]+/.exec(flags)![0];
  const isNegated = long.startsWith('--no-');
  const name = long.slice(isNegated ? 5 : 2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return { option, name, takesValue: flags.includes('<'), isNegated };
}
