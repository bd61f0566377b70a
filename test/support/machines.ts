/** Machines of the tests' own: each has a network of its own, with one line to this one, and sees no process of the others. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import fs from 'node:fs';

/** They are told apart from those of other tests that run at the same time. */
const NUMBER = process.pid % 250;

export class Machine {
  readonly #number: number;

  private constructor(number: number) {
    this.#number = number;
  }

  /** Why there can be none here; `null` where there can. */
  static get missing(): string | null {
    if (process.platform !== 'linux') return 'Linux is wanted';
    if (process.getuid?.() !== 0) return 'root is wanted, for network namespaces';
    const can = spawnSync('unshare', [
      '--net',
      '--pid',
      '--fork',
      'ip',
      'link',
      'add',
      'line0',
      'type',
      'veth',
    ]);
    return can.status === 0 ? null : 'ip and unshare are wanted, and the right to make network namespaces';
  }

  static start(number: number): Machine {
    const machine = new Machine(number);
    const { namespace, line } = machine.#names;
    ip('netns', 'add', namespace);
    ip('link', 'add', `${line}a`, 'type', 'veth', 'peer', 'name', `${line}b`);
    ip('link', 'set', `${line}b`, 'netns', namespace);
    ip('addr', 'add', `${machine.here}/30`, 'dev', `${line}a`);
    ip('link', 'set', `${line}a`, 'up');
    ip('-n', namespace, 'addr', 'add', `${machine.#at(2)}/30`, 'dev', `${line}b`);
    ip('-n', namespace, 'link', 'set', `${line}b`, 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    return machine;
  }

  /** The address of this machine, as that one sees it. */
  get here(): string {
    return this.#at(1);
  }

  /** What starts a program there. */
  get within(): readonly string[] {
    const unshare = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
    return ['ip', 'netns', 'exec', this.#names.namespace, ...unshare];
  }

  /** Tells a program that was started there to end: what started it keeps that to itself. */
  static terminate({ pid }: ChildProcess): void {
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    for (const child of children) process.kill(Number(child), 'SIGTERM');
  }

  /** Packets are lost without a word from now on. */
  cutOff(): void {
    ip('-n', this.#names.namespace, 'link', 'set', `${this.#names.line}b`, 'down');
  }

  reconnect(): void {
    ip('-n', this.#names.namespace, 'link', 'set', `${this.#names.line}b`, 'up');
  }

  [Symbol.dispose](): void {
    spawnSync('ip', ['netns', 'del', this.#names.namespace]);
    spawnSync('ip', ['link', 'del', `${this.#names.line}a`]);
  }

  #at(last: number): string {
    return `10.${77 + this.#number}.${NUMBER}.${last}`;
  }

  get #names(): { readonly namespace: string; readonly line: string } {
    return { namespace: `dynpart-${process.pid}-${this.#number}`, line: `dp${NUMBER}m${this.#number}` };
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}
