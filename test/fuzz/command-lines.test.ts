/** Command lines by machine: whatever is typed, an exit code of the contract, one document with `--json`, words and no stack. */
import * as fc from '../support/random.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FuzzProject, offences, ON_A_TERMINAL, PATIENCE_MS, tries } from '../support/fuzz.ts';

const COMMANDS = [
  'partitions list',
  'partitions add',
  'partitions remove',
  'partitions sync',
  'sensor list',
  'sensor tick',
  'sensor start',
  'sensor stop',
  'sensor cursor',
  'sensor history',
  'materialize',
  'worker --once',
  'runs list',
  'runs show',
  'runs logs',
  'runs retry',
  'runs cancel',
  'runs release',
  'assets list',
  'assets mark',
  'why',
  'status',
  'state check',
  'state export',
  'state restore',
  'partitions',
  'sensor',
  'runs',
  'state',
  'assets',
  '',
];

const FLAGS = [
  '--json',
  '--json',
  '-q',
  '--quiet',
  '-v',
  '--verbose',
  '--no-color',
  '--prefix',
  '--limit',
  '--after',
  '--count',
  '--json-lines',
  '--from',
  '--materialize',
  '--older-than',
  '--keep-last',
  '--keep-out',
  '--purge',
  '--dry-run',
  '--allow-empty',
  '--max-remove',
  '--due',
  '--no-run',
  '--if-busy',
  '--wait-timeout',
  '--concurrency',
  '--set',
  '--clear',
  '--key',
  '--keys-from',
  '--all',
  '--missing',
  '--failed',
  '--stale',
  '--as',
  '--add',
  '--order',
  '--fail-fast',
  '--summary',
  '--status',
  '--asset',
  '--sensor',
  '--exit-code',
  '--last',
  '--help',
  '-h',
  '--version',
  '-V',
  '--',
  '--nonsense',
  '-x',
  '-qv',
  '--limit=5',
  '--key=a',
  '--no-no-run',
  '--__proto__',
  '--constructor=1',
];

const WORDS = [
  'things',
  'copies',
  'one',
  'echo',
  'fails',
  'report',
  'feed',
  'lazy',
  'a',
  'b',
  'x',
  'nothing',
  '',
  ' ',
  '-',
  '0',
  '1',
  '-1',
  '1.5',
  '1e3',
  '0x10',
  '10%',
  '101%',
  '9007199254740991',
  '99999999999999999999',
  '30d',
  '99999999999999999999d',
  '0s',
  'oldest',
  'newest',
  'skip',
  'wait',
  'fail',
  'SUCCESS',
  'success',
  'keys.txt',
  'empty.txt',
  'copy.json',
  'pipeline.ts',
  '.',
  '/',
  '/dev/null',
  '__proto__',
  'constructor',
  '\u202e',
  '\u001b[2J',
  'é',
  '{"a":1}',
  'x'.repeat(1025),
  'x'.repeat(5000),
];

/** Never on its own: these end only when somebody ends them. */
const ENDLESS = /^(?:sensor watch|worker(?! --once)|runs logs .*--follow)/;

const word = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...WORDS) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\0', '')),
  },
);
const flag = fc.constantFrom(...FLAGS);

/** A word of the vocabulary as it is mistyped: a letter lost, doubled, in capitals, two the other way round. */
const mistyped = fc
  .tuple(fc.constantFrom(...COMMANDS.flatMap((command) => command.split(' ')), ...FLAGS), fc.nat(), fc.nat(3))
  .map(([text, nth, how]) => {
    const at = text.length === 0 ? 0 : nth % text.length;
    const [before, letter, after] = [text.slice(0, at), text.slice(at, at + 1), text.slice(at + 1)];
    return [
      before + after,
      before + letter + letter + after,
      before + letter.toUpperCase() + after,
      after + letter + before,
    ][how]!;
  });

const commandLine = fc
  .tuple(
    fc.array(flag, { maxLength: 1 }),
    fc.constantFrom(...COMMANDS).map((command) => command.split(' ').filter((part) => part !== '')),
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: flag },
        { weight: 5, arbitrary: word },
        { weight: 2, arbitrary: fc.tuple(flag, word).map(([name, value]) => `${name}=${value}`) },
        { weight: 1, arbitrary: mistyped },
      ),
      { maxLength: 7 },
    ),
    fc.boolean(),
  )
  .map(([before, command, after, json]) => [
    ...before,
    ...command,
    ...after,
    ...(json && !after.includes('--') ? ['--json'] : []),
  ])
  // Flags of files are tried with names of their own: others could lead out of the folder.
  .filter(
    (args) =>
      !ENDLESS.test(
        args.filter((one) => !one.startsWith('-') || one === '--once' || one === '--follow').join(' '),
      ),
  );

let project: FuzzProject;
let good: ReadonlyMap<string, Buffer>;

beforeAll(async () => {
  project = new FuzzProject();
  await project.fill();
  await project.must(['state', 'export', 'copy.json']);
  project.write({ 'keys.txt': 'a\nk1\nk2\n', 'empty.txt': '' });
  good = project.remember();
});

afterAll(() => project[Symbol.asyncDispose]());

/** Whether the document is what was asked for: help and the version are texts. */
function isText(args: readonly string[]): boolean {
  return args.some((one) => /^(?:--help|-h|--version|-V)/.test(one));
}

describe('a command line', () => {
  it(
    'of the real vocabulary in any order ends as the contract says',
    async () => {
      const codes = new Map<number, number>();
      await fc.assert(
        fc.asyncProperty(commandLine, fc.boolean(), async (args, isTerminal) => {
          project.putBack(good);
          const ran = await project.run(args, { stdin: 'a\nk3\n', ...(isTerminal ? ON_A_TERMINAL : {}) });
          codes.set(ran.code, (codes.get(ran.code) ?? 0) + 1);
          const wrong = offences(isText(args) ? ['--'] : args, ran);
          // A usage error leaves stdout to what was asked for.
          if (ran.code === 2 && ran.stdout !== '' && !ran.stdout.startsWith('{'))
            wrong.push('data beside a usage error');
          if (ran.code === 2 && !/\S/.test(ran.stdout + ran.stderr)) wrong.push('refused without a word');
          if (/^\s+at .*:\d+:\d+\)?$/m.test(ran.stderr)) wrong.push('a stack');
          expect([args, ran.code, wrong, wrong.length > 0 ? `${ran.stdout}\n${ran.stderr}` : '']).toEqual([
            args,
            ran.code,
            [],
            '',
          ]);
          await project.must(['state', 'check']);
        }),
        tries(200),
      );
      for (const code of [0, 2]) expect(codes.get(code) ?? 0).toBeGreaterThan(10);
    },
    PATIENCE_MS,
  );

  it(
    'comes to the same in the real binary',
    async () => {
      await fc.assert(
        fc.asyncProperty(commandLine, async (args) => {
          // What differs from one moment to the next is not compared.
          if (/runs|tick|materialize|worker|list|history/.test(args.join(' '))) return;
          project.putBack(good);
          const here = await project.run(args, { stdin: 'a\nk3\n' });
          project.putBack(good);
          const there = await project.dynpart(args, { input: 'a\nk3\n' });
          expect([args, there.code, there.signal]).toEqual([args, here.code, null]);
          expect(offences(isText(args) ? ['--'] : args, { ...there, code: there.code! })).toEqual([]);
        }),
        tries(8),
      );
    },
    PATIENCE_MS,
  );
});
