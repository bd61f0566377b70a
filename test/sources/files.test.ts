/** `files`: which files become keys and when, on a real file system. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { files, type FileItem, type FilesOptions } from 'dynpart/sources';
import { Project } from '../support/project.ts';
import { SetModel } from '../support/set-model.mjs';

const OLD = new Date('2025-01-02T03:04:05.000Z');

/** A folder, and the set that its sensor fills. Without a time to settle: who writes here has finished. */
class Folder extends Project {
  readonly set = new SetModel();

  override write(content: Readonly<Record<string, string | Uint8Array>>, when = OLD): void {
    super.write(content);
    for (const name of Object.keys(content)) fs.utimesSync(this.path(name), when, when);
  }

  tick(pattern: string | string[], options: FilesOptions = {}): ReturnType<SetModel['tick']> {
    return this.set.tick(files(this.set, pattern, { cwd: this.folder, settle: '0s', ...options }));
  }
}

describe('a file', () => {
  test('is a key by its path, with its size and time, and another version when either changes', async () => {
    await using folder = new Folder();
    folder.write({ 'inbox/a.csv': 'one', 'inbox/deep/b.csv': 'three', 'inbox/c.txt': '', 'other/d.csv': '' });
    expect((await folder.tick('inbox/**/*.csv')).added).toEqual(['inbox/a.csv', 'inbox/deep/b.csv']);
    expect(folder.set.keys.get('inbox/a.csv')!.item).toEqual({
      path: 'inbox/a.csv',
      bytes: 3,
      modified: '2025-01-02T03:04:05.000Z',
    } satisfies FileItem);
    expect((await folder.tick('inbox/**/*.csv')).result).toEqual({ skipReason: 'all 2 files are known' });
    folder.write({ 'inbox/a.csv': 'four' });
    fs.utimesSync(folder.path('inbox/deep/b.csv'), OLD, new Date(OLD.getTime() + 1));
    expect((await folder.tick('inbox/**/*.csv')).updated.toSorted()).toEqual([
      'inbox/a.csv',
      'inbox/deep/b.csv',
    ]);
  });

  test('has the hash of its content for a version when that is asked for', async () => {
    await using folder = new Folder();
    folder.write({ a: 'one' });
    await folder.tick('*', { version: 'sha256' });
    expect(folder.set.keys.get('a')!.version).toMatch(/^7692c3ad3540bb803c020b3aee66cd88/);
    folder.write({ a: 'one' }, new Date(OLD.getTime() + 5000));
    expect((await folder.tick('*', { version: 'sha256' })).updated).toEqual([]);
    folder.write({ a: 'two' }, new Date(OLD.getTime() + 9000));
    expect((await folder.tick('*', { version: 'sha256' })).updated).toEqual(['a']);
  });

  test('comes oldest first, with its prefix, and not all at once', async () => {
    await using folder = new Folder();
    for (const [at, name] of ['c', 'a', 'b'].entries())
      folder.write({ [name]: '' }, new Date(OLD.getTime() + at));
    const options = { prefix: 'in:', backlog: { first: 'oldest', perTick: 2 } } as const;
    expect((await folder.tick('*', options)).added).toEqual(['in:c', 'in:a']);
    expect((await folder.tick('*', options)).added).toEqual(['in:b']);
  });

  test('is left out while its name says that it is not whole, or is hidden or ignored', async () => {
    await using folder = new Folder();
    const names = [
      'a.csv',
      'b.csv.part',
      'c.tmp',
      '.d.csv',
      '.git/e.csv',
      'f.csv~',
      'g.crdownload',
      'node_modules/h.csv',
      'old/i.csv',
    ];
    folder.write(Object.fromEntries(names.map((name) => [name, 'x'])));
    expect((await folder.tick('**/*', { ignore: 'old/**' })).added).toEqual(['a.csv']);
    expect((await folder.tick('*.tmp')).added).toEqual(['c.tmp']);
  });

  test('has any name: letters taken apart and put together, line ends, what patterns are made of', async () => {
    await using folder = new Folder();
    folder.write({
      'é.csv': '1',
      'e\u0301.csv': '2',
      'a\nb.csv': '3',
      '[x] {y} *.csv': '4',
      '__proto__.csv': '5',
    });
    expect((await folder.tick('*.csv')).added.toSorted()).toEqual([
      '[x] {y} *.csv',
      '__proto__.csv',
      'e\u0301.csv',
      expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      'é.csv',
    ]);
    expect((await folder.tick('é.csv')).result.skipReason).toBe('all 2 files are known');
  });

  test('is followed through a link only as long as it stays within the folder', async () => {
    await using outside = new Project({ secret: 'x' });
    await using folder = new Folder();
    folder.write({ 'in/a': 'x' });
    fs.symlinkSync('a', folder.path('in/link'));
    fs.symlinkSync(outside.path('secret'), folder.path('in/out'));
    fs.symlinkSync('nowhere', folder.path('in/broken'));
    fs.symlinkSync('..', folder.path('in/circle'));
    expect((await folder.tick('**')).added.toSorted()).toEqual(['in/a', 'in/link']);
  });
});

