/** What becomes of an asset and key, in short sentences, and the command that changes it. */
import type { Absent, LeftBecause, Outlook } from '../../engine/plan/why/outlook.ts';
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import type { RunReason } from '../../model/run.ts';
import { shellWord } from '../../model/shell-words.ts';
import { typedKey } from '../../report/key-commands.ts';
import { counted, grouped, printable, quoted } from '../../model/text.ts';

export interface Told {
  /** What the next tick does: makes it, or nothing; or a run is on its way, or it waits. */
  readonly next: 'make' | 'run' | 'wait' | 'nothing';
  readonly text: string;
  readonly command: string;
}

const DUE: Readonly<Record<RunReason, string>> = {
  missing: 'it was never made',
  failed: 'it failed, and it is time to try again',
  version: 'its key has another version',
  code: 'its code is another one',
  upstream: 'what it is made from was made again',
  asked: 'somebody asked',
};

export interface ToldAbout {
  readonly asset: Pick<AssetDefinition, 'name' | 'automate'>;
  readonly key: string | null;
  /** What a run of it would fail without; where it waits for many keys, what the first of these is to be made with. Default: nothing. */
  readonly lacks?: readonly Absent[];
  /** Of what is due: with which tick from now on it is made, and how many runs each queues. Default: the next one. */
  readonly turn?: { readonly ticks: number; readonly perTick: number };
}

export function told(outlook: Outlook, { asset, key, turn, lacks = [] }: ToldAbout): Told {
  const make = making(asset.name, key, lacks);
  const { automate } = asset;
  switch (outlook.is) {
    case 'well':
      return {
        next: 'nothing',
        text:
          automate?.when === 'stale'
            ? 'It is as it should be, and is made again when its version, code or an upstream changes.'
            : 'It is as it should be.',
        command: make,
      };
    case 'due':
      return turn === undefined || turn.ticks === 1
        ? {
            next: 'make',
            text: `The next tick makes it: ${DUE[outlook.reason]}.`,
            command: 'dynpart sensor tick automation',
          }
        : {
            next: 'make',
            text: `Tick ${grouped(turn.ticks)} from now on makes it, since each queues ${counted(turn.perTick, 'run')} at most: ${DUE[outlook.reason]}.`,
            command: make,
          };
    case 'later':
      return { next: 'wait', text: toldOfLater(outlook), command: make };
    case 'run':
      return { next: 'run', ...toldOfRun(outlook) };
    case 'waiting':
      return { next: 'wait', ...toldOfWaiting(outlook, { asset, key, lacks }) };
    case 'left':
      return {
        next: 'nothing',
        text: LEFT[outlook.because](asset.name),
        command: COMMAND[outlook.because] ?? make,
      };
  }
}

/** What is wrong with the pipeline file. */
export const CHECK = 'dynpart check';

const COMMAND: Readonly<Partial<Record<LeftBecause, string>>> = {
  stopped: 'dynpart sensor start automation',
  'not-loaded': CHECK,
};

const LEFT: Readonly<Record<LeftBecause, (asset: string) => string>> = {
  'not-loaded': () => 'No tick makes anything while the pipeline file cannot be loaded.',
  'not-automated': (asset) => `No tick makes it by itself: '${asset}' is not automated.`,
  stopped: () => 'No tick makes it: automation is stopped.',
  filtered: () => 'No tick makes it: automate.only leaves this key out.',
  failed: () =>
    'No tick tries it again as it is: it waits for a person, or another version, code or upstream.',
  backlog: (asset) =>
    `No tick makes it: it was there before '${asset}' was automated, and waits for a person or another version.`,
  stale: (asset) => `No tick makes it again: '${asset}' is automated for missing keys alone.`,
  skipped: () =>
    'There was nothing to make. It is asked again when its version, code or an upstream changes.',
};

