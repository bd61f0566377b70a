/** The state file and its generations: what is kept, what is tidied, and what is done when they disagree. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describe as described } from '../../../src/model/describe-failure.ts';
import { type Failure, FailureError } from '../../../src/model/failure.ts';
import { processTag } from '../../../src/files/process-owner.ts';
import { keepPresent } from '../../../src/state/json/restore-state.ts';
import { Conflict, StateFile } from '../../../src/state/json/state-file.ts';
import { emptyDocument, type StateDocument } from '../../../src/state/document/state-document.ts';
import { AT } from '../../support/builders.ts';
import { TemporaryFolder } from '../../support/json-rig.ts';

describe('the state file', () => {
  let folder: TemporaryFolder;
  let warnings: string[];
  let file: StateFile;

  beforeEach(() => {
    folder = new TemporaryFolder();
    warnings = [];
    file = open();
  });

  afterEach(() => {
    vi.restoreAllMocks();
    folder[Symbol.dispose]();
  });

  const open = (): StateFile =>
    new StateFile(folder.file('.dynpart', 'state.json'), (message) => warnings.push(message));
  const generation = (serial: number): string =>
    folder.file('.dynpart', `.state.json.${String(serial).padStart(12, '0')}`);
  const generations = (): number[] =>
    fs
      .readdirSync(folder.file('.dynpart'))
      .flatMap((name) => (/^\.state\.json\.\d{12}$/.test(name) ? [Number(name.slice(-12))] : []))
      .sort((a, b) => a - b);
  const numbered = (serial: number, keys: readonly string[] = []): StateDocument => ({
    ...emptyDocument(),
    lineage: 'l',
    serial,
    sets: { letters: { keys, added: keys.length === 0 ? [] : [[keys.length, AT]], keptOut: [] } },
  });
  const write = async (from: number, to: number, keys: readonly string[] = []): Promise<void> => {
    for (let serial = from; serial <= to; serial++) await file.write(numbered(serial, keys));
  };
  const big = Array.from({ length: 5000 }, (_, at) => `a key of some length ${at}`);

  it('is an empty state where there is neither a file nor a generation', async () => {
    expect(await file.read()).toEqual(emptyDocument());
    expect(folder.content()).toEqual({});
  });

  it('holds what was written last, also for others', async () => {
    await write(1, 3, ['a']);
    expect((await open().read()).serial).toBe(3);
    expect(JSON.parse(fs.readFileSync(file.path, 'utf8'))).toEqual(numbered(3, ['a']));
    expect(warnings).toEqual([]);
  });

  it('is as seen until somebody else writes', async () => {
    expect(file.isAsSeen()).toBe(false);
    await write(1, 1);
    expect(file.isAsSeen()).toBe(true);
    await open().write(numbered(2));
    expect(file.isAsSeen()).toBe(false);
    await file.read();
    expect(file.isAsSeen()).toBe(true);
    file.forget();
    expect(file.isAsSeen()).toBe(false);
  });

  it('takes one of two writers of the same generation, the first time and later', async () => {
    const other = open();
    await other.write(numbered(1, ['theirs']));
    await expect(file.write(numbered(1, ['mine']))).rejects.toThrow(Conflict);
    await other.write(numbered(2, ['theirs']));
    await expect(file.write(numbered(2, ['mine']))).rejects.toThrow(Conflict);
    expect((await file.read()).sets['letters']!.keys).toEqual(['theirs']);
    expect(fs.readdirSync(file.folder).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  it('refuses a writer that slept until its number was free again', async () => {
    await write(1, 20);
    expect(generations()).not.toContain(4);
    await expect(open().write(numbered(4, ['late']))).rejects.toThrow(Conflict);
    expect((await open().read()).serial).toBe(20);
    expect(generations()).not.toContain(4);
  });

  it('keeps a window of generations that does not grow', async () => {
    await write(1, 60);
    expect(generations()).toEqual(Array.from({ length: 16 }, (_, at) => 45 + at));
    expect(fs.readdirSync(file.folder)).toHaveLength(17);
  });

  it('keeps the content of the last two generations and empties older ones that are big', async () => {
    await write(1, 5, big);
    expect(generations().map((serial) => fs.statSync(generation(serial)).size > 0)).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
    expect(JSON.parse(fs.readFileSync(file.path, 'utf8'))).toEqual(numbered(5, big));
    expect(JSON.parse(fs.readFileSync(generation(4), 'utf8'))).toEqual(numbered(4, big));
  });

  it('never empties a generation in place: a copy by hard link stays whole', async () => {
    await write(1, 1, big);
    fs.linkSync(file.path, folder.file('copy.json'));
    await write(2, 4, big);
    expect(JSON.parse(fs.readFileSync(folder.file('copy.json'), 'utf8'))).toEqual(numbered(1, big));
  });

  it('passes over a state.json that is older than the newest generation, and says how to put it right', async () => {
    await write(1, 2, ['a']);
    const older = fs.readFileSync(file.path);
    await write(3, 3, ['a', 'b']);
    fs.rmSync(file.path);
    fs.writeFileSync(file.path, older);
    const reading = open();
    expect(await reading.read()).toEqual(numbered(3, ['a', 'b']));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('state restore');
    expect(warnings[0]).toContain(file.path);
    await reading.write(numbered(4, ['a', 'b', 'c']));
    expect(JSON.parse(fs.readFileSync(file.path, 'utf8'))).toEqual(numbered(4, ['a', 'b', 'c']));
  });

  it('lets a writer finish that has published and not renamed yet', async () => {
    await write(1, 1, ['a']);
    fs.writeFileSync(generation(2), JSON.stringify(numbered(2, ['a', 'b'])));
    const reading = open().read();
    fs.writeFileSync(file.path, JSON.stringify(numbered(2, ['a', 'b'])));
    expect(await reading).toEqual(numbered(2, ['a', 'b']));
    expect(warnings).toEqual([]);
  });

  it('fails when the file is gone and its generations are not, and touches nothing', async () => {
    await write(1, 2, ['a']);
    fs.rmSync(file.path);
    const before = folder.content();
    await expect(open().read()).rejects.toMatchObject({
      failure: { reason: 'state-missing', file: file.path },
    });
    expect(folder.content()).toEqual(before);
  });

  it('is not begun anew by who knew it, when it is gone with its folder', async () => {
    await write(1, 2, ['a']);
    const reader = open();
    await reader.read();
    fs.renameSync(folder.file('.dynpart'), folder.file('moved'));
    // As a disk that is taken away leaves it.
    for (const isThere of [false, true]) {
      if (isThere) fs.mkdirSync(folder.file('.dynpart'));
      const before = folder.content();
      const gone = { failure: { reason: 'state-missing', file: file.path, isGone: true } };
      await expect(reader.read()).rejects.toMatchObject(gone);
      await expect(file.write(numbered(3, ['a']))).rejects.toBeInstanceOf(Conflict);
      await expect(file.read()).rejects.toMatchObject(gone);
      expect(folder.content()).toEqual(before);
    }
    expect(await open().read()).toEqual(emptyDocument());
    fs.rmdirSync(folder.file('.dynpart'));
    fs.renameSync(folder.file('moved'), folder.file('.dynpart'));
    expect((await reader.read()).serial).toBe(2);
    await file.write(numbered(3, ['a', 'b']));
    expect((await reader.read()).serial).toBe(3);
  });

  it('fails when the file is damaged, though its generations are whole, and touches nothing', async () => {
    await write(1, 2, ['a']);
    for (const damage of ['', '{"schema":1', '[]']) {
      // Not in place: the newest generation is the same file.
      fs.rmSync(file.path);
      fs.writeFileSync(file.path, damage);
      const before = folder.content();
      await expect(open().read()).rejects.toBeInstanceOf(FailureError);
      expect(folder.content()).toEqual(before);
    }
    expect(open().newestGeneration()).toEqual(numbered(2, ['a']));
  });

  it('knows the newest generation that is intact as the way back', async () => {
    await write(1, 3, ['a']);
    fs.writeFileSync(generation(3), '{"schema":');
    expect(open().newestGeneration()).toEqual(numbered(2, ['a']));
    fs.rmSync(generation(2));
    fs.writeFileSync(generation(2), '');
    expect(open().newestGeneration()).toEqual(numbered(1, ['a']));
    // One that was renamed by hand is not what its name says.
    fs.rmSync(generation(3));
    fs.writeFileSync(generation(3), JSON.stringify(numbered(9)));
    expect(open().newestGeneration()?.serial).toBe(1);
  });

  it('sweeps what killed writers left, and nothing of living ones', async () => {
    await write(1, 1);
    const place = processTag().split('-')[2]!;
    const dead = path.join(file.folder, `.state.json.tmp.4194999-1-${place}.1`);
    const elsewhere = path.join(file.folder, '.state.json.tmp.1-1-elsewhere.1');
    const longAgo = path.join(file.folder, '.state.json.tmp.1-1-elsewhere.2');
    const own = path.join(file.folder, `.state.json.tmp.${processTag()}.999`);
    const users = path.join(file.folder, 'notes.txt');
    for (const left of [dead, elsewhere, longAgo, own, users]) fs.writeFileSync(left, 'x');
    fs.utimesSync(longAgo, new Date(0), new Date(0));
    await write(2, 2);
    expect([dead, elsewhere, longAgo, own, users].map((left) => fs.existsSync(left))).toEqual([
      false,
      true,
      false,
      true,
      true,
    ]);
  });

  it('keeps a commit whose last rename failed, and says so', async () => {
    await write(1, 1, ['a']);
    const rename = vi.spyOn(fs, 'renameSync').mockImplementation(() => {
      throw Object.assign(new Error('no'), { code: 'EACCES' });
    });
    await file.write(numbered(2, ['a', 'b']));
    rename.mockRestore();
    expect(warnings.join()).toContain('generation 2');
    expect(await open().read()).toEqual(numbered(2, ['a', 'b']));
  });

  /** A third commit whose writer is gone before the rename. */
  const cut = async (): Promise<void> => {
    await write(1, 2, ['a']);
    const rename = vi.spyOn(fs, 'renameSync').mockImplementation(() => {
      throw Object.assign(new Error('no'), { code: 'EACCES' });
    });
    await file.write(numbered(3, ['a', 'b']));
    rename.mockRestore();
    warnings = [];
  };
  const serialInFile = (): unknown =>
    (JSON.parse(fs.readFileSync(file.path, 'utf8')) as StateDocument).serial;

  it('ends a commit that was cut before its last step, without a word, as soon as somebody may write', async () => {
    await cut();
    const next = open();
    expect(await next.read()).toEqual(numbered(3, ['a', 'b']));
    expect(serialInFile()).toBe(2);
    await next.settle();
    expect(serialInFile()).toBe(3);
    expect(fs.statSync(file.path).ino).toBe(fs.statSync(generation(3)).ino);
    expect(await next.read()).toEqual(numbered(3, ['a', 'b']));
    expect(await open().read()).toEqual(numbered(3, ['a', 'b']));
    expect(warnings).toEqual([]);
    await next.write(numbered(4, ['c']));
    expect(serialInFile()).toBe(4);
  });

  it('leaves the file to who has committed since, or has put something else there', async () => {
    await cut();
    const late = open();
    await late.read();
    await file.write(numbered(4, ['c']));
    await late.settle();
    expect(serialInFile()).toBe(4);
    expect((await late.read()).serial).toBe(4);
    await write(5, 5);
    fs.rmSync(folder.file('.dynpart'), { recursive: true });
    file = open();
    await cut();
    const second = open();
    await second.read();
    const copy = folder.file('copy');
    fs.writeFileSync(copy, JSON.stringify(numbered(2, ['by hand'])));
    fs.renameSync(copy, file.path);
    await second.settle();
    expect(fs.readFileSync(file.path, 'utf8')).toContain('by hand');
  });

  it.each<[what: string, edit: (text: string) => void]>([
    [
      'another file',
      (text) => {
        fs.writeFileSync(`${file.path}.new`, text);
        fs.renameSync(`${file.path}.new`, file.path);
      },
    ],
    [
      'an edit in place',
      (text) => {
        fs.writeFileSync(file.path, text);
        const later = new Date(Date.now() + 5000);
        fs.utimesSync(file.path, later, later);
      },
    ],
    [
      'a copy of an older commit',
      () => {
        fs.copyFileSync(generation(1), `${file.path}.new`);
        fs.renameSync(`${file.path}.new`, file.path);
      },
    ],
  ])('names %s behind a commit that was cut, and writes nothing over it', async (_what, edit) => {
    await cut();
    edit(fs.readFileSync(file.path, 'utf8'));
    const bytes = fs.readFileSync(file.path, 'utf8');
    const next = open();
    expect((await next.read()).serial).toBe(3);
    expect(warnings.join()).toContain('its newest generation 3');
    await next.settle();
    expect(fs.readFileSync(file.path, 'utf8')).toBe(bytes);
  });

  it('a cut commit that the disk does not let be ended is read all the same', async () => {
    await cut();
    const next = open();
    await next.read();
    vi.spyOn(fs, 'renameSync').mockImplementation(() => {
      throw Object.assign(new Error('no'), { code: 'EROFS' });
    });
    await next.settle();
    vi.restoreAllMocks();
    expect(fs.readdirSync(folder.file('.dynpart')).filter((name) => name.includes('tmp'))).toEqual([]);
    expect((await open().read()).serial).toBe(3);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['writeSync', 'ENOSPC'],
    ['fsyncSync', 'EIO'],
    ['linkSync', 'EPERM'],
    ['openSync', 'EMFILE'],
  ] as const)('leaves everything as it was when %s fails with %s', async (step, code) => {
    await write(1, 2, ['a']);
    const before = folder.content();
    vi.spyOn(fs, step).mockImplementation(() => {
      throw Object.assign(new Error(code), { code });
    });
    await expect(file.write(numbered(3, ['a', 'b']))).rejects.toMatchObject({
      failure: { reason: 'state-io', file: file.path },
    });
    vi.restoreAllMocks();
    expect(folder.content()).toEqual(before);
    expect((await open().read()).serial).toBe(2);
  });

  it('writes on when one write takes only a part', async () => {
    const writeSync = fs.writeSync.bind(fs);
    vi.spyOn(fs, 'writeSync').mockImplementation(((
      fd: number,
      bytes: Uint8Array,
      offset: number,
      length: number,
    ) => writeSync(fd, bytes, offset, Math.min(length, 7))) as typeof fs.writeSync);
    await write(1, 2, ['a']);
    expect(JSON.parse(fs.readFileSync(file.path, 'utf8'))).toEqual(numbered(2, ['a']));
  });

  it('says in words that a folder stands where the file should', async () => {
    fs.mkdirSync(file.path, { recursive: true });
    await expect(file.read()).rejects.toMatchObject({
      failure: { reason: 'state-io', cause: 'it is a folder (EISDIR)' },
    });
  });
});

