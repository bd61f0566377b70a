/** Who is to be told what: by hook what is due, who calls it, and what it knows then. Pure. */
import { type IncidentRecord, type Incidents, isSame, type Told } from '../../../model/incident.ts';
import { isoTime, type Millis } from '../../../model/time.ts';

/** What a hook wants to be told. */
export interface Wanted {
  readonly name: string;
  readonly on: ReadonlySet<string>;
  /** `null`: once is enough. */
  readonly remindEveryMs: number | null;
}

/** `opened`: it is told for the first time. */
export type Occasion = 'opened' | 'reminder' | 'recovered';

export interface Due {
  readonly incident: IncidentRecord;
  readonly occasion: Occasion;
}

/** What a hook is to be told now. */
export interface Message {
  readonly hook: string;
  readonly due: readonly Due[];
}

/** Nobody is told twice of an incident within a minute, whatever happens, and no hook is tried again sooner. */
const LEAST_MS = 60_000;

/** After each try without success twice as long, and no longer than so. */
const LONGEST_WAIT_MS = 3_600_000;

export interface Telling {
  readonly hooks: readonly Wanted[];
  readonly now: Millis;
  /** So long an incident is left to gather what belongs to it before anybody is told (ms). */
  readonly gatherMs: number;
}

export interface Called {
  readonly incidents: Incidents;
  readonly messages: readonly Message[];
  /** When something will be due though nothing happens; `null`: never. */
  readonly nextAt: Millis | null;
}

/** What is due, and the hooks as called: from now on they are this process's to call, for a minute. */
export function callHooks(before: Incidents, { hooks, now, gatherMs }: Telling): Called {
  const messages: Message[] = [];
  const calling = { ...before.calling };
  let nextAt = Infinity;
  for (const hook of hooks) {
    const last = ownEntry(before.calling, hook.name);
    const freeAt = last === undefined ? -Infinity : timeOf(last.at, now) + waitAfter(last.tries);
    const due: Due[] = [];
    let dueLater = Infinity;
    for (const incident of before.list) {
      const one = dueOf(incident, hook, { now, gatherMs });
      if (one === null) continue;
      if (one.at <= now && freeAt <= now) due.push({ incident, occasion: one.occasion });
      else dueLater = Math.min(dueLater, Math.max(one.at, freeAt));
    }
    nextAt = Math.min(nextAt, dueLater);
    if (due.length === 0) continue;
    messages.push({ hook: hook.name, due });
    const tries = (last?.tries ?? 0) + 1;
    calling[hook.name] = { ...last, at: isoTime(now), tries };
    nextAt = Math.min(nextAt, now + waitAfter(tries));
  }
  const incidents = messages.length === 0 ? before : { ...before, calling };
  return { incidents, messages, nextAt: nextAt === Infinity ? null : nextAt };
}

/** What a hook knows when it took a message. */
export function toldBy(before: Incidents, { hook, due }: Message, now: Millis): Incidents {
  const { [hook]: _, ...calling } = before.calling;
  const at = isoTime(now);
  const list = before.list.map((one) => {
    const told = due.find(({ incident }) => isSame(incident, one));
    // What has happened since is not told yet.
    if (told === undefined) return one;
    const as: Told['as'] = told.incident.over === undefined ? 'open' : 'over';
    return { ...one, told: { ...one.told, [hook]: { at, as } } };
  });
  return { list, calling };
}

/** A hook did not take a message, and that was said. */
export function untoldBy(before: Incidents, hook: string): Incidents {
  const last = ownEntry(before.calling, hook);
  if (last === undefined || last.isSaid) return before;
  return { ...before, calling: { ...before.calling, [hook]: { ...last, isSaid: true } } };
}

/**
 * Without what everybody who wants it knows, and what is said of hooks that are not there. Times that are yet to come are of a clock
 * that was set back since: they count from now.
 */
export function tidied(before: Incidents, { hooks, now }: Pick<Telling, 'hooks' | 'now'>): Incidents {
  const at = isoTime(now);
  let isChanged = false;
  const anchored = <T extends { readonly at: string }>(one: T): T => {
    if (one.at <= at) return one;
    isChanged = true;
    return { ...one, at };
  };
  const list = before.list.flatMap((one) => {
    const told = mapped(one.told, anchored);
    const isTold = hooks.every((hook) => knowsTheEnd({ ...one, told }, hook, now));
    if (one.over !== undefined && isTold) {
      isChanged = true;
      return [];
    }
    return [{ ...one, told }];
  });
  const names = Object.keys(before.calling);
  const calling = Object.fromEntries(
    names.flatMap((name) =>
      hooks.some((hook) => hook.name === name) ? [[name, anchored(before.calling[name]!)]] : [],
    ),
  );
  return isChanged || Object.keys(calling).length < names.length ? { list, calling } : before;
}

/** Nothing more comes of it for this hook, and the last message is so old that another one may come of the same. */
function knowsTheEnd(one: IncidentRecord, hook: Wanted, now: Millis): boolean {
  if (dueOf(one, hook, { now, gatherMs: 0 }) !== null) return false;
  const told = ownEntry(one.told, hook.name);
  return told === undefined || now - timeOf(told.at, now) >= LEAST_MS;
}

function dueOf(
  { kind, since, over, told }: IncidentRecord,
  { name, on, remindEveryMs }: Wanted,
  { now, gatherMs }: { readonly now: Millis; readonly gatherMs: number },
): { readonly occasion: Occasion; readonly at: Millis } | null {
  if (!on.has(kind)) return null;
  const last = ownEntry(told, name);
  if (last === undefined) {
    // What has come and gone before anybody was told is told once.
    const occasion = over?.why === 'well' && on.has('recovered') ? 'recovered' : 'opened';
    const began = Date.parse(since);
    return { occasion, at: began > now ? now : began + gatherMs };
  }
  const lastAt = timeOf(last.at, now);
  if (over === undefined) {
    if (last.as === 'over') return { occasion: 'opened', at: lastAt + LEAST_MS };
    if (remindEveryMs === null) return null;
    return { occasion: 'reminder', at: lastAt + Math.max(remindEveryMs, LEAST_MS) };
  }
  if (last.as === 'over' || over.why === 'gone' || !on.has('recovered')) return null;
  return { occasion: 'recovered', at: lastAt + LEAST_MS };
}

/** A time that is yet to come is of a clock that was set back. */
function timeOf(iso: string, now: Millis): Millis {
  return Math.min(Date.parse(iso), now);
}

function waitAfter(tries: number): Millis {
  return Math.min(LONGEST_WAIT_MS, LEAST_MS * 2 ** (tries - 1));
}

function mapped<T>(entries: Readonly<Record<string, T>>, change: (one: T) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(entries).map(([name, one]) => [name, change(one)]));
}

/** Never what every object inherits: a hook may be called `constructor`. */
function ownEntry<T>(entries: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}
