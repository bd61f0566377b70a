/** Failures of a sensor: what its evaluation threw or returned, and who else evaluates it. */
import { AUTOMATION } from '../run.ts';
import { shellQuoted } from '../text.ts';
import type { FailedSource } from '../tick.ts';
import { firstOf, withFrames, type WordsFor } from './phrases.ts';

export type SensorFailure =
  | {
      readonly reason: 'sensor-threw';
      readonly sensor: string;
      readonly message: string;
      readonly frames: readonly string[];
    }
  | { readonly reason: 'sensor-timeout'; readonly sensor: string; readonly seconds: number }
  | { readonly reason: 'sensor-cursor'; readonly sensor: string; readonly problem: string }
  | { readonly reason: 'sensor-result'; readonly sensor: string; readonly problems: readonly string[] }
  | {
      readonly reason: 'sensor-stuck';
      readonly sensor: string;
      readonly pid: number;
      readonly host: string;
      readonly since: string;
      readonly seconds: number;
    }
  | { readonly reason: 'source-failed'; readonly sensor: string; readonly failures: readonly FailedSource[] }
  | { readonly reason: 'sensor-interrupted'; readonly sensor: string }
  | {
      readonly reason: 'sensor-busy';
      readonly sensor: string;
      readonly pid: number;
      readonly host: string;
      readonly since: string;
    };

/** The command that does once what a rule of a set may not. */
export function takeOutByHand(set: string): string {
  return `dynpart partitions remove ${shellQuoted(set, 'SET')} --keep-last N --keep-out`;
}

export const sensorWords: WordsFor<SensorFailure> = {
  'sensor-threw': ({ sensor, message, frames }) => [
    `sensor '${sensor}' threw: ${withFrames(message, frames)}`,
    'nothing was applied and the cursor stays; the next tick tries again',
  ],
  'sensor-timeout': ({ sensor, seconds }) => [
    `sensor '${sensor}' took longer than its timeout of ${seconds} s`,
    'nothing was applied; hand the signal of the context to fetch, or raise timeoutSeconds',
  ],
  'sensor-cursor': ({ sensor, problem }) => [
    `the cursor of sensor '${sensor}' does not fit its schema: ${problem}`,
    `nothing was applied and the cursor stays; begin anew: dynpart sensor cursor ${sensor} --clear; or give it one that fits: dynpart sensor cursor ${sensor} --set JSON`,
  ],
  'sensor-result': ({ sensor, problems }) => [
    `the result of sensor '${sensor}' cannot be used: ${firstOf(problems, (problem) => problem)}`,
    `nothing was applied and the cursor stays; mend the sensor, and try without consequences: dynpart sensor tick ${sensor} --dry-run`,
  ],
  'sensor-stuck': ({ sensor, pid, host, since, seconds }) => [
    `sensor '${sensor}' is stuck: process ${pid} on ${host} has been evaluating it since ${since}, longer than its timeout of ${seconds} s`,
    `end that process on ${host}; as it is blocked it needs: kill -9 ${pid}`,
  ],
  'source-failed': ({ sensor, failures }) =>
    sensor === AUTOMATION
      ? [
          `left as it is: ${firstOf(failures, ({ name, error }) => `set '${name}' (${error})`)}`,
          `allow it with maxRemove in retain, or do it once by hand: ${takeOutByHand(failures[0]!.name)}`,
        ]
      : [
          `sensor '${sensor}' could not look at ${failures.length === 1 ? '' : `${failures.length} parts: `}${firstOf(failures, ({ name, error }) => `${name}: ${error}`)}`,
          'what else it found stands; the next tick looks again',
        ],
  'sensor-interrupted': ({ sensor }) => [
    `the evaluation of sensor '${sensor}' was interrupted`,
    'nothing was applied; the next tick tries again',
  ],
  'sensor-busy': ({ sensor, pid, host, since }) => [
    `sensor '${sensor}' is being evaluated by process ${pid} on ${host} since ${since}`,
    'try again later, or use --if-busy wait',
  ],
};
