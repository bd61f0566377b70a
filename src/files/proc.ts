/** What the system says of processes, where it says so in `/proc`. */
import fs from 'node:fs';
import { errno, io } from './durable-files.ts';

let procIsOurs: boolean | undefined;

/** Whether `/proc` tells of the processes that this one sees. That of another pid namespace has other processes' numbers. */
function canSeeProcesses(): boolean {
  return (procIsOurs ??= linkOf('/proc/self') === String(process.pid));
}

/** `/proc/PID/stat`; `null` where there is no such process, or nothing to see of any. */
export function statOf(pid: number): string | null {
  return canSeeProcesses() ? readLine(`/proc/${pid}/stat`) : null;
}

export interface ProcessFields {
  readonly state: string;
  readonly group: number;
  /** Clock ticks since boot. */
  readonly start: string | null;
}

/** Fields 3, 5 and 22 of `/proc/PID/stat`. The name in field 2 may hold blanks and parentheses, so count from its end. */
export function fieldsOf(stat: string): ProcessFields {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', group: Number(fields[2]), start: fields[19] ?? null };
}

/** All processes that have not ended. `null` where they cannot be seen. */
export function livingProcesses(): { readonly pid: number; readonly group: number }[] | null {
  if (!canSeeProcesses()) return null;
  return fs.readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readLine(`/proc/${name}/stat`) : null;
    if (stat === null) return [];
    const { state, group } = fieldsOf(stat);
    return state === 'Z' || state === 'X' ? [] : [{ pid: Number(name), group }];
  });
}

/** The environment that a process was started with; none when it has ended; `undefined`: that may not be seen. */
export function environmentOf(pid: number): ReadonlyMap<string, string> | undefined {
  try {
    const variables = fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return new Map(variables.map((variable) => splitAt(variable, variable.indexOf('='))));
  } catch (error) {
    return errno(error) === 'ENOENT' || errno(error) === 'ESRCH' ? new Map() : undefined;
  }
}

function splitAt(text: string, at: number): [string, string] {
  return [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
}

export function linkOf(file: string): string | null {
  try {
    return fs.readlinkSync(file);
  } catch {
    return null;
  }
}

/** The content of a small file of the system; `null` only where there is none: a live owner must not seem dead for want of a descriptor. */
export function readLine(file: string): string | null {
  return io('read', file, () => {
    try {
      // 'utf8' is what node reads without a detour over streams of unknown length.
      return fs.readFileSync(file, 'utf8').trim();
    } catch (error) {
      const code = errno(error);
      if (code === 'ENOENT' || code === 'ESRCH' || code === 'ENOTDIR') return null;
      throw error;
    }
  });
}
