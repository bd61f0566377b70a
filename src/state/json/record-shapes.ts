/** The shapes of single records: ticks, finished runs, log lines, owners. What is read from a file is not trusted to have them. */
import type { RunRecord } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { Owner } from '../../files/process-owner.ts';
import type { RunLogLine } from '../store.ts';

/** The first place that is not as it should be. */
export interface WrongPlace {
  readonly place: string;
  readonly expected: string;
}

type Check = (value: unknown, place: string) => WrongPlace | null;

/** As `isoTime` writes it, and nothing else: times are compared as texts, too. */
const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

export const A_TIME = 'a time such as 2026-01-31T12:00:00.000Z';

export function isTime(value: unknown): value is string {
  return typeof value === 'string' && TIME.test(value);
}

const when =
  (passes: (value: unknown) => boolean, expected: string): Check =>
  (value, place) =>
    passes(value) ? null : { place, expected };

const text = when((value) => typeof value === 'string', 'a string');
const time = when(isTime, A_TIME);
const count = when(
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  'a whole number of 0 or more',
);
const pid = when(
  (value) => Number.isInteger(value) && (value as number) > 0 && (value as number) < 2 ** 31,
  'the number of a process',
);

const oneOf = (...words: readonly string[]): Check =>
  when((value) => words.includes(value as string), words.join(', '));

const orNull =
  (check: Check): Check =>
  (value, place) =>
    value === null ? null : check(value, place);

const ifThere =
  (check: Check): Check =>
  (value, place) =>
    value === undefined ? null : check(value, place);

const list =
  (check: Check): Check =>
  (value, place) => {
    if (!Array.isArray(value)) return { place, expected: 'a list' };
    for (let at = 0; at < value.length; at++) {
      const wrong = check(value[at], `${place}[${at}]`);
      if (wrong !== null) return wrong;
    }
    return null;
  };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const object =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, place) => {
    if (!isObject(value)) return { place, expected: 'an object' };
    for (const field in fields) {
      const wrong = fields[field]!(value[field], `${place}.${field}`);
      if (wrong !== null) return wrong;
    }
    return null;
  };

const entries =
  (check: Check): Check =>
  (value, place) => {
    if (!isObject(value)) return { place, expected: 'an object' };
    for (const [name, item] of Object.entries(value)) {
      const wrong = check(item, `${place}.${name}`);
      if (wrong !== null) return wrong;
    }
    return null;
  };

const RUN_STATUSES = ['QUEUED', 'STARTED', 'SUCCESS', 'FAILURE', 'CANCELED'];

const problem = object({ code: text, message: text, hint: orNull(text) });

const tick = object({
  sensor: text,
  status: oneOf('SUCCESS', 'SKIPPED', 'FAILURE', 'BUSY'),
  startedAt: time,
  finishedAt: time,
  cursor: object({ before: orNull(text), after: orNull(text) }),
  partitions: list(object({ set: text, added: list(text), removed: list(text), skipped: list(text) })),
  runs: list(
    object({
      id: orNull(text),
      partitionKey: orNull(text),
      runKey: orNull(text),
      assets: list(text),
      status: oneOf(...RUN_STATUSES),
    }),
  ),
  skippedRunKeys: list(text),
  skipReason: orNull(text),
  error: orNull(problem),
  busy: orNull(object({ pid, host: text, since: time })),
  truncated: ifThere(object({ keys: count, runs: count, skippedRunKeys: count })),
  log: ifThere(list(object({ at: text, stream: text, text }))),
});

const run = object({
  id: text,
  partitionKey: orNull(text),
  status: oneOf(...RUN_STATUSES),
  sensor: orNull(text),
  runKey: orNull(text),
  tags: entries(text),
  attempts: count,
  retryOf: orNull(text),
  error: orNull(problem),
  assets: list(
    object({
      asset: text,
      status: oneOf(...RUN_STATUSES, 'SKIPPED'),
      attempts: count,
      metadata: entries(() => null),
      error: orNull(problem),
    }),
  ),
  createdAt: time,
  startedAt: orNull(time),
  finishedAt: orNull(time),
});

const logLine = object({ at: text, stream: text, text, asset: text, attempt: count });

const owner = object({
  id: text,
  pid,
  startTime: orNull(text),
  bootId: orNull(text),
  pidNamespace: orNull(text),
  host: text,
  since: time,
});

/** What is wrong with the record of a tick. */
export function wrongInTick(value: unknown, place: string): WrongPlace | null {
  return tick(value, place);
}

export function isTick(value: unknown): value is TickRecord {
  return tick(value, '') === null;
}

export function isRun(value: unknown): value is RunRecord {
  return run(value, '') === null;
}

export function isLogLine(value: unknown): value is RunLogLine {
  return logLine(value, '') === null;
}

export function isOwner(value: unknown): value is Owner {
  return owner(value, '') === null;
}
