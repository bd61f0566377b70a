/** Refuses a flag that stands where another one's value is missing: taken for that value, it would be lost without a word. */
import { fail } from '../../model/failure.ts';
import { shellFlag } from '../../model/shell-words.ts';
import type { Declaration, DeclaredOption } from './declaration.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';

const OF_EVERY_COMMAND = ['-h', '--help', '-V', '--version', '--'];

/** @throws FailureError that says how such a value is written where it is meant */
export function refuseSwallowedFlags(program: Declaration, args: readonly string[]): void {
  let command = program;
  for (let at = 0; at < args.length && args[at] !== '--'; at++) {
    const arg = args[at]!;
    const options = [...command.options, ...GLOBAL_OPTIONS];
    const option = optionNamed(/^-\w+$/.test(arg) ? `-${arg.at(-1)}` : arg, options);
    if (option?.flags.includes('<')) {
      const value = args[++at] ?? '';
      const name = value.split('=', 1)[0]!;
      if (OF_EVERY_COMMAND.includes(name) || optionNamed(name, options) !== undefined) refuse(option, value);
    } else if (!arg.startsWith('-')) {
      command = command.commands.find((below) => below.name === arg) ?? command;
    }
  }
}

function optionNamed(name: string, options: readonly DeclaredOption[]): DeclaredOption | undefined {
  return options.find(({ flags }) => flags.split(/,? /).includes(name));
}

function refuse({ flags }: DeclaredOption, value: string): void {
  const long = /--[\w-]+/.exec(flags)![0];
  fail({
    reason: 'usage',
    message: `${long} needs a value, and ${value} is a flag`,
    hint: `a value that begins with - is written so: ${shellFlag(long, value)}`,
  });
}
