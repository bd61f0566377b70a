/** An operator's day in a real terminal: from an empty folder to a first tick, and from a failed key to a mended one, by what is on the screen alone. */
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { hasScript, onTerminal } from '../support/on-terminal.ts';
import { Project } from '../support/project.ts';

/** What a terminal gets to see of a shell line in which `dynpart` is this one. */
async function screenOf(
  project: Project,
  columns: number,
  line: string,
): Promise<{ code: number | null; text: string }> {
  const { seen, ended } = onTerminal(project, line, { columns });
  const code = await ended;
  return { code, text: stripVTControlCharacters(seen()).replaceAll('\r', '') };
}

/** The command that a line of the screen gives to paste, by how it begins. */
function commandIn(text: string, beginning: string): string {
  const found = text.split('\n').find((line) => line.includes(beginning));
  expect(found, text).toBeDefined();
  return /dynpart [^;]*/.exec(found!.slice(found!.indexOf(beginning)))![0].trim();
}

describe.skipIf(!hasScript).each([80, 40])(
  'a walk in a terminal of %i columns (needs `script`)',
  (columns) => {
    it(
      'goes from nothing to a first tick in three commands, and from a failed key to a mended one',
      { timeout: 300_000 },
      async () => {
        await using project = new Project();
        const seen: string[] = [];
        const type = async (line: string, code = 0): Promise<string> => {
          const ran = await screenOf(project, columns, line);
          expect([line, ran.code, ran.text]).toEqual([line, code, expect.anything()]);
          seen.push(ran.text);
          return ran.text;
        };
        // Monday: what `init` says is typed as it stands.
        const next = [...(await type('dynpart init')).matchAll(/^ {2}(dynpart .*?) {2}/gm)].map(
          ([, command]) => command!,
        );
        expect(next).toEqual(['dynpart check', 'dynpart sensor tick', 'dynpart status']);
        await type(next[0]!);
        expect(await type(next[1]!)).toContain('2 runs succeeded');
        const well = await type(next[2]!);
        expect(well).toMatch(columns < 78 ? /^orders {2}2 of 2\n {2}█+$/m : /^orders .* 2 +0 +0 +0 +█+$/m);

        // Tuesday: a key fails.
        project.write({ 'inbox/wednesday.csv': 'ada,five\n' });
        await type('dynpart sensor tick', 1);
        const ill = await type('dynpart status');
        expect(ill).toContain('orders for wednesday.csv failed');
        // Found, understood …
        expect(await type('dynpart partitions list uploads --status failed')).toContain('wednesday');
        const shown = await type('dynpart partitions show uploads wednesday.csv');
        expect(shown).toContain('orders: failed');
        expect(shown).toContain('value[0].amount is NaN');
        await type(commandIn(ill, 'dynpart runs logs'));
        expect((await type('dynpart explain value-not-json')).replaceAll(/\s+/g, ' ')).toContain(
          'The value would not come back from JSON as it is',
        );
        // … and mended, with what the screen offers.
        project.write({ 'inbox/wednesday.csv': 'ada,5\n' });
        expect(await type(commandIn(ill, 'dynpart materialize --failed'))).toContain('1 run succeeded');
        await type('dynpart materialize --missing');
        expect(await type('dynpart value show total --key wednesday.csv')).toBe('5\n');

        // Thursday: the source is quiet for longer than is liked, and a value is older.
        const pipeline = project.read('pipeline.ts');
        const strict = pipeline
          .replace("name: 'new-files',", "name: 'new-files', expectNewKeysEvery: '1ms',")
          .replace("name: 'total',", "name: 'total', freshFor: { fail: '1ms' },");
        project.write({ 'pipeline.ts': strict });
        await type('dynpart sensor tick');
        const quiet = await type('dynpart status --exit-code', 10);
        expect(quiet).toContain('sensor new-files is overdue');
        expect(quiet).toContain('total is overdue');
        await type(commandIn(quiet, 'dynpart sensor history new-files'));
        project.write({ 'pipeline.ts': strict.replaceAll("'1ms'", "'7d'"), 'inbox/thursday.csv': 'ada,7\n' });
        expect(await type('dynpart sensor tick')).toContain('1 run succeeded');

        // Friday: all is well, without a log.
        const friday = await type('dynpart status --exit-code');
        expect(friday).not.toContain('failed');
        await type('dynpart doctor');
        for (const line of [well, ill, quiet, friday].join('\n').split('\n'))
          if (!line.startsWith('  dynpart '))
            expect([line, stringWidth(line) <= columns]).toEqual([line, true]);
        expect(seen.join('')).not.toContain('bug in dynpart');
      },
    );
  },
);
