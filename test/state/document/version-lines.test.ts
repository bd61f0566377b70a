/** Versions as one text do what a list of them would do. */
import * as fc from '../../support/random.ts';
import { expect, it } from 'vitest';
import { versionsIn, withoutVersions, withVersions } from '../../../src/state/document/change-versions.ts';
import {
  countLines,
  isVersionLines,
  versionLines,
  versionReader,
} from '../../../src/state/document/version-lines.ts';

type Version = string | null;

const version = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.constantFrom('1', '"etag-2"', 'a b', '\\', '\n', '\\n', 'n\\', '\\\n\\', '\0') },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 6 }) },
);
const list = fc.array(version, { maxLength: 12 });
const positions = fc.uniqueArray(fc.nat(15), { maxLength: 8 });

/** Without the last ones that are none. */
const short = (versions: readonly Version[]): Version[] =>
  versions.slice(0, versions.findLastIndex((one) => one !== null) + 1);

it('are read as they were written, all of them or one by one', () => {
  fc.assert(
    fc.property(list, fc.array(fc.nat(15)), (versions, asked) => {
      const lines = versionLines(versions);
      expect(versionsIn(lines)).toEqual(short(versions));
      expect(isVersionLines(lines)).toBe(true);
      expect(countLines(lines)).toBe(short(versions).length);
      const at = versionReader(lines);
      expect(asked.map(at)).toEqual(asked.map((position) => versions[position] ?? null));
    }),
  );
});

it('are changed at any positions, also behind the last one', () => {
  fc.assert(
    fc.property(list, positions, list, (versions, changed, others) => {
      const model = Array.from({ length: 16 }, (_, at) => versions[at] ?? null);
      const changes = new Map(changed.map((position, at) => [position, others[at] ?? null]));
      for (const [position, one] of changes) model[position] = one;
      expect(versionsIn(withVersions(versionLines(versions), changes))).toEqual(short(model));
    }),
  );
});

it('go with their keys', () => {
  fc.assert(
    fc.property(list, positions, (versions, gone) => {
      const left = versions.filter((_, at) => !gone.includes(at));
      const ascending = gone.toSorted((a, b) => a - b);
      expect(versionsIn(withoutVersions(versionLines(versions), ascending))).toEqual(short(left));
    }),
  );
});

it('can be told from a text that is none', () => {
  for (const [text, isOne] of [
    ['', true],
    ['a\n\nb', true],
    [String.raw`\\ \n \\n \\\n \\\\`, true],
    ['\\', false],
    [String.raw`\t`, false],
    [String.raw`\\\ `, false],
    ['\\\n', false],
    [['a'], false],
    [null, false],
  ] as const)
    expect.soft([text, isVersionLines(text)]).toEqual([text, isOne]);
});
