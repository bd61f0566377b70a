/** A real terminal, made by `script`: what a shell line writes there, both streams in one, and what is typed meanwhile. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { binary, type Project } from './project.ts';

export const hasScript = spawnSync('script', ['--version']).status === 0;

export interface OnTerminal {
  readonly child: ChildProcessWithoutNullStreams;
  /** What the terminal was sent until now, with all that moves the cursor. */
  readonly seen: () => string;
  /** With the exit code. */
  readonly ended: Promise<number | null>;
}

export interface TerminalSize {
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** @param line for a shell in which `dynpart` is this one */
export function onTerminal(
  project: Project,
  line: string,
  { columns = 80, env = {} }: TerminalSize = {},
): OnTerminal {
  const dynpart = `dynpart() { '${process.execPath}' '${binary}' "$@"; }`;
  const child = spawn('script', ['-qec', `stty cols ${columns} rows 24; ${dynpart}; ${line}`, '/dev/null'], {
    cwd: project.folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: project.folder,
      XDG_CACHE_HOME: project.path('.cache'),
      TERM: 'xterm',
      SHELL: '/bin/sh',
      ...project.environment,
      ...env,
    },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return { child, seen: () => text, ended: new Promise((resolve) => child.on('close', resolve)) };
}

/** One that becomes the shell's own process: its signals and its pid are those of the command. */
export function become(command: string): string {
  return `exec '${process.execPath}' '${binary}' ${command}`;
}
