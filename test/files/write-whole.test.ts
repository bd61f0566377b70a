/** A file that a user asked for: whole, and never in the place of what the command did not make. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeWhole } from '../../src/files/write-whole.ts';
import { FailureError } from '../../src/model/failure.ts';

let folder: string;

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-whole-')));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const at = (...parts: string[]): string => path.join(folder, ...parts);
const write = (name: string, content = 'ours: new'): string =>
  writeWhole(at(name), { content, isOwn: (head) => head.startsWith('ours') });

function refusal(name: string): unknown {
  try {
    write(name);
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  throw new Error('it was written');
}

describe('a file that a user asked for', () => {
  it('is made, and answers with the path behind all links', () => {
    expect(write('a.txt')).toBe(at('a.txt'));
    expect(fs.readFileSync(at('a.txt'), 'utf8')).toBe('ours: new');
    expect(fs.readdirSync(folder)).toEqual(['a.txt']);
  });

  it('takes the place of an older one of its own and of an empty one, and keeps their permissions', () => {
    for (const [name, content] of [
      ['own', 'ours: old'],
      ['empty', ''],
    ] as const) {
      fs.writeFileSync(at(name), content);
      fs.chmodSync(at(name), 0o640);
      write(name);
      expect(fs.readFileSync(at(name), 'utf8')).toBe('ours: new');
      expect(fs.statSync(at(name)).mode & 0o777).toBe(0o640);
    }
  });

  it('is whole for whoever reads the older one meanwhile', () => {
    fs.writeFileSync(at('own'), 'ours: old');
    const reader = fs.openSync(at('own'), 'r');
    write('own');
    expect(fs.readFileSync(reader, 'utf8')).toBe('ours: old');
    fs.closeSync(reader);
  });

  it.each(['theirs', ' ours', '{"schema":2}', '\0\0\0\0'])(
    'never takes the place of one that holds %j',
    (content) => {
      fs.writeFileSync(at('theirs'), content);
      expect(refusal('theirs')).toMatchObject({ reason: 'file-in-the-way', file: at('theirs') });
      expect(fs.readFileSync(at('theirs'), 'utf8')).toBe(content);
      expect(fs.readdirSync(folder)).toEqual(['theirs']);
    },
  );

  it('never takes the place of one that must stay, whatever it holds', () => {
    fs.writeFileSync(at('own'), 'ours: old');
    expect(() =>
      writeWhole(at('own'), { content: 'x', isOwn: () => true, whyKept: () => 'it is in use' }),
    ).toThrow(FailureError);
    expect(fs.readFileSync(at('own'), 'utf8')).toBe('ours: old');
  });

  it('never takes the place of a folder', () => {
    fs.mkdirSync(at('folder'));
    expect(refusal('folder')).toMatchObject({ reason: 'file-in-the-way', why: 'it is a folder' });
  });

  it('goes through links, those that lead nowhere yet included, and leaves the links', () => {
    fs.writeFileSync(at('real'), 'ours: old');
    fs.mkdirSync(at('sub'));
    fs.symlinkSync('../real', at('sub', 'link'));
    fs.symlinkSync('nowhere', at('dangling'));
    expect(write('sub/link')).toBe(at('real'));
    expect(write('dangling')).toBe(at('nowhere'));
    expect(fs.readFileSync(at('real'), 'utf8')).toBe('ours: new');
    expect(fs.readFileSync(at('nowhere'), 'utf8')).toBe('ours: new');
    for (const link of ['sub/link', 'dangling']) expect(fs.lstatSync(at(link)).isSymbolicLink()).toBe(true);
  });

  it('refuses what a link leads to as it refuses the thing itself', () => {
    fs.writeFileSync(at('theirs'), 'theirs');
    fs.symlinkSync('theirs', at('link'));
    expect(refusal('link')).toMatchObject({ reason: 'file-in-the-way', file: at('link') });
    expect(fs.readFileSync(at('theirs'), 'utf8')).toBe('theirs');
  });

  it('goes into a pipe, which stays a pipe', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    // Opened for both, the pipe needs no reader to be written to.
    const reader = fs.openSync(at('fifo'), fs.constants.O_RDWR);
    write('fifo');
    const bytes = Buffer.alloc(64);
    expect(bytes.toString('utf8', 0, fs.readSync(reader, bytes))).toBe('ours: new');
    fs.closeSync(reader);
    expect(fs.statSync(at('fifo')).isFIFO()).toBe(true);
  });

  it('into a folder that is not there is an error of the system in words', () => {
    expect(refusal('no/such/a.txt')).toMatchObject({ reason: 'state-io', file: at('no/such/a.txt') });
  });
});
