/** Keys by machine: each legal one comes back as it went in, through every command, format and file; each illegal one is named, and nothing is applied. */
import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { isPartitionKey } from '../../src/model/partition-key.ts';
import { fileNameOf } from '../../src/files/file-name.ts';
import { anyKey } from '../support/arbitraries.ts';
import { FuzzProject, offences, ON_A_TERMINAL, PATIENCE_MS, tries } from '../support/fuzz.ts';

const NASTY = [
  '-',
  '--',
  '--key',
  '--json',
  '-f',
  '=',
  '~',
  '{"a":1}',
  '"\\u0041"',
  "it's",
  '`x`',
  '$(x)',
  'null',
  '\u202e',
  '\u2066',
  '\ufeff',
  '\u00a0',
  '\u0085',
  '\u2029',
  '__proto__',
  'toString',
  'Ａ',
  '①',
  'ﬀ',
  '\u{10ffff}',
  '\u{1f468}\u200d\u{1f469}',
];

/** Any legal key, with a leaning to what options, JSON, terminals and file systems misread. */
const key = fc
  .oneof(
    anyKey,
    fc
      .array(fc.oneof(fc.constantFrom(...NASTY), anyKey), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('')),
    fc.constantFrom(...NASTY).map((part) => part.repeat(Math.floor(1024 / Buffer.byteLength(part)))),
  )
  .filter(isPartitionKey);

/** Keys that some file system or format takes for the given one. */
function twinsOf(one: string): string[] {
  const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) => one.normalize(form));
  return [
    ...forms,
    one.toLowerCase(),
    one.toUpperCase(),
    `${one} `,
    ` ${one}`,
    `${one}.`,
    encodeURIComponent(one),
  ];
}

const keys = fc
  .uniqueArray(key, { minLength: 1, maxLength: 6 })
  .map((few) => [...new Set([...few, ...few.slice(0, 2).flatMap(twinsOf)])].filter(isPartitionKey));

/** Every illegal key there is a reason for. */
const notAKey = fc.oneof(
  fc
    .tuple(key, fc.oneof(fc.integer({ min: 0, max: 0x1f }), fc.constantFrom(0, 0x1f, 0x7f, 0x7f)), fc.nat(20))
    .map(([good, code, at]) => {
      const control = String.fromCharCode(code);
      return good.slice(0, at) + control + good.slice(at);
    }),
  fc.tuple(key, fc.constantFrom('\ud800', '\udfff')).map(([good, half]) => half + good),
  key.map((good) => good.repeat(Math.ceil(1025 / Buffer.byteLength(good)))),
);

const lines = (text: string): string[] => text.split('\n').slice(0, -1);
const parsed = (text: string): string[] => lines(text).map((line) => JSON.parse(line) as string);
/** As a record in a pipe is read: a leading quote means a JSON string. */
const read = (line: string): string => (line.startsWith('"') ? (JSON.parse(line) as string) : line);

const keysOf = ({ keys: page }: { readonly keys: readonly { readonly key: string }[] }): string[] =>
  page.map((one) => one.key);

