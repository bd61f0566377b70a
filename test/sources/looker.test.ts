/** A folder that does not answer: what is passed over and named, and that nobody waits for it twice. On a real mount that hangs. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stillHanging } from '../../src/sources/files/hanging.ts';
import { Looker } from '../../src/sources/files/looker.ts';
import type { FoundFile } from '../../src/sources/files/questions.ts';
import { canMount, HangingMount } from '../support/hanging-mount.ts';
import { Project } from '../support/project.ts';

const signal = AbortSignal.timeout(60_000);
const SILENT = 'it does not answer: is it on a file server that is gone?';

let project: Project;
let cwd: string;
const cache = process.env['XDG_CACHE_HOME'];

beforeEach(() => {
  project = new Project();
  cwd = project.path('mount');
  process.env['XDG_CACHE_HOME'] = project.path('cache');
});

afterEach(async () => {
  if (cache === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = cache;
  await project[Symbol.asyncDispose]();
});

interface Looked {
  readonly files: readonly string[];
  readonly whole: readonly (string | null)[];
  readonly unseen: Looker['unseen'];
  readonly ms: number;
}

/** @param patienceMs so long is waited for what hangs: what does not has to answer within it, also on a busy machine */
async function look(hashes: boolean, patienceMs = 3000): Promise<Looked> {
  const began = performance.now();
  const looker = new Looker({ cwd, signal, patienceMs });
  try {
    const walked = await looker.ask({ ask: 'walk', patterns: ['**/*.csv'], ignore: [] });
    const files = walked.flatMap((told): FoundFile[] => (told[0] === 'file' ? [told[1]] : []));
    const again = await looker.ask({ ask: 'again', files, hashes });
    const whole = again.flatMap((told) => (told[0] === 'whole' ? [files[told[1]]!.path] : []));
    return {
      files: files.map((file) => file.path).toSorted(),
      whole: whole.toSorted(),
      unseen: looker.unseen,
      ms: performance.now() - began,
    };
  } finally {
    looker.close();
  }
}

describe.skipIf(!canMount)('on a mount that hangs (FUSE, as root)', () => {
  test('and on one that does not, all is found', async () => {
    await using _ = await HangingMount.on(cwd);
    const all = ['a.csv', 'link.csv', 'sub/b.csv', 'sub/c.csv'];
    expect(await look(true, 50_000)).toMatchObject({ files: all, whole: all, unseen: [] });
  });

  test.each([
    { hangs: 'opendir:sub', files: ['a.csv', 'link.csv'], whole: ['a.csv', 'link.csv'], named: 'sub/' },
    { hangs: 'lookup:b.csv', files: ['a.csv', 'link.csv'], whole: ['a.csv', 'link.csv'], named: 'sub/' },
    {
      hangs: 'readlink:link.csv',
      files: ['a.csv', 'sub/b.csv', 'sub/c.csv'],
      whole: ['a.csv', 'sub/b.csv', 'sub/c.csv'],
      named: 'link.csv',
    },
    {
      hangs: 'read:b.csv',
      files: ['a.csv', 'link.csv', 'sub/b.csv', 'sub/c.csv'],
      whole: ['a.csv', 'link.csv', 'sub/c.csv'],
      named: 'sub/b.csv',
    },
  ])(
    '$hangs is named, the others are found, and the next tick does not wait',
    async ({ hangs, files, whole, named }) => {
      await using _ = await HangingMount.on(cwd, hangs);
      const unseen = [{ name: named, error: SILENT }];
      const first = await look(true);
      expect(first).toMatchObject({ files, whole, unseen });
      expect(first.ms).toBeGreaterThan(3000);
      // A patience that nobody has: it is known already.
      const next = await look(true, 50_000);
      expect(next).toMatchObject({ whole, unseen });
      expect(next.ms).toBeLessThan(40_000);
    },
  );

  test('that hangs as a whole is a failure, until it is back', async () => {
    {
      await using _ = await HangingMount.on(cwd, 'getattr:');
      const why = `cannot look for files in ${cwd}: ${cwd} does not answer: is it on a file server that is gone?`;
      await expect(look(false)).rejects.toThrow(why);
      expect(stillHanging(cwd)).toEqual([{ place: '', kind: 'base' }]);
      await expect(look(false, 50_000)).rejects.toThrow(why);
    }
    await using _ = await HangingMount.on(cwd);
    await expect.poll(() => stillHanging(cwd), { timeout: 60_000 }).toEqual([]);
    expect((await look(false, 50_000)).whole).toHaveLength(4);
  });

  test('is left at once when nobody wants to know any more, and what was left behind is known', async () => {
    await using mount = await HangingMount.on(cwd, 'getattr:');
    const controller = new AbortController();
    const looker = new Looker({ cwd, signal: controller.signal });
    void mount.hangs().then(() => controller.abort(new Error('enough')));
    await expect(looker.ask({ ask: 'walk', patterns: ['*'], ignore: [] })).rejects.toThrow('enough');
    expect(stillHanging(cwd)).toEqual([{ place: '', kind: 'base' }]);
  });
});

test('a process that ends by itself is told, with what it said', async () => {
  const looker = new Looker({ cwd: project.folder, signal });
  const asked = looker.ask({ ask: 'again', files: null as never, hashes: false });
  await expect(asked).rejects.toThrow(/^the process that looks at the files of .* ended \(1\) .*TypeError/s);
  looker.close();
});

test('nothing is written into the cache of a folder that answers', async () => {
  fs.mkdirSync(cwd);
  await look(false);
  expect(fs.existsSync(project.path('cache'))).toBe(false);
});

test('a process that cannot be started is told, too', async () => {
  const { execPath } = process;
  process.execPath = '/no/such/node';
  try {
    const looker = new Looker({ cwd: project.folder, signal });
    await expect(looker.ask({ ask: 'walk', patterns: ['*'], ignore: [] })).rejects.toThrow(
      `the process that looks at the files of ${project.folder} cannot be started: there is no such file or folder (ENOENT)`,
    );
    looker.close();
  } finally {
    process.execPath = execPath;
  }
});