describe.skipIf(process.platform === 'win32')('a state file that is not only a file', () => {
  let folder: TemporaryFolder;
  let state: string;

  beforeEach(() => {
    folder = new TemporaryFolder();
    fs.mkdirSync(folder.file('shared'));
    fs.mkdirSync(folder.file('app'));
    state = folder.file('shared', 'state.json');
  });

  afterEach(() => {
    vi.restoreAllMocks();
    folder[Symbol.dispose]();
  });

  const open = (file: string): StateFile => new StateFile(file, () => undefined);
  const document = (serial: number, keys: readonly string[] = []): StateDocument => ({
    ...emptyDocument(),
    lineage: 'l',
    serial,
    sets: { letters: { keys, added: keys.length === 0 ? [] : [[keys.length, AT]], keptOut: [] } },
  });
  const modeOf = (file: string): number => fs.statSync(file).mode & 0o777;

  it('is resolved where it is a link: the link stays, and everything stands beside its target', async () => {
    await open(state).write(document(1));
    const link = folder.file('app', 'state.json');
    fs.symlinkSync('../shared/state.json', link);
    const through = open(link);
    expect(through.path).toBe(state);
    await through.read();
    await through.write(document(2, ['a']));
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
    expect((await open(state).read()).serial).toBe(2);
    expect(fs.readdirSync(folder.file('app'))).toEqual(['state.json']);
  });

  it.each([1, 2])(
    'stands as commit %i also where the disk refuses to sync its name, and says so',
    async (serial) => {
      if (serial === 2) await open(state).write(document(1));
      const said: Failure[] = [];
      const file = new StateFile(
        state,
        () => undefined,
        (failure) => said.push(failure),
      );
      await file.read();
      const real = fs.fsyncSync.bind(fs);
      const isFolder = (fd: number): boolean => fs.fstatSync(fd).isDirectory();
      const inPlace = (): boolean =>
        fs.existsSync(path.join(path.dirname(state), `.state.json.${String(serial).padStart(12, '0')}`)) ||
        (serial === 1 && fs.existsSync(state));
      vi.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
        if (isFolder(fd) && inPlace()) throw Object.assign(new Error('EIO'), { code: 'EIO' });
        real(fd);
      });
      await file.write(document(serial, ['a']));
      vi.restoreAllMocks();
      expect(said).toEqual([
        { reason: 'commit-unsynced', file: state, serial, cause: expect.stringContaining('EIO') },
      ]);
      expect((await open(state).read()).serial).toBe(serial);
      // And the next one goes on from it.
      await open(state).write(document(serial + 1, ['a', 'b']));
      expect((await open(state).read()).serial).toBe(serial + 1);
    },
  );

  it.each([
    [1, 'stands'],
    [100, 'cannot be told from one that was not made'],
  ])('whose commit is linked while the folder is refused %i times %s', async (times, what) => {
    await open(state).write(document(1));
    const file = open(state);
    await file.read();
    const generation = path.join(path.dirname(state), '.state.json.000000000002');
    const real = fs.readdirSync.bind(fs) as (...args: unknown[]) => unknown;
    let refused = 0;
    vi.spyOn(fs, 'readdirSync').mockImplementation((...args: unknown[]) => {
      if (fs.existsSync(generation) && refused++ < times)
        throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
      return real(...args) as never;
    });
    const written = await file.write(document(2, ['a'])).then(
      () => 'stands',
      (error: unknown) => (error as FailureError).failure,
    );
    vi.restoreAllMocks();
    expect(written).toEqual(
      what === 'stands'
        ? what
        : {
            reason: 'commit-unsure',
            file: state,
            serial: 2,
            cause: expect.stringContaining('EACCES'),
          },
    );
  });

  it('is refused before the commit where it is a mount of its own', async () => {
    await open(state).write(document(1));
    const readFileSync = fs.readFileSync.bind(fs);
    const mount = `36 35 0:49 /data/state.json ${state} rw,relatime - ext4 /dev/sda1 rw\n`;
    vi.spyOn(fs, 'readFileSync').mockImplementation(((file: string, options: unknown) =>
      file === '/proc/self/mountinfo'
        ? mount
        : readFileSync(file, options as BufferEncoding)) as typeof fs.readFileSync);
    const before = folder.content();
    await expect(open(state).write(document(2))).rejects.toMatchObject({
      failure: { reason: 'state-mounted', file: state },
    });
    expect(folder.content()).toEqual(before);
  });

  it.each([0o600, 0o660, 0o640, 0o644])('keeps the permissions that somebody gave it (%o)', async (mode) => {
    const umask = process.umask(0o077);
    try {
      await open(state).write(document(1));
      fs.chmodSync(state, mode);
      process.umask(mode === 0o660 ? 0o077 : 0o022);
      const file = open(state);
      await file.write(document(2, ['a']));
      keepPresent(file, { as: 'before-restore-now', generation: false });
      expect(modeOf(state)).toBe(mode);
      expect(modeOf(`${state}.before-restore-now`)).toBe(mode);
    } finally {
      process.umask(umask);
    }
  });

  it.runIf(process.platform === 'linux').each(['/dev/null', '/dev/full'])(
    'is refused where it is no file (%s), and not read without end',
    async (device) => {
      await expect(open(device).read()).rejects.toMatchObject({
        failure: { reason: 'state-io', file: device, cause: 'it is a pipe or a device, not a file' },
      });
    },
  );

  it('is damaged where it holds bytes that are not UTF-8, and holds no other keys', async () => {
    await open(state).write(document(1, ['caf_']));
    const text = fs.readFileSync(state, 'latin1');
    fs.writeFileSync(state, Buffer.from(text.replace('caf_', 'caf\xe9'), 'latin1'));
    await expect(open(state).read()).rejects.toMatchObject({
      failure: { reason: 'state-not-json', cause: 'it holds bytes that are not UTF-8' },
    });
    expect(open(state).newestGeneration()).toBeNull();
  });

  it('holds the sign for what could not be read as any other', async () => {
    await open(state).write(document(1, ['a\ufffdb']));
    expect((await open(state).read()).sets['letters']!.keys).toEqual(['a\ufffdb']);
  });

  it('is damaged where a key is half of a surrogate pair', async () => {
    await open(state).write(document(1, ['caf_']));
    fs.writeFileSync(state, fs.readFileSync(state, 'utf8').replace('caf_', 'caf\\ud83c'));
    await expect(open(state).read()).rejects.toMatchObject({
      failure: { reason: 'state-misshapen', place: 'sets.letters.keys.0' },
    });
    fs.writeFileSync(
      state,
      fs.readFileSync(state, 'utf8').replace('caf\\ud83c', '\\ud83c\\udf89 C:\\\\udder'),
    );
    expect((await open(state).read()).sets['letters']!.keys).toEqual(['🎉 C:\\udder']);
  });

  it('is never larger than what can be read again', async () => {
    await open(state).write(document(1));
    const before = folder.content();
    const refused = { failure: { reason: 'state-too-large', file: state } };
    vi.spyOn(JSON, 'stringify').mockImplementation(() => {
      throw new RangeError('Invalid string length');
    });
    await expect(open(state).write(document(2))).rejects.toMatchObject(refused);
    vi.restoreAllMocks();
    vi.spyOn(Buffer, 'from').mockReturnValue({ length: 2 ** 29 } as never);
    await expect(open(state).write(document(2))).rejects.toMatchObject(refused);
    vi.restoreAllMocks();
    expect(folder.content()).toEqual(before);
  });

  it.each(['EPERM', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])(
    'on a file system without hard links (%s) says that it has none',
    async (code) => {
      vi.spyOn(fs, 'linkSync').mockImplementation(() => {
        throw Object.assign(new Error(`${code}: words, link 'a' -> 'b'`), { code, syscall: 'link' });
      });
      await expect(open(state).write(document(1))).rejects.toMatchObject({
        failure: { reason: 'state-io', cause: `the file system has no hard links (${code})` },
      });
      const refused: unknown = await open(state)
        .write(document(1))
        .catch((error: unknown) => error);
      expect(described((refused as FailureError).failure).hint).toMatch(
        /a state needs a file system with hard links: name a file on another one/,
      );
    },
  );
});
