/** How a command ends that could not even be read. */
import { describe } from '../../model/describe-failure.ts';
import type { Failure } from '../../model/failure.ts';
import { clean, toJson } from '../../model/text.ts';
import { toPaste } from '../printed-commands.ts';
import type { Terminal } from '../terminal.ts';

/** Such a command has no context: its flags are looked for by hand. */
export function refuse(
  failure: Failure,
  args: readonly string[],
  terminal: Terminal,
  flags: readonly string[] = [],
): { readonly code: number } {
  const { code, message, hint: said } = describe(failure);
  const hint = said && toPaste(said, flags);
  if (wantsJson(args)) terminal.stdout.write(`${toJson({ error: { code, message, hint } })}\n`);
  else terminal.stderr.write(`error: ${clean(message)}\n${hint === null ? '' : `  ${clean(hint)}\n`}`);
  return { code: 2 };
}

export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).includes('--json');
}
