/** The quick way to read a command line understands nothing in another way than commander does. */
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { declared } from '../../src/cli/command-table.ts';
import type { Context } from '../../src/cli/context.ts';
import type { Declaration } from '../../src/cli/command-line/declaration.ts';
import type { Invocation } from '../../src/cli/command-line/invocation.ts';
import { GLOBAL_OPTIONS } from '../../src/cli/command-line/global-options.ts';
import { createProgram } from '../../src/cli/command-line/program.ts';
import { readPlainly } from '../../src/cli/command-line/read-plainly.ts';
import { refuseSwallowedFlags } from '../../src/cli/command-line/swallowed-flag.ts';

/** Every command, with a handler that only says what it was given. */
async function recording(): Promise<{ program: Declaration; given: unknown[] }> {
  const names = (await declared([])).commands.map(({ name }) => name);
  const program = await declared(names);
  const given: unknown[] = [];
  const visit = (command: Declaration, path: string): void => {
    if (command.handler !== null) {
      command.handler = (_context: Context, options: object, ...args: unknown[]) => {
        const own = command.options.map(({ flags }) => /--(?:no-)?([\w-]+)/.exec(flags)![1]!);
        const isOwn = (name: string): boolean =>
          own.includes(name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
        given.push(path, Object.fromEntries(Object.entries(options).filter(([name]) => isOwn(name))), args);
        return Promise.resolve(null);
      };
    }
    for (const below of command.commands) visit(below, `${path} ${below.name}`);
  };
  visit(program, '');
  return { program, given };
}

const { program, given } = await recording();

type Understood = { readonly options: unknown; readonly given: unknown } | { readonly refused: string };

function understood(read: () => Invocation | null): Understood | null {
  let invocation: Invocation | null;
  try {
    invocation = read();
  } catch (error) {
    return { refused: JSON.stringify((error as { failure?: unknown }).failure ?? String(error)) };
  }
  if (invocation === null) return null;
  given.length = 0;
  void invocation.run(undefined as never);
  return { options: invocation.options, given: [...given] };
}

const plainly = (args: readonly string[]): Understood | null => understood(() => readPlainly(program, args));

function byCommander(args: readonly string[]): Understood | null {
  return understood(() => {
    let invocation: Invocation | null = null;
    const silent = { writeOut: () => undefined, writeErr: () => undefined };
    createProgram({
      declared: program,
      version: '1.0.0',
      output: silent,
      onInvocation: (found) => (invocation = found),
    }).parse([...args], { from: 'user' });
    return invocation;
  });
}

function paths(command: Declaration): string[][] {
  if (command.handler !== null) return [[]];
  return command.commands.flatMap((below) => paths(below).map((path) => [below.name, ...path]));
}

const flagsOf = (command: Declaration): string[] => [
  ...command.options.map(({ flags }) => flags),
  ...command.commands.flatMap(flagsOf),
];

const spellings = [...new Set([...GLOBAL_OPTIONS.map(({ flags }) => flags), ...flagsOf(program)])].flatMap(
  (flags) => flags.split(/[ ,]+/).filter((word) => word.startsWith('-')),
);

const value = fc.constantFrom(
  'x',
  '5',
  '30d',
  '0',
  '',
  '-',
  '-5',
  '--',
  '--json',
  'oldest',
  'skip',
  'QUEUED',
  'list',
  'a b',
  '%',
  'tick',
);
const flag = fc.constantFrom(...spellings);
const word = fc.oneof(
  { weight: 5, arbitrary: flag.map((name) => [name]) },
  { weight: 5, arbitrary: fc.tuple(flag, value) },
  { weight: 2, arbitrary: fc.tuple(flag, value).map(([name, text]) => [`${name}=${text}`]) },
  { weight: 4, arbitrary: value.map((text) => [text]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ['--help'],
      ['-h'],
      ['-V'],
      ['-qv'],
      ['-fx'],
      ['--js'],
      ['--no-json'],
      ['---'],
      ['--constructor'],
    ),
  },
);
const words = fc.array(word, { maxLength: 5 }).map((lists) => lists.flat());
const line = fc
  .tuple(words, fc.constantFrom(...paths(program)), words, words)
  .map(([before, [first, ...more], between, after]) => [...before, first!, ...between, ...more, ...after]);
/** What a person or a script types: flags that the command has, with values where they take some. */
const usual = fc.constantFrom(...paths(program)).chain((path) => {
  const command = path.reduce((at, name) => at.commands.find((below) => below.name === name)!, program);
  const fitting = fc
    .constantFrom(...[...GLOBAL_OPTIONS, ...command.options].map(({ flags }) => flags))
    .chain((flags) => {
      const name = fc.constantFrom(...flags.split(/[ ,]+/).filter((part) => part.startsWith('-')));
      if (!flags.includes('<')) return name.map((text) => [text]);
      return fc.oneof(
        fc.tuple(name, value),
        fc.tuple(name, value).map(([flag, text]) => [`${flag}=${text}`]),
      );
    });
  const plain = fc.oneof(
    fitting,
    fitting,
    value.map((text) => [text]),
  );
  return fc.array(plain, { maxLength: 5 }).map((lists) => [...path, ...lists.flat()]);
});

describe('a command line that is written out plainly', () => {
  it('is understood as commander understands it, or left to commander', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(line, usual), (args) => {
        const plain = plainly(args);
        if (plain === null) return;
        read++;
        expect(plain).toEqual(byCommander(args));
      }),
      { numRuns: 5000 },
    );
    // Otherwise the property says nothing.
    expect(read).toBeGreaterThan(1000);
  });

  it.each([
    ['partitions', 'list', 'episodes', '--json'],
    ['--json', 'sensor', 'tick'],
    ['sensor', 'tick', '-f', 'x.ts', '--due', '--if-busy', 'wait', '--wait-timeout=3'],
    ['partitions', 'add', 'items', '--', '--strange'],
    ['materialize', 'a', 'b', '--key', 'x', '--key=y', '--no-run', '--concurrency', '4'],
    ['runs', 'list'],
  ])('is read without commander: %s %s %s', (...args) => {
    expect(plainly(args)).not.toBeNull();
    expect(plainly(args)).toEqual(byCommander(args));
  });

  it.each([
    [[]],
    [['partitions']],
    [['partitions', 'lst']],
    [['partitions', 'add']],
    [['partitions', 'sync', 'items']],
    [['partitions', 'list', 'a', 'b']],
    [['sensor', 'tick', '--help']],
    [['sensor', 'tick', '-qv']],
    [['sensor', 'tick', '--concurrency']],
    [['sensor', 'tick', '--due=yes']],
    [['--', 'sensor', 'tick']],
  ])('otherwise is left to commander: %j', (args) => {
    expect(plainly(args)).toBeNull();
  });
});

