/** The files beside the state, damaged by machine: words, or passed over. Never a crash, never a wrong answer from what is in the state. */
import fs from 'node:fs';
import path from 'node:path';
import * as fc from '../support/random.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FuzzProject, offences, ON_A_TERMINAL, PATIENCE_MS, tries } from '../support/fuzz.ts';
import type { Ran } from '../support/captured-terminal.ts';

/** Asked after every damage: they read it and change nothing. */
const READING: readonly (readonly string[])[] = [
  ['sensor', 'list'],
  ['sensor', 'history', 'feed'],
  ['sensor', 'history', 'lazy', '--limit', '1'],
  ['runs', 'list'],
  ['runs', 'list', '--status', 'FAILURE', '--limit', '1'],
  ['runs', 'list', '--key', 'x'],
];

/** One of these follows. */
const COMMANDS: readonly (readonly string[])[] = [
  ['status', '--exit-code'],
  ['sensor', 'tick'],
  ['sensor', 'tick', 'lazy', '--due'],
  ['worker', '--once'],
  ['materialize', 'report'],
  ['materialize', 'echo', '--key', 'a'],
  ['materialize', '--failed'],
  ['partitions', 'remove', 'things', 'a', '--purge'],
  ['state', 'check'],
];

let project: FuzzProject;
let good: ReadonlyMap<string, Buffer>;
/** Every file that is not the state or a generation of it. */
let others: string[];
let runs: string[];

beforeAll(async () => {
  project = new FuzzProject();
  await project.fill();
  await project.must(['sensor', 'start', 'lazy']);
  await project.must(['sensor', 'tick', 'lazy']);
  // What a process that lives, one that died and nobody at all would have left.
  const owner = {
    id: 'o',
    pid: process.pid,
    startTime: '1',
    bootId: 'b',
    pidNamespace: 'n',
    host: 'h',
    since: '2026-01-01T00:00:00.000Z',
  };
  project.write({
    '.dynpart/claims/feed.json': JSON.stringify(owner),
    '.dynpart/executors/o.1-2-3.log': 'begun x-1\nended x-1\nbegun x-2\n',
  });
  good = project.remember();
  others = [...good.keys()].filter((name) => !/^\.?state\.json/.test(name)).toSorted();
  const listed = JSON.parse((await project.must(['runs', 'list', '--json'])).stdout) as {
    runs: { id: string }[];
  };
  runs = listed.runs.map(({ id }) => id);
});

afterAll(() => project[Symbol.asyncDispose]());

const LINES = [
  'null',
  '5',
  '"x"',
  '[]',
  '{}',
  '{"retracted":5}',
  '{"retracted":"x-1"}',
  '{"id":5}',
  '{"__proto__":{"id":"x"}}',
  '{"sensor":"feed","status":"SUCCESS"}',
  '{"pid":-1,"since":"x"}',
  '{"pid":{"a":1},"startTime":[],"bootId":{},"host":5}',
  '{',
  '\u0000\u0000',
  '',
];

/** What stands in a file → what stands there afterwards. */
const damages = fc.oneof(
  fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[at % copy.length] = byte;
    return copy;
  }),
  fc.nat().map((at) => (bytes: Buffer) => bytes.subarray(0, at % (bytes.length + 1))),
  fc.nat().map((at) => (bytes: Buffer) => bytes.subarray(at % (bytes.length + 1))),
  fc.constant((bytes: Buffer) => Buffer.concat([bytes, bytes])),
  fc.uint8Array({ maxLength: 200 }).map((random) => () => Buffer.from(random)),
  fc
    .array(fc.constantFrom(...LINES), { minLength: 1, maxLength: 4 })
    .map(
      (lines) => (bytes: Buffer) =>
        Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), bytes, Buffer.from(`${lines.join('\n')}\n`)]),
    ),
  // A field of one record takes another value.
  fc
    .tuple(
      fc.nat(),
      fc.constantFrom('null', '[]', '{}', '-1', '"x"', '[null]', '{"a":null}', 'true', '1e999'),
    )
    .map(([nth, by]) => (bytes: Buffer) => {
      const text = bytes.toString('utf8');
      const spots = [...text.matchAll(/(?<=":)(?:"[^"]*"|\d+|null|\[[^[\]]*\]|\{[^{}]*\})/g)];
      if (spots.length === 0) return bytes;
      const { index, 0: value } = spots[nth % spots.length]!;
      return Buffer.from(text.slice(0, index) + by + text.slice(index + value.length));
    }),
);

function said(args: readonly string[], ran: Ran): string[] {
  const wrong = offences(args, ran);
  // A file that cannot be used is named; all else goes on.
  if (ran.code === 5 && !`${ran.stdout}${ran.stderr}`.includes(project.folder))
    wrong.push('it names no file');
  return wrong;
}

