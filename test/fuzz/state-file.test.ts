/** The state file, damaged by machine: every command refuses it and names the place, or works on a file that holds together. */
import fs from 'node:fs';
import path from 'node:path';
import * as fc from '../support/random.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FuzzProject, offences, ON_A_TERMINAL, PATIENCE_MS, tries } from '../support/fuzz.ts';

type Path = readonly (string | number)[];

/** Each command works on what it finds; the first ones only read. */
const READING: readonly (readonly string[])[] = [
  ['partitions', 'list'],
  ['partitions', 'list', 'things', '--after', 'a'],
  ['sensor', 'list'],
  ['sensor', 'history', 'feed'],
  ['sensor', 'tick', '--dry-run'],
  ['sensor', 'tick', '--due', '--dry-run'],
  ['materialize', '--all', '--dry-run'],
  ['materialize', '--missing', '--failed', '--dry-run'],
  ['partitions', 'remove', 'things', '--older-than', '1s', '--dry-run'],
  ['runs', 'list'],
  ['status'],
  ['assets', 'list'],
];
const WRITING: readonly (readonly string[])[] = [
  ['partitions', 'add', 'things', 'z', 'a'],
  ['partitions', 'remove', 'things', 'a', 'nothing'],
  ['sensor', 'tick'],
  ['sensor', 'start', 'lazy'],
  ['sensor', 'cursor', 'feed', '--set', 'x'],
  ['worker', '--once'],
  ['materialize', 'one', 'echo', '--key', 'b'],
  ['materialize', 'report', '--no-run'],
];
const COMMANDS = [...READING, ...WRITING];

let project: FuzzProject;
let good: ReadonlyMap<string, Buffer>;
let text: string;
let paths: Path[];

beforeAll(async () => {
  project = new FuzzProject();
  await project.fill();
  good = project.remember();
  text = good.get('state.json')!.toString('utf8');
  paths = pathsIn(JSON.parse(text));
});

afterAll(() => project[Symbol.asyncDispose]());

function pathsIn(document: unknown): Path[] {
  const found: Path[] = [];
  const walk = (value: unknown, at: Path): void => {
    if (at.length > 0) found.push(at);
    if (typeof value !== 'object' || value === null) return;
    for (const [name, item] of Object.entries(value))
      walk(item, [...at, Array.isArray(value) ? Number(name) : name]);
  };
  walk(document, []);
  return found;
}

/** The file with another value at a path; `undefined` takes it out. */
function changed(at: Path, value: unknown): string {
  const document = JSON.parse(text) as unknown;
  let inside = document as Record<string | number, unknown>;
  for (const step of at.slice(0, -1)) inside = inside[step] as Record<string | number, unknown>;
  if (value === undefined) Reflect.deleteProperty(inside, at.at(-1)!);
  else inside[at.at(-1)!] = value;
  return JSON.stringify(document);
}

/** Puts a damaged file in the place of the good one: beside its intact generations, or alone. */
function damage(bytes: string | Buffer, alone: boolean): void {
  project.putBack(good);
  const file = path.join(project.stateFolder, 'state.json');
  fs.rmSync(file);
  fs.writeFileSync(file, bytes);
  if (!alone) return;
  for (const name of fs.readdirSync(project.stateFolder))
    if (name.startsWith('.state.json.')) fs.rmSync(path.join(project.stateFolder, name));
}

const stateBytes = (): Buffer => fs.readFileSync(path.join(project.stateFolder, 'state.json'));