function toldOfLater({ because, at }: Extract<Outlook, { is: 'later' }>): string {
  if (because === 'every')
    return `It rests until its next period, which begins at ${at}: automate.every allows one request in each.`;
  return `It is tried again by itself ${at === null ? 'after the delays of its retry.later' : `from ${at} on`}.`;
}

function toldOfRun({ work, by }: Extract<Outlook, { is: 'run' }>): Omit<Told, 'next'> {
  const { run, runs, alive } = work;
  const process = by === null ? '' : ` in process ${by.pid} on ${by.host}`;
  if (run.canceling)
    return { text: `Run ${run.id}${process} is being canceled.`, command: `dynpart runs show ${run.id}` };
  if (by?.blockedSince != null)
    return {
      text: `Run ${run.id} is${process}, which has been blocked since ${by.blockedSince}: it waits until that process ends.`,
      command: `dynpart runs show ${run.id}`,
    };
  if (alive)
    return run.status === 'STARTED'
      ? { text: `Run ${run.id} is making it${process}.`, command: `dynpart runs logs ${run.id} --follow` }
      : {
          text: `Run ${run.id} is queued${process}, and starts when there is room: that process executes ${counted(by?.slots ?? 0, 'run')} at a time.${poolsOf(by)}`,
          command: `dynpart runs show ${run.id}`,
        };
  if (runs.origin === 'tick')
    return {
      text: `Run ${run.id} is in nobody's hands: the next tick takes it up.`,
      command: 'dynpart sensor tick',
    };
  const left =
    runs.origin === 'worker'
      ? 'waits for a worker'
      : "is in nobody's hands, its process is gone: a worker takes it up";
  return { text: `Run ${run.id} ${left}.`, command: 'dynpart worker --once' };
}

/** Of each pool in which runs of the process wait: how many, and how many of its own have a place there. */
function poolsOf(by: Extract<Outlook, { is: 'run' }>['by']): string {
  return Object.entries(by?.pools ?? {})
    .filter(([, [, waiting]]) => waiting > 0)
    .map(
      ([pool, [taken, waiting]]) =>
        ` There ${counted(waiting, 'run')} ${waiting === 1 ? 'waits' : 'wait'} for pool ${printable(pool)}, in which ${taken === 0 ? 'it has no place' : `it has ${counted(taken, 'place')}`}.`,
    )
    .join('');
}

function toldOfWaiting(
  { upstreams, absent }: Extract<Outlook, { is: 'waiting' }>,
  { asset: { name }, key, lacks = [] }: ToldAbout,
): Omit<Told, 'next'> {
  const said = upstreams.map(({ asset, partitionKey, state, keys }) => {
    if (keys === undefined) return `'${asset}', which is ${state}`;
    const many = keys === 1 ? ['that is', ''] : ['that are', 'from '];
    const how = state === 'in progress' ? 'made before it' : 'not there';
    return `${counted(keys, 'key')} of '${asset}' ${many[0]} ${how}, ${many[1]}${quoted(partitionKey ?? '')}`;
  });
  const text = `It waits for ${said.join(', and for ')}.`;
  const [first] = upstreams;
  if (first!.state === 'in progress')
    return {
      text,
      command: `dynpart why ${shellWord(first!.asset, 'ASSET')}${typedKey(first!.partitionKey)}`,
    };
  if (first!.keys !== undefined)
    return { text, command: `${making(first!.asset, null, lacks)} --missing --failed` };
  return { text, command: making(name, key, absent) };
}

/** With all that is to be made before. What has one value for all keys is made without any, and alone. */
function making(name: string, key: string | null, before: readonly Absent[]): string {
  const alone = before.filter(({ isOfSet }) => !isOfSet);
  const names = alone.length > 0 ? alone : [...before, { asset: name }];
  const words = names.map(({ asset }) => shellWord(asset, 'ASSET')).join(' ');
  return `dynpart materialize ${words}${typedKey(alone.length > 0 ? null : key)}`;
}
