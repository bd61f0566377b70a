/** How a command says what it is called, takes and does. Said in commander's words, and read without it where that will do. */
import type { Context } from '../context.ts';
import type { Result } from '../json-results.ts';

/**
 * What a command does, given the context, its own options and its arguments.
 * @returns its result; `null`: there is none, or the command has printed lines
 */
// `never`: each handler says itself which options and arguments its command gives it.
export type Handler = (context: Context, options: never, ...args: never[]) => Promise<Result | null>;

/** Typed text → a value. `before` is the value until now, for options that may be given several times. */
export type ParseValue = (text: string, before: never) => unknown;

export interface DeclaredArgument {
  /** `<one>`, `[one]`, `<more...>` or `[more...]`. */
  readonly spec: string;
  readonly description: string;
}

export interface DeclaredOption {
  /** `--long`, `--long <value>`, `--no-long`, each also with a short form in front: `-l, --long`. */
  readonly flags: string;
  readonly description: string;
  readonly parse?: ParseValue;
  readonly initial?: unknown;
  readonly isRequired: boolean;
}

export class Declaration {
  readonly name: string;
  readonly commands: Declaration[] = [];
  readonly arguments: DeclaredArgument[] = [];
  readonly options: DeclaredOption[] = [];
  /** `null`: a group of commands, which does nothing by itself. */
  handler: Handler | null = null;
  summary = '';
  /** What its help says at the end. */
  helpAfter = '';
  /** Whether its group's help leaves it out. */
  readonly isHidden: boolean;

  constructor(name: string, { hidden = false }: { readonly hidden?: boolean } = {}) {
    this.name = name;
    this.isHidden = hidden;
  }

  /** A command below this one. */
  command(name: string, options: { readonly hidden?: boolean } = {}): Declaration {
    const command = new Declaration(name, options);
    this.commands.push(command);
    return command;
  }

  description(text: string): this {
    this.summary = text;
    return this;
  }

  addHelpText(text: string): this {
    this.helpAfter = text;
    return this;
  }

  argument(spec: string, description = ''): this {
    this.arguments.push({ spec, description });
    return this;
  }

  /** An option of the command's own. @param initial what it is when nobody says it */
  option(flags: string, description: string, parse?: ParseValue, initial?: unknown): this {
    this.options.push({ flags, description, isRequired: false, ...(parse && { parse }), initial });
    return this;
  }

  /** An option without which the command is refused. */
  requiredOption(flags: string, description: string, parse?: ParseValue): this {
    this.options.push({ flags, description, isRequired: true, ...(parse && { parse }) });
    return this;
  }

  action(handler: Handler): this {
    this.handler = handler;
    return this;
  }

  /** What it does is in a file of its own, which is loaded on use. */
  actionIn(load: () => Promise<{ readonly run: Handler }>): this {
    return this.action(async (...given) => (await load()).run(...given));
  }
}
