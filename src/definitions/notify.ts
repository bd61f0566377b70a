/** Who is told when something goes wrong, and what: hooks of a pipeline. */
import { parseDuration } from '../model/duration.ts';
import type { IncidentKind } from '../model/incident.ts';

/** What a hook may want to be told. */
export type NotifyOn = IncidentKind | 'recovered';

/** Why a hook is told of an incident. */
export type IncidentOccasion = 'opened' | 'reminder' | 'recovered';

/** One asset or sensor and one code, as a hook is told of it. */
export interface Incident {
  readonly kind: IncidentKind;
  readonly occasion: IncidentOccasion;
  /** `null` where it is about a sensor. */
  readonly asset: string | null;
  /** `null` where it is about an asset. */
  readonly sensor: string | null;
  /** The code of the error, as `dynpart explain CODE` has it; `overdue` for what does not come. */
  readonly code: string;
  /** The first line of what was said, without passwords and queries of addresses. */
  readonly message: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** When it was over (ISO 8601, UTC); `null`: it goes on. */
  readonly overSince: string | null;
  /** The first 20 of the keys, or of the parts of a source, that it is about. */
  readonly keys: readonly string[];
  /** How many there are in all. */
  readonly keyCount: number;
  /** The first of the runs that failed; `null` where none did. */
  readonly run: string | null;
  /** The command that says more; `null` where it is over. */
  readonly command: string | null;
  /** All of this in words: a line, and indented ones below it. */
  readonly text: string;
}

/** What `send` is given. */
export interface NotifyMessage {
  readonly incidents: readonly Incident[];
  /** One line: for the subject of a mail. */
  readonly subject: string;
  /** All incidents in words, and whose they are. */
  readonly text: string;
  /** Aborted after five seconds, and on Ctrl-C: hand it to `fetch`. */
  readonly signal: AbortSignal;
}

/** A hook of `definePipeline({ notify: [...] })`. */
export interface Notify {
  /**
   * What the state knows it by. Default: its place in the list, from 1. A hook with another name is told anew of what goes on.
   */
  readonly name?: string;
  /** What it wants to be told. With `'recovered'` also when one of the others is over. */
  readonly on: readonly NotifyOn[];
  /** Tells of what goes on so often, as a duration such as `'1d'`; more often than once a minute is once a minute. Default: once is enough. */
  readonly remindEvery?: string;
  /**
   * Called at least once for each incident, by whoever has committed it, or by the next one that commits. One that throws, or takes
   * longer than five seconds, is called again with what is due then: after one minute, two, four, at most an hour. Nothing else
   * depends on it. It should not block the thread.
   */
  send(message: NotifyMessage): unknown;
}

/** A hook with every default filled in. */
export interface NotifyDefinition {
  readonly name: string;
  readonly on: ReadonlySet<NotifyOn>;
  /** `null`: once is enough. */
  readonly remindEveryMs: number | null;
  readonly send: Notify['send'];
}

export function resolveNotify(hooks: readonly Notify[]): readonly NotifyDefinition[] {
  return hooks.map((hook, at) => ({
    name: hook.name ?? String(at + 1),
    on: new Set(hook.on),
    remindEveryMs: parseDuration(hook.remindEvery),
    send: (message) => hook.send(message),
  }));
}
