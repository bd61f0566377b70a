/** Programs that user code starts: what they print, how they end, and that nothing of them stays. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processGroups } from '../../../src/cli/isolation/process-groups.ts';
import { secret } from '../../../src/definitions/secret.ts';
import type { Exec } from '../../../src/definitions/user-context.ts';
import { makeExec } from '../../../src/engine/user-code/exec.ts';
import { LineWriter } from '../../../src/engine/user-code/output.ts';
import { Programs } from '../../../src/engine/user-code/programs.ts';
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

  constructor({ killAfterMs = 10_000 } = {}) {
    this.programs = new Programs({
      processes: () => Promise.resolve(processGroups({ killAfterMs })),
      run: {
        id: 'g-1',
        executor: EXECUTOR,
        count: () => ++this.#count,
        note: ({ group }) => this.groups.push(group),
      },
    });
    const writer = new LineWriter(({ text }) => this.lines.push(text), new FakeClock());
    this.exec = makeExec({ writer, signal: this.#abort.signal, programs: this.programs });
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
    expect(performance.now() - began).toBeLessThan(5000);
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
    const rig = new Rig();
    const running = failureOf(rig.sh('(while :; do sleep 1; done) | tee out >/dev/null; echo never'));
    await expect.poll(() => rig.left).toBeGreaterThan(2);
    const began = performance.now();
    rig.abort();
    expect((await running).message).toContain('SIGTERM');
    await rig.programs.end();
    expect(rig.left).toBe(0);
    expect(performance.now() - began).toBeLessThan(5000);
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

describe('what a killed process left', () => {
  const os = processGroups({ killAfterMs: 100 });
  const started: ChildProcess[] = [];
  /** As a program of that run and executor would go on without them. */
  const orphan = async (marks: Record<string, string>, script = 'sleep 30'): Promise<number> => {
    const up = path.join(folder, `up${started.length}`);
    const child = spawn('sh', ['-c', `echo up > ${up}; ${script}`], {
      detached: true,
      stdio: 'ignore',
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
      executor: EXECUTOR,
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
    const left = { executor: EXECUTOR, runs: new Set(['g-1']), programs };
    expect(await os.endLeft(left)).toEqual({ ended: 0, mayBeLeft: false });
    expect(others.filter(isThere)).toEqual(others);
  });

  it('is killed when it does not end', async () => {
    const stubborn = await orphan(marked('g-1', `${EXECUTOR}.1`), STUBBORN);
    const left = { executor: EXECUTOR, runs: new Set(['g-1']), programs: [] };
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

  it('is not shown by what prints or copies it', () => {
    const hidden = secret('s3cret');
    expect(`${String(hidden)} ${JSON.stringify({ ...hidden, hidden })}`).not.toContain('s3cret');
  });
});