describe('legal keys', () => {
  it(
    'come back as they went in, through every command, format and file',
    async () => {
      await using project = new FuzzProject();
      const values = path.join(project.stateFolder, 'values', 'one');
      await fc.assert(
        fc.asyncProperty(keys, async (all) => {
          fs.rmSync(project.stateFolder, { recursive: true, force: true });
          // In: as arguments, as a file, as JSON lines, on standard input.
          const asJson = all.map((one) => `${JSON.stringify(one)}\n`).join('');
          await project.must(['partitions', 'add', 'things', '--', ...all]);
          await project.must(['partitions', 'add', 'copies', '--from', '-', '--json-lines'], 0, {
            stdin: asJson,
          });
          // A line of blanks alone is no key of a plain file, and the mark at its beginning none of a key: those go as JSON lines.
          const plain = all.filter((one) => one.trim() !== '' && !one.startsWith('\ufeff'));
          project.write({ 'keys.txt': plain.map((one) => `${one}\n`).join('') });
          const again = await project.must(['partitions', 'add', 'things', '--from', 'keys.txt', '--json']);
          expect(JSON.parse(again.stdout)).toMatchObject({ added: [], skipped: plain });

          // Out: each format says the same keys in the same order.
          const json = async (...args: string[]) =>
            JSON.parse((await project.must(['--json', ...args])).stdout);
          expect(keysOf(await json('partitions', 'list', 'things'))).toEqual(all);
          const text = await project.must(['partitions', 'list', 'things']);
          expect(lines(text.stdout).map(read)).toEqual(all);
          const jsonLines = await project.must(['partitions', 'list', 'copies', '--json-lines']);
          expect(parsed(jsonLines.stdout)).toEqual(all);
          const terminal = await project.must(['partitions', 'list', 'things'], 0, ON_A_TERMINAL);
          expect(offences([], { ...text, stdout: text.stdout + jsonLines.stdout + terminal.stdout })).toEqual(
            [],
          );
          const middle = all[Math.floor(all.length / 2)]!;
          expect(keysOf(await json('partitions', 'list', 'things', '--after', middle))).toEqual(
            all.slice(all.indexOf(middle) + 1),
          );
          const [first = ''] = middle;
          expect(keysOf(await json('partitions', 'list', 'things', `--prefix=${first}`))).toEqual(
            all.filter((one) => one.startsWith(first)),
          );

          // Runs: by a file and by flags; each with the value of its own key.
          project.write({ 'keys.jsonl': asJson });
          const most = await json('materialize', 'one', 'echo', '--keys-from', 'keys.txt');
          expect(most.summary).toMatchObject({ total: new Set(plain).size, succeeded: new Set(plain).size });
          const made = await json('materialize', 'one', 'echo', ...all.map((one) => `--key=${one}`));
          expect(made.summary).toMatchObject({ total: all.length, succeeded: all.length });
          const files = fs.readdirSync(values);
          expect(files).toHaveLength(all.length);
          expect(files.toSorted()).toEqual(all.map((one) => `${fileNameOf(one)}.json`).toSorted());
          for (const one of all) {
            const file = path.join(values, `${fileNameOf(one)}.json`);
            expect(path.dirname(file)).toBe(values);
            expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toEqual({ partitionKey: one });
          }

          // The past: runs and logs of a key are its own.
          const { runs } = await json('runs', 'list', `--key=${middle}`);
          expect(new Set(runs.map((run: { partitionKey: string }) => run.partitionKey))).toEqual(
            new Set([middle]),
          );
          const { attempts } = await json('runs', 'logs', runs[0].id);
          expect(attempts[0].lines[0].text).toBe(`made ${middle}`);
          const shown = await project.must(['runs', 'show', runs[0].id]);
          const listed = await project.must(['runs', 'list']);
          expect(offences([], { ...shown, stdout: shown.stdout + listed.stdout })).toEqual([]);
          expect(lines(listed.stdout).map((line) => read(line.split('\t')[2]!))).toContain(middle);

          // Away, with their values and nobody else's.
          expect((await json('partitions', 'remove', 'things', '--purge', '--', middle)).removed).toEqual([
            middle,
          ]);
          expect(fs.readdirSync(values)).toHaveLength(all.length - 1);
          expect(
            (await json('partitions', 'sync', 'things', '--from', 'keys.jsonl', '--json-lines')).added,
          ).toEqual([middle]);
          await project.must(['state', 'check']);
        }),
        tries(8),
      );
    },
    PATIENCE_MS,
  );

  it('have file names that stay apart and in their folder, whatever a file system folds together', () => {
    const folds: readonly ((name: string) => string)[] = [
      (name) => name.toLowerCase(),
      (name) => name.toUpperCase(),
      (name) => name.normalize('NFD').toLowerCase().normalize('NFC'),
      (name) => name.normalize('NFKD').toUpperCase().normalize('NFKC').toLowerCase(),
      // Windows and shares drop what stands at the end.
      (name) => name.replace(/[. ]+$/, '').toLowerCase(),
    ];
    fc.assert(
      fc.property(keys, (all) => {
        for (const fold of folds)
          expect(new Set(all.map((one) => fold(fileNameOf(one)))).size).toBe(all.length);
        for (const one of all) {
          expect(path.resolve('/values/one', fileNameOf(one))).toBe(
            path.join('/values/one', fileNameOf(one)),
          );
          expect(path.dirname(path.join('/values/one', fileNameOf(one)))).toBe('/values/one');
        }
      }),
      tries(100),
    );
  });

  it(
    'go through the real binary as they are',
    async () => {
      await using project = new FuzzProject();
      await fc.assert(
        fc.asyncProperty(keys, async (all) => {
          fs.rmSync(project.stateFolder, { recursive: true, force: true });
          const added = await project.dynpart(['partitions', 'add', 'things', '--json', '--', ...all]);
          expect(JSON.parse(added.stdout)).toEqual({ set: 'things', added: all, updated: [], skipped: [] });
          const { stdout } = await project.dynpart(['partitions', 'list', 'things', '--json-lines']);
          expect(parsed(stdout)).toEqual(all);
        }),
        tries(2),
      );
    },
    PATIENCE_MS,
  );
});