/** One command on a damaged file, as a person and as a script sees it. What must hold does. */
async function tryOn(bytes: string | Buffer, command: readonly string[], alone: boolean): Promise<void> {
  damage(bytes, alone);
  const before = stateBytes();
  const args = [...command, '--json'];
  const check = await project.run(['state', 'check', '--json']);
  const ran = await project.run(args);
  const wrong = [...offences(['--json'], check), ...offences(args, ran)];
  const [verdict, outcome] = [check, ran].map(({ stdout }) => JSON.parse(stdout) as Verdict);
  // The name of another pipeline's file may have come in.
  if (ran.code === 5 || outcome!.error?.code === 'foreign-state') {
    if (!stateBytes().equals(before)) wrong.push('it refused the file and wrote it');
    if (!(outcome!.error?.message ?? '').includes(project.folder)) wrong.push('it names no file');
  } else if (verdict!.error !== undefined)
    wrong.push('it worked on a file that state check cannot even read');
  // Whatever a command makes of a file that holds together holds together.
  if (verdict!.ok === true) {
    const after = await project.run(['state', 'check', '--json']);
    if (after.code !== 0) wrong.push(`afterwards: ${after.stdout}`);
  }
  const asText = READING.includes(command)
    ? await project.run(command, ran.code === 0 ? ON_A_TERMINAL : {})
    : null;
  if (asText !== null) wrong.push(...offences(command, asText));
  expect([
    command.join(' '),
    wrong,
    wrong.length > 0 ? `${ran.stdout}\n${ran.stderr}\n${asText?.stdout}` : '',
  ]).toEqual([command.join(' '), [], '']);
}

interface Verdict {
  readonly ok?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

const anyCommand = fc.constantFrom(...COMMANDS);

const ODD: readonly unknown[] = [
  undefined,
  null,
  -1,
  0,
  1,
  2,
  1.5,
  -0.5,
  1e300,
  -1e300,
  2 ** 31,
  2 ** 53 - 1,
  2 ** 53,
  999_999_999_999,
  '',
  ' ',
  'x',
  'a',
  '__proto__',
  'constructor',
  'q',
  's',
  'c',
  'mm',
  '11',
  '1'.repeat(50),
  'm'.repeat(50),
  '9',
  '2026-01-01T00:00:00.000Z',
  '2026-99-99T00:00:00.000Z',
  'yesterday',
  '\u001b]0;x\u0007\u202e',
  true,
  false,
  [],
  [null],
  [[]],
  [{}],
  {},
  { a: null },
  { a: {} },
];

const anyValue = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ODD) },
  { weight: 1, arbitrary: fc.jsonValue() },
);

/** Numbers and strings that stand in the file as it is written, with where. */
function spots(pattern: RegExp): { readonly from: number; readonly to: number }[] {
  return [...text.matchAll(pattern)].map((match) => ({
    from: match.index,
    to: match.index + match[0].length,
  }));
}

const put = (from: number, to: number, by: string): string => text.slice(0, from) + by + text.slice(to);

