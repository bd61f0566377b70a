/** What stands beside keys and runs and moves along: past ticks, ended runs, logs, and values. Each store has its own. */
import type { ValueName } from '../../model/kept-value.ts';
import type { RunRecord } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { RunLogLine } from '../store.ts';

export interface Belongings {
  /** So many bytes a value may have here. */
  readonly largestValue: number;

  /** Sensors that ticked. */
  sensors(): Promise<readonly string[]>;
  /** Newest first. */
  ticks(sensor: string): Promise<readonly TickRecord[]>;
  /** Ended runs in groups, newest first. */
  runs(): AsyncIterable<readonly RunRecord[]>;
  /** In groups, in any order. */
  values(): AsyncIterable<readonly ValueName[]>;
  /** How many values there are that `values` does not name: what they were made for cannot be told. */
  nameless(): Promise<number>;
  /** The bytes of a value, as they are kept. */
  value(name: ValueName): Promise<Uint8Array>;
  /** Something that differs where values differ. */
  digests(names: readonly ValueName[]): Promise<readonly (string | null)[]>;

  /** Removes the past and the values: what is to come here comes into an empty place. */
  clear(what: { readonly values: boolean }): Promise<void>;
  putTicks(sensor: string, ticks: readonly TickRecord[]): Promise<void>;
  /** Called for one group after the other, newest first, and at the end with none. */
  putRuns(runs: readonly RunRecord[]): Promise<void>;
  /** Adds to the logs of runs. */
  putLogs(lines: readonly (readonly [run: string, lines: readonly RunLogLine[]])[]): Promise<void>;
  putValues(values: readonly (readonly [name: ValueName, bytes: Uint8Array])[]): Promise<void>;
}

/** Groups of so many names or runs are handed on at a time. */
export const GROUP = 1000;

/** Values of so many bytes are held at a time, or a single larger one. */
const GROUP_BYTES = 16 * 1024 * 1024;

/** Cut where the values of a group together would be too much to hold. */
export function* bySize(names: readonly ValueName[]): Generator<readonly ValueName[]> {
  let group: ValueName[] = [];
  let bytes = 0;
  for (const name of names) {
    if (group.length > 0 && bytes + name.bytes > GROUP_BYTES) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(name);
    bytes += name.bytes;
  }
  if (group.length > 0) yield group;
}
