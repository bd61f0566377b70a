/** Programs that user code starts: what they print, how they end, and that nothing of them stays. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:buffer';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa, type Options } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processGroups } from '../../../src/cli/isolation/process-groups.ts';
import { secret } from '../../../src/definitions/secret.ts';
import type { Exec } from '../../../src/definitions/user-context.ts';
import { makeExec } from '../../../src/engine/user-code/exec.ts';
import { LineWriter } from '../../../src/engine/user-code/output.ts';
import { Printed } from '../../../src/engine/user-code/printed.ts';
import { Programs } from '../../../src/engine/user-code/programs.ts';
import { describeThrown } from '../../../src/model/thrown.ts';
import { livingProcesses } from '../../../src/files/proc.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Of this test alone: others on this machine end what carries their own marks. */
const EXECUTOR = `x${process.pid}`;

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-exec-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** A run of which only `exec` is there. */
class Rig {
  readonly lines: string[] = [];
  readonly groups: number[] = [];
  #count = 0;
  readonly #abort = new AbortController();
  readonly programs: Programs;
  readonly exec: Exec;

  constructor({ killAfterMs = 10_000, keepsLines = true } = {}) {
    this.programs = new Programs({
      processes: () => Promise.resolve(processGroups({ killAfterMs })),
      marks: {
        of: { DYNPART_RUN: 'g-1' },
        starter: EXECUTOR,
        count: () => ++this.#count,
        note: ({ group }) => this.groups.push(group),
      },
    });
    const writer = new LineWriter(({ text }) => void (keepsLines && this.lines.push(text)), new FakeClock());
    this.exec = makeExec({ writer, cut: this.#abort, programs: this.programs });
  }

  sh(script: string, options?: Parameters<Exec>[2]): ReturnType<Exec> {
    return this.exec('sh', ['-c', script], { cwd: folder, ...options });
  }

  abort(): void {
    this.#abort.abort();
  }

  /** How many processes its programs have left. */
  get left(): number {
    return livingProcesses()!.filter(({ group }) => this.groups.includes(group)).length;
  }
}

const there = async (name: string): Promise<string> => {
  const file = path.join(folder, name);
  while (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') === '')
    await new Promise((resolve) => setTimeout(resolve, 5));
  return fs.readFileSync(file, 'utf8').trim();
};

const failureOf = async (running: Promise<unknown>): Promise<Error & Record<string, unknown>> =>
  running.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as Error & Record<string, unknown>,
  );

/** Neither asks for anything nor ends when it is asked to. */
const STUBBORN = "trap '' TERM; echo up > up; while :; do sleep 30; done";

describe('a program that has ended', () => {
  it('is not waited for as long as others hold its pipes, and what it printed is there', async () => {
    const rig = new Rig();
    const began = performance.now();
    const { stdout, stderr } = await rig.sh(
      'sleep 30 & head -c 200000 /dev/zero | tr "\\0" x; echo; echo last; echo err >&2',
    );
    // The others go on for half a minute.
    expect(performance.now() - began).toBeLessThan(25_000);
    expect(stdout).toHaveLength(200_000 + '\nlast'.length);
    expect(stderr).toBe('err');
    expect(rig.lines).toEqual(expect.arrayContaining(['last', 'err']));
    await rig.programs.end();
  });

  it('leaves nothing behind when its run ends, but what made itself a session of its own', async () => {
    const rig = new Rig();
    await rig.sh('sleep 30 & setsid sh -c "echo \\$\\$ > daemon; exec sleep 30" & exit 0');
    const daemon = Number(await there('daemon'));
    expect(rig.left).toBe(1);
    await rig.programs.end();
    expect(rig.left).toBe(0);
    expect(process.kill(daemon, 0)).toBe(true);
    process.kill(daemon);
  });

  it('has read an empty input, unless one was given', async () => {
    const rig = new Rig();
    expect((await rig.sh('wc -c')).stdout.trim()).toBe('0');
    expect((await rig.sh('cat', { input: 'given' })).stdout).toBe('given');
  });

  it('knew by its environment which run it is of', async () => {
    expect((await new Rig().sh('echo $DYNPART_RUN')).stdout).toBe('g-1');
  });
});

describe('a program whose run is aborted', () => {
  it('ends with all that it started, at once', async () => {
    // Longer than a test may take: who waited for that would be seen.
    const rig = new Rig({ killAfterMs: 600_000 });
    const running = failureOf(rig.sh('(while :; do sleep 1; done) | tee out >/dev/null; echo never'));
    await expect.poll(() => rig.left).toBeGreaterThan(2);
    rig.abort();
    expect((await running).message).toContain('SIGTERM');
    await rig.programs.end();
    expect(rig.left).toBe(0);
  });

  it('is killed when it does not end, with all that it started', async () => {
    const rig = new Rig({ killAfterMs: 100 });
    const running = failureOf(rig.sh(STUBBORN));
    await there('up');
    rig.abort();
    expect((await running).message).toContain('SIGKILL');
    await rig.programs.end();
    expect(rig.left).toBe(0);
  });

  it('ends also when it was stopped', async () => {
    const rig = new Rig();
    const running = failureOf(rig.sh('echo up > up; kill -STOP $$; sleep 30'));
    await there('up');
    rig.abort();
    expect((await running).message).toContain('SIGTERM');
  });

  it('is not started any more', async () => {
    const rig = new Rig();
    rig.abort();
    await failureOf(rig.sh('echo up > up'));
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('keeps the terminal where asked to, and ends by itself then', async () => {
    const rig = new Rig();
    const running = failureOf(rig.sh('ps -o pgid= -p $$ > up; exec sleep 30', { terminal: true }));
    const group = Number(await there('up'));
    expect(rig.groups).toEqual([]);
    expect(group).toBe(livingProcesses()!.find(({ pid }) => pid === process.pid)!.group);
    rig.abort();
    await running;
  });
});

describe('a program that fails', () => {
  it('says the command, how it ended and what it said last; all of it is in the log, once', async () => {
    const rig = new Rig();
    const error = await failureOf(
      rig.sh('for i in $(seq 1 5000); do echo "line $i of many"; done; echo why >&2; exit 3'),
    );
    expect(error.message).toMatch(/^Command failed with exit code 3: sh -c .*\nwhy$/);
    expect(error.stack).not.toContain('line 5000');
    expect(error['exitCode']).toBe(3);
    expect(rig.lines.filter((line) => line === 'line 5000 of many')).toHaveLength(1);
    expect(rig.lines).toHaveLength(5001);
  });

  it.each([
    [
      'there is no such program: is it installed, and in PATH? (spawn none-of-this ENOENT)',
      'none-of-this',
      'ENOENT',
    ],
    ['it is no program that this user may execute (spawn /etc EACCES)', '/etc', 'EACCES'],
    ['its arguments and environment are longer than the system takes', 'echo', 'E2BIG'],
  ])('to start is told in words: %s', async (words, file, code) => {
    const rig = new Rig();
    const args = code === 'E2BIG' ? ['x'.repeat(300_000)] : [];
    const error = await rig.exec(file, args, { cwd: folder }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    const { message } = describeThrown(error);
    expect(message).toContain(words);
    expect(message).not.toContain('because');
  });

  it('is told shortly however much it printed without a line’s end, and whatever', async () => {
    const rig = new Rig();
    const error = await failureOf(rig.sh('yes 😀😀😀😀 | head -c 3400000 | tr -d "\\n"; exit 1'));
    expect(error.message.length).toBeLessThan(4000);
    expect(error.message).toBe(error.message.toWellFormed());
    expect(rig.lines.join('')).toHaveLength(1_600_000);
    expect(rig.lines.every((line) => line === line.toWellFormed() && line.length <= 16 * 1024)).toBe(true);
  });

  it('is told shortly however long its command is', async () => {
    const error = await failureOf(new Rig().exec('false', ['x'.repeat(100_000)]));
    expect(error.message.length).toBeLessThan(2000);
  });

  it('ends as a whole when its own timeout is over', async () => {
    const rig = new Rig();
    const error = await failureOf(rig.sh('sleep 30; true', { timeout: 100 }));
    expect(error['timedOut']).toBe(true);
    expect(rig.left).toBe(0);
  });
});

describe('a program that prints more than may be kept', () => {
  it('fails shortly where execa would make a message of it that V8 cannot hold', async () => {
    const error = await failureOf(
      new Rig({ keepsLines: false }).sh('head -c 90000000 /dev/zero | tr "\\0" "\\1"; exit 1'),
    );
    expect(error.message.length).toBeLessThan(4000);
    expect(error['stdout']).toHaveLength(90_000_000);
  });

  it('is ended, with what may be kept of it, and all that it printed until then in the log', async () => {
    const rig = new Rig();
    const error = await failureOf(
      rig.sh('seq 1 1000; exec 2>/dev/null; while :; do sleep 1; done', { maxBuffer: 100 }),
    );
    expect(error.message).toMatch(/^Command's stdout was larger than 100 characters: sh -c /);
    expect(error.message).toMatch(/\n999\n1000$/);
    expect(error).toMatchObject({ isMaxBuffer: true, failed: true, isTerminated: true });
    expect(error['stdout']).toBe(`${rig.lines.join('\n')}\n`.slice(0, 100));
    expect(rig.lines).toHaveLength(1000);
    expect(rig.left).toBe(0);
  });

  it('fails also when it had ended already, and is not thrown where nothing is to be', async () => {
    const rig = new Rig();
    expect((await failureOf(rig.sh('echo 12345', { maxBuffer: 4 })))['isMaxBuffer']).toBe(true);
    const ended = await rig.sh('echo 12345 >&2', { maxBuffer: { stderr: 4 }, reject: false });
    expect(ended).toMatchObject({ failed: true, isMaxBuffer: true, stderr: '1234', stdout: '' });
    expect((ended as unknown as Error).message).toMatch(/^Command's stderr was larger than 4 characters/);
  });

  it('is told by the longest text that there can be, however much was asked for', () => {
    const most = new Printed(1, { maxBuffer: 1_000_000_000 }).tooMuch;
    expect(most).toBe(`stdout was larger than ${constants.MAX_STRING_LENGTH} characters`);
  });
});

describe('what exec gives back', () => {
  it.each<[string, Parameters<Exec>[2], Record<string, unknown>]>([
    ['printf "a\\n\\n"', {}, { stdout: 'a\n', stdio: [undefined, 'a\n', ''] }],
    ['printf "a\\r\\n"', {}, { stdout: 'a' }],
    ['printf "a\\n"', { stripFinalNewline: false }, { stdout: 'a\n' }],
    ['printf "a\\nb\\n\\nc"', { lines: true }, { stdout: ['a', 'b', '', 'c'], stderr: [] }],
    ['printf "a\\nb"', { lines: true, stripFinalNewline: false }, { stdout: ['a\n', 'b'] }],
    ['echo a; echo b >&2', { lines: { stderr: true } }, { stdout: 'a', stderr: ['b'] }],
    ['echo a; sleep 1.5; echo b >&2; sleep 1.5; echo c', { all: true }, { all: 'a\nb\nc', stderr: 'b' }],
    ['echo a; echo b >&2', { buffer: { stdout: false } }, { stderr: 'b' }],
    ['printf "\\303"; sleep 0.1; printf "\\244"', {}, { stdout: 'ä' }],
    ['echo a >&3', { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] }, { stdio: [undefined, '', '', 'a'] }],
    ['echo a', { stdout: ['pipe', { file: '/dev/null' }] }, { stdout: 'a' }],
    ['echo a', { stdout: 'ignore' }, { stderr: '' }],
    [
      'echo a; echo b',
      {
        stdout: {
          *transform(line) {
            yield { line: line as string };
          },
          objectMode: true,
        },
      },
      { stdout: [{ line: 'a' }, { line: 'b' }] },
    ],
  ])('of %s with %j is what execa does', async (script, options, expected) => {
    const { stdout, stderr, all, stdio } = await new Rig().sh(script, options);
    const given = { stdout, stderr, all, stdio } as Record<string, unknown>;
    expect(given).toMatchObject(expected);
    const execas = await execa('sh', ['-c', script], options as Options);
    expect({ stdout, stderr, stdio }).toEqual({
      stdout: execas.stdout,
      stderr: execas.stderr,
      stdio: execas.stdio,
    });
    if (options?.all === true) expect(all).toEqual(execas.all);
  });

  it('has messages of a program that is Node’s', async () => {
    const script = 'process.send("a"); process.send({ b: 1 }); process.disconnect()';
    const { ipcOutput } = await new Rig().exec('node', ['-e', script], { ipc: true });
    expect(ipcOutput).toEqual(['a', { b: 1 }]);
  });

  it('has not the lines of two programs mixed in the log', async () => {
    const rig = new Rig();
    const one = rig.sh('printf a; touch half; until [ -e go ]; do sleep 0.05; done; echo a');
    while (!fs.existsSync(path.join(folder, 'half'))) await new Promise((resolve) => setTimeout(resolve, 5));
    await rig.sh('echo b');
    fs.writeFileSync(path.join(folder, 'go'), '');
    await one;
    expect(rig.lines).toEqual(['b', 'aa']);
  });
});

describe('what a killed process left', () => {
  const os = processGroups({ killAfterMs: 100 });
  const started: ChildProcess[] = [];
  /** As a program of that run and executor would go on without them. */
  const orphan = async (marks: Record<string, string>, script = 'sleep 30'): Promise<number> => {
    const up = path.join(folder, `up${started.length}`);
    const child = spawn('sh', ['-c', `echo up > ${up}; ${script}`], {
      detached: true,
      stdio: 'ignore',
      cwd: folder,
      env: { ...process.env, ...marks },
    });
    started.push(child);
    await there(path.basename(up));
    return child.pid!;
  };
  const isThere = (pid: number): boolean => livingProcesses()!.some((one) => one.pid === pid);
  const marked = (run: string, program: string): Record<string, string> => ({
    DYNPART_RUN: run,
    DYNPART_PROGRAM: program,
  });

  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  it('ends by its mark: programs that were noted, and one that could not be noted any more', async () => {
    const [noted, unnoted] = [
      await orphan(marked('g-1', `${EXECUTOR}.1`)),
      await orphan(marked('g-1', `${EXECUTOR}.2`)),
    ];
    const left = {
      starter: EXECUTOR,
      runs: new Set(['g-1']),
      programs: [{ runId: 'g-1', group: noted, number: 1 }],
    };
    expect(await os.endLeft(left)).toEqual({ ended: 4, mayBeLeft: false });
    expect([noted, unnoted].filter(isThere)).toEqual([]);
  });

  it('goes on where it is of another run or executor, made itself a group, or has only the number', async () => {
    const others = [
      await orphan(marked('g-2', `${EXECUTOR}.1`)),
      await orphan(marked('g-1', 'y.1')),
      // It was noted with another group, and left that one.
      await orphan(marked('g-1', `${EXECUTOR}.1`)),
      await orphan({}),
    ];
    const programs = [
      { runId: 'g-1', group: 4_100_000, number: 1 },
      { runId: 'g-1', group: others[3]!, number: 2 },
    ];
    const left = { starter: EXECUTOR, runs: new Set(['g-1']), programs };
    expect(await os.endLeft(left)).toEqual({ ended: 0, mayBeLeft: false });
    expect(others.filter(isThere)).toEqual(others);
  });

  it('ends by the mark of a sensor’s evaluation, and of no other one', async () => {
    const ofSensor = (program: string): Record<string, string> => ({
      DYNPART_SENSOR: 'feed',
      DYNPART_PROGRAM: program,
    });
    const own = [await orphan(ofSensor(`${EXECUTOR}.1`)), await orphan(ofSensor(`${EXECUTOR}.2`))];
    const others = [await orphan(ofSensor('y.1')), await orphan(ofSensor(`${EXECUTOR}.3`))];
    const programs = [
      { group: own[0]!, number: 1 },
      { group: 4_100_000, number: 3 },
    ];
    await os.endLeft({ starter: EXECUTOR, runs: null, programs });
    expect(own.filter(isThere)).toEqual([]);
    expect(others.filter(isThere)).toEqual(others);
  });

  it('is killed when it does not end', async () => {
    const stubborn = await orphan(marked('g-1', `${EXECUTOR}.1`), STUBBORN);
    await there('up');
    const left = { starter: EXECUTOR, runs: new Set(['g-1']), programs: [] };
    expect(await os.endLeft(left)).toMatchObject({ mayBeLeft: false });
    expect(isThere(stubborn)).toBe(false);
  });
});

describe('a secret', () => {
  it('is given to the program, and shown nowhere', async () => {
    const rig = new Rig();
    const script = 'echo "arg $1"; echo "env $TOKEN"; echo "$1 is wrong" >&2; exit 1';
    const error = await failureOf(
      rig.exec('sh', ['-c', script, 'sh', secret('s3cret')], { env: { TOKEN: secret('t0ken') } }),
    );
    expect(error['stdout']).toBe('arg s3cret\nenv t0ken');
    expect(rig.lines).toEqual(expect.arrayContaining(['arg ***', 'env ***', '*** is wrong']));
    const { message, stack, command, escapedCommand, shortMessage } = error;
    const said = [message, stack, command, escapedCommand, shortMessage].join('\n');
    expect(said).toContain('***');
    expect(said).not.toMatch(/s3cret|t0ken/);
  });

  it('is shown in no part, wherever it is cut', async () => {
    const rig = new Rig();
    const token = 'QWRZ'.repeat(125);
    const script =
      'head -c 16300 /dev/zero | tr "\\0" x; sleep 0.1; printf %s "$1"; sleep 0.1; head -c 1800 /dev/zero | tr "\\0" y; exit 1';
    const error = await failureOf(rig.exec('sh', ['-c', script, 'sh', secret(token)]));
    expect(error.message).toContain('***yyy');
    expect(`${error.message} ${rig.lines.join('\n')}`).not.toMatch(/[QWRZ]/);
  });

  it('is not shown by what prints or copies it', () => {
    const hidden = secret('s3cret');
    expect(`${String(hidden)} ${JSON.stringify({ ...hidden, hidden })}`).not.toContain('s3cret');
  });
});