describe('illegal keys', () => {
  it(
    'are refused by name wherever they come from, and nothing is applied',
    async () => {
      await using project = new FuzzProject();
      await project.must(['partitions', 'add', 'things', 'there']);
      const before = project.stateBytes();
      await fc.assert(
        fc.asyncProperty(notAKey, fc.uniqueArray(key, { maxLength: 3 }), async (bad, good) => {
          expect(isPartitionKey(bad)).toBe(false);
          const around = (text: (one: string) => string): string =>
            [...good, bad, ...good].map(text).join('');
          // What would end a line makes two keys of a plain file, a return before it belongs to the line's end, and a mark at
          // the beginning is the file's: without it the key may be short enough.
          const fits =
            bad.trim() !== '' &&
            !bad.startsWith('\ufeff') &&
            !/[\n\r]/.test(bad) &&
            bad.isWellFormed() &&
            good.every((one) => !one.includes('\r'));
          const ways: { readonly args: readonly string[]; readonly stdin?: string }[] = [
            { args: ['partitions', 'add', 'things', '--json', '--', ...good, bad] },
            { args: ['partitions', 'remove', 'things', '--json', '--', ...good, bad] },
            {
              args: ['partitions', 'add', 'things', '--json', '--json-lines', '--from', '-'],
              stdin: around((one) => `${JSON.stringify(one)}\n`),
            },
            {
              args: ['materialize', '--json', '--add', `--key=${bad}`, ...good.map((one) => `--key=${one}`)],
            },
            ...(fits
              ? [
                  {
                    args: ['partitions', 'add', 'things', '--json', '--from', '-'],
                    stdin: around((one) => `${one}\n`),
                  },
                  {
                    args: ['materialize', '--json', '--add', '--keys-from', '-'],
                    stdin: around((one) => `${one}\n`),
                  },
                ]
              : []),
          ];
          for (const { args, stdin } of ways) {
            const ran = await project.run(args, stdin === undefined ? {} : { stdin });
            expect([
              args,
              ran.code,
              offences(
                args.filter((word) => word !== '--'),
                ran,
              ),
            ]).toEqual([args, 2, []]);
            const { error } = JSON.parse(ran.stdout) as { error: { code: string; message: string } };
            expect(error.code).toBe('invalid-key');
            // By name: its beginning, as a JSON string.
            const escaped = JSON.stringify(bad.slice(0, 8)).slice(0, -1).toLowerCase();
            if (!/[\u007f-\uffff]/.test(bad.slice(0, 8)))
              expect(error.message.toLowerCase()).toContain(escaped);
            expect(project.stateBytes()).toBe(before);
          }
        }),
        tries(30),
      );
    },
    PATIENCE_MS,
  );

  it(
    'and any other bytes of a key file are refused with their lines, or are keys as they stand',
    async () => {
      await using project = new FuzzProject();
      await project.must(['partitions', 'add', 'things', 'there']);
      const good = project.remember();
      const piece = fc.oneof(
        fc.constantFrom(
          '\n',
          '\r\n',
          '\r',
          '\ufeff',
          '"a"',
          '"',
          '"\\ud800"',
          '\\',
          ' ',
          '\t',
          '\u0000',
          'there',
          'é',
        ),
        key,
      );
      const bytes = fc
        .array(
          fc.oneof(
            piece.map((text) => Buffer.from(text)),
            fc.uint8Array({ maxLength: 4 }),
          ),
          { maxLength: 8 },
        )
        .map((parts) => Buffer.concat(parts));
      await fc.assert(
        fc.asyncProperty(bytes, fc.boolean(), async (content, jsonLines) => {
          project.putBack(good);
          const before = project.stateBytes();
          const args = [
            'partitions',
            'add',
            'things',
            '--from',
            '-',
            '--json',
            ...(jsonLines ? ['--json-lines'] : []),
          ];
          const ran = await project.run(args, { stdin: content });
          expect([ran.code === 0 || ran.code === 2, offences(args, ran)]).toEqual([true, []]);
          const { error, added, skipped } = JSON.parse(ran.stdout) as {
            error?: { code: string; message: string };
            added: string[];
            skipped: string[];
          };
          const wanted = content
            .toString('utf8')
            .replace(/^\ufeff/, '')
            .split('\n')
            .map((line) => line.replace(/\r$/, ''))
            .filter((line) => line.trim() !== '');
          if (error !== undefined) {
            expect(error.code).toBe('invalid-key');
            expect(error.message).toMatch(/line \d+: /);
            expect(project.stateBytes()).toBe(before);
            if (!jsonLines && isUtf8(content)) expect(wanted.every(isPartitionKey)).toBe(false);
          } else {
            expect(isUtf8(content)).toBe(true);
            const meant = jsonLines ? wanted.map((line) => JSON.parse(line) as string) : wanted;
            expect(meant.every(isPartitionKey)).toBe(true);
            expect(new Set([...added, ...skipped])).toEqual(new Set(meant));
          }
        }),
        tries(150),
      );
    },
    PATIENCE_MS,
  );
});