describe('a damaged file beside the state', () => {
  it(
    'is passed over or named, and the state is what it was',
    async () => {
      const commands = fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...COMMANDS) },
        {
          weight: 1,
          arbitrary: fc
            .tuple(fc.constantFrom('show', 'retry', 'cancel'), fc.nat())
            .map(([verb, nth]) => ['runs', verb, `${nth}`]),
        },
      );
      await fc.assert(
        fc.asyncProperty(fc.nat(), damages, commands, async (nth, damage, chosen) => {
          project.putBack(good);
          const file = path.join(project.stateFolder, others[nth % others.length]!);
          fs.writeFileSync(file, damage(fs.readFileSync(file)));
          const command =
            chosen[0] === 'runs' && /^\d+$/.test(chosen[2] ?? '')
              ? [...chosen.slice(0, 2), runs[Number(chosen[2]) % runs.length]!]
              : chosen;
          const logs = runs.map((id) => ['runs', 'logs', id]);
          for (const one of [...READING, ...logs, command]) {
            const args = [...one, '--json'];
            const ran = await project.run(args);
            const asText = await project.run(one, ON_A_TERMINAL);
            const wrong = [...said(args, ran), ...said(one, asText)];
            expect([file, one, wrong, wrong.length > 0 ? ran.stdout : '']).toEqual([file, one, [], '']);
          }
          await project.must(['state', 'check']);
        }),
        tries(80),
      );
    },
    PATIENCE_MS,
  );

  it(
    'is passed over where it lies in a folder of dynpart’s and is none of its files',
    async () => {
      const name = fc
        .oneof(
          fc.constantFrom(
            '.state.json.999999999999',
            '.state.json.000000000099',
            '.state.json.tmp.',
            '.state.json.tmp.1-2-3.4',
            'state.json.before-restore-x',
            'history/runs.999999.jsonl',
            'history/runs.000000.jsonl',
            'history/ticks/feed.999999.jsonl',
            'claims/..json.1-2-3.4.tmp',
            'claims/feed.json.1-2-x.4.tmp',
            'executors/x',
            'executors/.log',
            'executors/a.b.c.log',
            'values/.tmp/x',
            'values/.tmp/-',
            'values/one/.json',
            'logs/.jsonl',
          ),
          fc
            .tuple(
              fc.constantFrom(
                '',
                'history/',
                'history/ticks/',
                'claims/',
                'executors/',
                'logs/',
                'values/',
                'values/one/',
              ),
              fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
            )
            .map(([folder, text]) => folder + text.replaceAll(/[/\0]/g, '_')),
        )
        .filter((text) => !/(^|\/)\.{1,2}$/.test(text) && !good.has(text) && Buffer.byteLength(text) < 200);
      await fc.assert(
        fc.asyncProperty(
          name,
          fc.uint8Array({ maxLength: 50 }),
          fc.constantFrom(...COMMANDS),
          async (at, bytes, command) => {
            project.putBack(good);
            const file = path.join(project.stateFolder, at);
            if (fs.existsSync(file)) return;
            fs.mkdirSync(path.dirname(file), { recursive: true });
            fs.writeFileSync(file, bytes);
            const args = [...command, '--json'];
            const ran = await project.run(args);
            expect([at, command, said(args, ran), ran.code === 5 ? ran.stdout : '']).toEqual([
              at,
              command,
              [],
              '',
            ]);
            await project.must(['state', 'check']);
            await project.must(['partitions', 'add', 'things', 'z']);
            await project.must(['state', 'check']);
          },
        ),
        tries(40),
      );
    },
    PATIENCE_MS,
  );
});

describe('a damaged value', () => {
  it(
    'is handed on only when it is JSON still, else it is named; it never ends in a bug',
    async () => {
      project.putBack(good);
      const file = path.join(project.stateFolder, 'values/one/a.json');
      await fc.assert(
        fc.asyncProperty(damages, async (damage) => {
          project.putBack(good);
          const bytes = damage(fs.readFileSync(file));
          fs.writeFileSync(file, bytes);
          const args = ['materialize', 'echo', '--key', 'a', '--json'];
          const ran = await project.run(args);
          expect([bytes.toString(), said(args, ran)]).toEqual([bytes.toString(), []]);
          const whole = bytes.toString().trim() === good.get('values/one/a.json')!.toString().trim();
          if (whole) expect(ran.code).toBe(0);
          await project.must(['state', 'check']);
        }),
        tries(40),
      );
    },
    PATIENCE_MS,
  );
});