describe('a damaged state file', () => {
  it(
    'with another value anywhere is refused with its place, or used without harm',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...paths),
          anyValue,
          anyCommand,
          fc.boolean(),
          (at, value, command, alone) => tryOn(changed(at, value), command, alone),
        ),
        tries(250),
      );
    },
    PATIENCE_MS,
  );

  it(
    'with another byte, cut anywhere, doubled, or with blocks in another place',
    async () => {
      const bytes = good.get('state.json')!;
      const place = fc.nat(bytes.length - 1);
      const damaged = fc.oneof(
        fc.tuple(place, fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
          const copy = Buffer.from(bytes);
          copy[at] = byte;
          return copy;
        }),
        place.map((at) => bytes.subarray(0, at)),
        place.map((at) => bytes.subarray(at)),
        fc.constantFrom(Buffer.concat([bytes, bytes]), Buffer.alloc(bytes.length), Buffer.alloc(0)),
        // A block of 512 bytes twice, or two of them the other way round: what a disk and a careless copy do.
        fc.tuple(place, place, fc.boolean()).map(([one, two, swap]) => {
          const [a, b] = [bytes.subarray(one, one + 512), bytes.subarray(two, two + 512)];
          const copy = Buffer.from(bytes);
          a.copy(copy, two);
          if (swap) b.copy(copy, one);
          return copy;
        }),
      );
      await fc.assert(
        fc.asyncProperty(damaged, anyCommand, fc.boolean(), (content, command, alone) =>
          tryOn(content, command, alone),
        ),
        tries(150),
      );
    },
    PATIENCE_MS,
  );

  it(
    'with a number or a string in it that was changed where it stands, or a name that stands there twice',
    async () => {
      const numbers = spots(/(?<=[:[,])-?\d+(?=[,\]}])/g);
      const strings = spots(/"(?:[^"\\]|\\.)*"/g);
      const damaged = fc.oneof(
        fc
          .tuple(
            fc.constantFrom(...numbers),
            fc.constantFrom(
              '1e999',
              '-1e999',
              '-0',
              '1e15',
              '9007199254740993',
              '0.1',
              '00',
              'Infinity',
              '-',
              '""',
              '1E2',
            ),
          )
          .map(([{ from, to }, by]) => put(from, to, by)),
        fc
          .tuple(fc.constantFrom(...strings), fc.nat(40))
          .map(([{ from, to }, length]) => put(from + 1 + length, Math.max(from + 1 + length, to - 1), '')),
        fc
          .tuple(fc.constantFrom(...strings), fc.constantFrom(...strings))
          .map(([one, two]) => put(one.from, one.to, text.slice(two.from, two.to))),
        fc
          .constantFrom(
            'sets',
            'runs',
            'sensors',
            'assets',
            'executors',
            'serial',
            'lineage',
            '__proto__',
            'schema',
          )
          .chain((name) =>
            fc
              .constantFrom('{}', '[]', 'null', '1', '"x"')
              .map((value) => `${text.trimEnd().slice(0, -1)},"${name}":${value}}`),
          ),
      );
      await fc.assert(
        fc.asyncProperty(damaged, anyCommand, fc.boolean(), (content, command, alone) =>
          tryOn(content, command, alone),
        ),
        tries(150),
      );
    },
    PATIENCE_MS,
  );

  it('with the name of another pipeline file in it is refused by that name', async () => {
    const foreign = text.replace(/"file":"(?:[^"\\]|\\.)*"/, '"file":"/"');
    expect(foreign).not.toBe(text);
    await tryOn(foreign, ['partitions', 'list'], false);
  });

  it(
    'restored over by the newest intact generation or by a copy is whole again',
    async () => {
      project.putBack(good);
      await project.must(['state', 'export', 'copy.json']);
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...paths), anyValue, fc.boolean(), async (at, value, byCopy) => {
          damage(changed(at, value), false);
          await project.must(['state', 'restore', ...(byCopy ? ['copy.json'] : ['--last'])]);
          await project.must(['state', 'check']);
          await project.must(['partitions', 'add', 'things', 'z']);
          await project.must(['state', 'check']);
        }),
        tries(30),
      );
    },
    PATIENCE_MS,
  );

  it.each([
    '999999999999',
    '999999999000',
    '1000000000000',
    '999999999999999',
    '9007199254740991',
    '1e12',
    '-1',
  ])('with a serial of %s is restored to one that counts on', async (serial) => {
    damage(text.replace(/"serial":\d+/, `"serial":${serial}`).slice(0, -2), false);
    await project.must(['state', 'restore', '--last']);
    await project.must(['partitions', 'add', 'things', 'z']);
    await project.must(['state', 'check']);
  });

  it(
    'is no copy to restore when it does not hold together',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...paths), anyValue, async (at, value) => {
          project.putBack(good);
          const before = stateBytes();
          project.write({ 'copy.json': changed(at, value) });
          const args = ['state', 'restore', 'copy.json', '--json'];
          const ran = await project.run(args);
          expect([at, value, offences(args, ran)]).toEqual([at, value, []]);
          if (ran.code === 0) await project.must(['state', 'check']);
          else expect([ran.code, stateBytes().equals(before)]).toEqual([5, true]);
        }),
        tries(150),
      );
    },
    PATIENCE_MS,
  );
});