/** Every flag that takes a value, with the words of its command. */
const valued = paths(program).flatMap((path) => {
  const command = path.reduce((at, name) => at.commands.find((below) => below.name === name)!, program);
  return [...GLOBAL_OPTIONS, ...command.options]
    .filter(({ flags }) => flags.includes('<'))
    .flatMap(({ flags }) =>
      flags
        .split(/[ ,]+/)
        .filter((part) => part.startsWith('-'))
        .map((name) => [path, name] as const),
    );
});

const REFUSED = expect.objectContaining({
  failure: expect.objectContaining({
    message: expect.stringContaining(' needs a value, and ') as string,
  }) as object,
}) as Error;

describe('a flag where the value of another one is missing', () => {
  it.each(valued)('is not swallowed by %j %s', (path, name) => {
    for (const flag of ['--json', '-q', '--help', '--state=x', '--', name]) {
      expect(() => refuseSwallowedFlags(program, [...path, name, flag])).toThrow(REFUSED);
      expect(() => refuseSwallowedFlags(program, [...path, '-q', name, flag, 'x'])).toThrow(REFUSED);
    }
    for (const meant of ['-5', '--strange', '-', 'x', ''])
      expect(() => refuseSwallowedFlags(program, [...path, name, meant, '--json'])).not.toThrow();
    const long = name.startsWith('--') ? name : '--file';
    expect(() => refuseSwallowedFlags(program, [...path, `${long}=--json`])).not.toThrow();
  });

  it('is what it says behind -- and as a word', () => {
    for (const args of [
      ['partitions', 'add', 'items', '--', '--prefix', '--json'],
      ['partitions', 'list', '--count', '--json'],
      ['partitions', 'list', '-qv', '--json'],
    ])
      expect(() => refuseSwallowedFlags(program, args)).not.toThrow();
    expect(() => refuseSwallowedFlags(program, ['-qf', '--json', 'status'])).toThrow(REFUSED);
  });
});
