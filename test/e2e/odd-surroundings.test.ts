/** What a shell can do to a process and no test in process can: a folder that is gone, arguments that are no text. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { offences, PIPELINE } from '../support/fuzz.ts';
import { binary, Project } from '../support/project.ts';

/** A line of shell in the project's folder; `dynpart` in it is the real binary. */
function shell(project: Project, line: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn('/bin/sh', ['-c', `dynpart() { "${process.execPath}" "${binary}" "$@"; }; ${line}`], {
    cwd: project.folder,
    env: { PATH: process.env['PATH'], HOME: project.folder },
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => (said[name] += chunk));
  return new Promise((resolve, reject) =>
    child.on('error', reject).on('close', (code) => resolve({ code: code ?? -1, ...said })),
  );
}

describe('a current folder that was removed', () => {
  it.each([[], ['--json']])('is said in words (%j)', async (...flags) => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const line = ['status', ...flags];
    const ran = await shell(project, `mkdir gone && cd gone && rmdir ../gone; dynpart ${line.join(' ')}`);
    expect([ran.code, offences(line, ran)]).toEqual([2, []]);
    expect(ran.stdout + ran.stderr).toContain('the current folder is not there any more');
  });
});

const showsArguments = fs.existsSync('/proc/self/cmdline');

describe('an argument', () => {
  it.skipIf(!showsArguments)(
    `that is not UTF-8 is refused by name, and not taken for another key${showsArguments ? '' : ' (skipped: this system does not show the bytes of arguments)'}`,
    async () => {
      await using project = new Project({ 'pipeline.ts': PIPELINE });
      const ran = await shell(project, `dynpart partitions add things good "$(printf 'bad\\377')"`);
      expect([ran.code, ran.stdout]).toEqual([2, '']);
      expect(ran.stderr).toContain('"bad\ufffd" holds bytes that are not UTF-8');
      expect(project.exists('.dynpart')).toBe(false);
    },
  );

  it('that holds U+FFFD as such is a key like any other', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const { document } = await project.json(['partitions', 'add', 'things', 'good\ufffd']);
    expect(document.added).toEqual(['good\ufffd']);
  });
});