describe('a file that is being written', () => {
  test('is no key before it was quiet for as long as it has to settle', async () => {
    await using folder = new Folder();
    folder.write({ old: 'x' });
    // What is copied with its old time is new all the same: the system knows when it came.
    expect((await folder.tick('*', { settle: '1h' })).result).toEqual({
      skipReason: '1 of 1 files are still being written, the others are known',
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await folder.tick('*', { settle: '200ms' })).added).toEqual(['old']);
  });

  test('is no key when two looks within the tick do not agree', async () => {
    await using folder = new Folder();
    folder.write({ growing: 'x', still: 'x' });
    const writing = setInterval(() => fs.appendFileSync(folder.path('growing'), 'x'), 20);
    expect((await folder.tick('*')).added).toEqual(['still']);
    expect((await folder.tick('*', { version: 'sha256' })).added).toEqual([]);
    clearInterval(writing);
    expect((await folder.tick('*')).added).toEqual(['growing']);
  });

  test('is found although its time lies ahead of the clock', async () => {
    await using folder = new Folder();
    folder.write({ ahead: 'x' }, new Date(Date.now() + 3_600_000));
    expect((await folder.tick('*', { settle: '300ms' })).added).toEqual(['ahead']);
  });

  test('and vanishes is nothing', async () => {
    await using folder = new Folder();
    folder.write({ a: 'x', b: 'x' });
    setTimeout(() => fs.rmSync(folder.path('a')), 50);
    const { added, result } = await folder.tick('*');
    expect([added, result.failures]).toEqual([['b'], undefined]);
  });
});

describe('what cannot be looked at is named', () => {
  test('a name that is no UTF-8, and the others are kept', async () => {
    await using folder = new Folder();
    folder.write({ 'a.csv': 'x' });
    fs.writeFileSync(Buffer.from(`${folder.folder}/b\xff.csv`, 'latin1'), 'x');
    const { added, result } = await folder.tick('*.csv');
    expect(added).toEqual(['a.csv']);
    expect(result.failures).toEqual([{ name: 'b\ufffd.csv', error: 'its name is no UTF-8' }]);
  });

  test.skipIf(process.geteuid?.() === 0)('a file without permission (not as root)', async () => {
    await using folder = new Folder();
    folder.write({ 'a.csv': 'x', 'b.csv': 'x', 'c/d.csv': 'x' });
    fs.chmodSync(folder.path('b.csv'), 0);
    fs.chmodSync(folder.path('c'), 0);
    const { added, result } = await folder.tick('**/*.csv');
    fs.chmodSync(folder.path('c'), 0o700);
    expect(added).toEqual(['a.csv']);
    expect(result.failures).toEqual([
      { name: 'c/', error: 'no permission (EACCES)' },
      { name: 'b.csv', error: 'no permission (EACCES)' },
    ]);
  });

  test('a folder that is gone, and nothing changes', async () => {
    await using folder = new Folder();
    await expect(folder.tick('inbox/*')).rejects.toThrow(
      `cannot look for files in ${path.join(folder.folder, 'inbox')}: there is no such file or folder (ENOENT)`,
    );
    await expect(folder.tick('*', { cwd: '/no/such/folder' })).rejects.toThrow(
      'cannot look for files in /no/such/folder: there is no such file or folder (ENOENT)',
    );
  });
});

test('a pattern finds what it says, and no folder is looked into in vain', async () => {
  await using folder = new Folder();
  folder.write({ 'a.csv': '', 'x/b.csv': '', 'x/y/c.csv': '', 'x/y/d.txt': '', 'z/e.csv': '' });
  const found = async (pattern: string | string[]): Promise<string[]> => {
    folder.set.keys.clear();
    return (await folder.tick(pattern)).added.toSorted();
  };
  expect(await found('*.csv')).toEqual(['a.csv']);
  expect(await found('./a.csv')).toEqual(['a.csv']);
  expect(await found('x/*.csv')).toEqual(['x/b.csv']);
  expect(await found('*/*.csv')).toEqual(['x/b.csv', 'z/e.csv']);
  expect(await found('{x,z}/*.csv')).toEqual(['x/b.csv', 'z/e.csv']);
  expect(await found('x/**')).toEqual(['x/b.csv', 'x/y/c.csv', 'x/y/d.txt']);
  expect(await found(['x/**/*.csv', 'x/*.csv', '*.csv'])).toEqual(['a.csv', 'x/b.csv', 'x/y/c.csv']);
  expect(await found('x/y/c.csv')).toEqual(['x/y/c.csv']);
});

test('options that cannot be meant are refused where they stand', () => {
  const set = new SetModel();
  expect(() => files(set, '../*.csv')).toThrow(/leads out of its folder: name that folder as cwd$/);
  expect(() => files(set, '/var/*.csv')).toThrow(/leads out of its folder/);
  expect(() => files(set, '')).toThrow("files() needs a pattern such as 'inbox/*.csv'");
  expect(() => files(set, '*', { settle: '5 minutes' })).toThrow(
    /^settle of files\(\) must be a duration such as '5s'/,
  );
  expect(() => files(set, '*', { cwd: 'inbox' })).toThrow(/^cwd of files\(\) must be a whole path/);
  expect(() => files(set, '*', { version: 'md5' as 'sha256' })).toThrow(/^version of files\(\) must be/);
});
