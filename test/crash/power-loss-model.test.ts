/** The model of a disk itself: what it lets survive, against all subsets of what was not synced. */
import fs from 'node:fs';
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { Disk, type Operation } from '../support/power-loss/disk.ts';
import { type SurvivorOptions, survivors } from '../support/power-loss/survivors.ts';
import { TemporaryFolder } from '../support/json-rig.ts';

const ALL: SurvivorOptions = { every: Infinity, distance: 1, random: 0, contents: Infinity, chance: () => 0 };

/** What may be left: names with what is in the files, sorted. */
function left(operations: readonly Operation[], files: Readonly<Record<string, string>> = {}): string[] {
  using folder = new TemporaryFolder();
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(folder.file(name), text);
  const disk = Disk.of(folder.path);
  for (const operation of operations) disk.do(operation);
  return Array.from(survivors(disk, ALL), (survivor) =>
    [...survivor.files].map(([name, bytes]) => `${name}=${bytes?.toString('latin1') ?? '/'}`).join(' '),
  ).sort();
}

const open = (path: string, fd = 3, flags = 'wx'): Operation => ({ op: 'open', fd, path, flags });
const write = (text: string, fd = 3): Operation => ({
  op: 'write',
  fd,
  path: '',
  position: null,
  bytes: Buffer.from(text).toString('base64'),
});
const fsync = (fd = 3): Operation => ({ op: 'fsync', fd, path: '' });
const syncRoot: readonly Operation[] = [open('', 9, 'r'), fsync(9)];

describe('a loss of power', () => {
  it('takes the name of a file that was synced, as long as its folder was not', () => {
    expect(left([open('a'), write('x'), fsync()])).toEqual(['', 'a=x']);
    expect(left([open('a'), write('x'), fsync(), ...syncRoot])).toEqual(['a=x']);
  });

  it('tears a file that was not synced, although its name is safe', () => {
    expect(left([open('a'), ...syncRoot, write('xyz')])).toEqual(['a=', 'a=\0\0\0', 'a=x', 'a=xy', 'a=xyz']);
  });

  it('keeps a later write without an earlier one', () => {
    expect(left([open('a'), ...syncRoot, write('1'), write('2')])).toEqual(
      ['a=', 'a=1', 'a=12', 'a=\0\0', 'a=\x002'].sort(),
    );
  });

  it('leaves after a rename the old file or the new one, and never none', () => {
    const files = { old: '1', new: '2' };
    expect(left([{ op: 'rename', from: 'new', to: 'old' }], files)).toEqual(
      ['new=2 old=1', 'new=2 old=2', 'old=1', 'old=2'].sort(),
    );
  });

  it('takes a folder with all that is in it, however often that was synced', () => {
    const inside: Operation[] = [
      { op: 'mkdir', path: 'f' },
      open('f/a'),
      write('x'),
      fsync(),
      open('f', 5, 'r'),
      fsync(5),
    ];
    expect(left(inside)).toEqual(['', 'f=/ f/a=x']);
  });

  it('leaves two names of one file the same', () => {
    const linked: Operation[] = [open('a'), write('xx'), { op: 'link', from: 'a', to: 'b' }, ...syncRoot];
    expect(left(linked)).toEqual(['a= b=', 'a=\0\0 b=\0\0', 'a=x b=x', 'a=xx b=xx'].sort());
  });

  it('leaves every subset of the changed names, and nothing else', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const change = fc.oneof(
      fc.record({ op: fc.constant('link' as const), from: name, to: name }),
      fc.record({ op: fc.constant('rename' as const), from: name, to: name }),
      fc.record({ op: fc.constant('unlink' as const), path: name }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 7 }), (asked) => {
        // What the kernel would refuse is left out. A change is a list of names and what they then mean.
        const now = new Map([
          ['a', '1'],
          ['b', '2'],
        ]);
        const changes: [string, string | null][] = [];
        const done = asked.filter((one) => {
          const from = one.op === 'unlink' ? one.path : one.from;
          const file = now.get(from);
          if (file === undefined || (one.op === 'link' && now.has(one.to))) return false;
          // Two names of one file: the kernel does nothing.
          if (one.op === 'rename' && now.get(one.to) === file) return false;
          if (one.op !== 'unlink') {
            now.set(one.to, file);
            changes.push([one.to, file]);
          }
          if (one.op !== 'link') {
            now.delete(from);
            changes.push([from, null]);
          }
          return true;
        });
        const expected = new Set<string>();
        for (let subset = 0; subset < 2 ** changes.length; subset++) {
          const names = new Map([
            ['a', '1'],
            ['b', '2'],
          ]);
          changes.forEach(([of, file], at) => {
            if ((subset >> at) % 2 === 0) return;
            if (file === null) names.delete(of);
            else names.set(of, file);
          });
          expected.add(
            Array.from(names, ([of, file]) => `${of}=${file}`)
              .sort()
              .join(' '),
          );
        }
        expect(left(done, { a: '1', b: '2' })).toEqual([...expected].sort());
      }),
      { numRuns: 60 },
    );
  });
});
