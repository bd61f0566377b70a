/** `dynpart state move`: to another place, file or database. */
import path from 'node:path';
import { asNarrowAs } from '../../files/as-narrow-as.ts';
import { fail, FailureError } from '../../model/failure.ts';
import { shellFlag } from '../../model/shell-words.ts';
import { clean, counted } from '../../model/text.ts';
import { giveUpMove, lookAtMove, type Moved, moveState } from '../../state/moving/move-state.ts';
import type { Station } from '../../state/moving/station.ts';
import type { Context } from '../context.ts';
import type { MovedState } from '../json-results.ts';
import type { Project } from '../project.ts';
import { exitProcess } from '../isolation/exit-process.ts';
import { ownStateFile } from '../state-place.ts';
import { refuseOtherFiles, settleMoving, stationOf } from '../state-station.ts';

interface Options {
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly values: boolean;
  readonly giveUp?: boolean;
}

export async function run(context: Context, options: Options): Promise<MovedState> {
  const { project, output, clock } = context;
  project.useMovedState();
  const source = stationOf(project);
  if (options.giveUp === true) return giveUp(context, source);
  if (options.to === undefined)
    return fail({
      reason: 'usage',
      message: 'say where the state is to go: --to',
      hint: 'dynpart state move --to FILE, or: dynpart state move --to postgres://USER@HOST/DATABASE',
    });
  const elsewhere = await placeOf(context, options.to);
  const undo = asNarrowAs(project.stateFile);
  try {
    refuseOtherFiles(elsewhere);
    const target = stationOf(elsewhere);
    const say = (text: string): void => output.warn(text);
    const move = { source, target, values: options.values, clock, say };
    const result = (moved: Moved): MovedState => ({ from: source.place, to: target.place, ...moved });
    if (options.dryRun === true) {
      const moved = await lookAtMove(move);
      output.chat(
        `would move ${inWords(moved)} from ${clean(source.place)} to ${clean(target.place)}; nothing was changed`,
      );
      output.print(
        partsOf(moved)
          .map(([count, one]) => `${one}s\t${count}\n`)
          .join(''),
      );
      return result(moved);
    }
    sayWhenInterrupted(context, target.place);
    await settleMoving(project);
    const moved = await moveState(move);
    const next = isUsual(project, target.place)
      ? 'the usual place: name none from now on, neither with --state nor in DYNPART_STATE'
      : `name it from now on: ${shellFlag('--state', target.place, 'STATE')}, or DYNPART_STATE`;
    output.chat(clean(`moved ${inWords(moved)} from ${source.place} to ${target.place}; ${next}`));
    return result(moved);
  } finally {
    undo();
    await elsewhere.close();
  }
}

/** Whether the state of the pipeline is looked for there where none is named. That of `state.ts` is named always. */
function isUsual(project: Project, place: string): boolean {
  if (!project.hasFile || /^state\.\w+$/i.test(path.basename(project.file))) return false;
  return place === ownStateFile(project.file);
}

/** What a kill leaves is what the same command goes on from: so it leaves at once, and says so. */
function sayWhenInterrupted({ output, interrupts }: Context, to: string): void {
  interrupts.listen(() => {
    output.warn(
      `interrupted; nothing is lost, and the same command goes on: dynpart state move ${shellFlag('--to', to, 'PLACE')}; to leave the state where it was: dynpart state move --give-up`,
    );
    exitProcess(interrupts.code);
  });
}

async function placeOf({ project, output }: Context, state: string): Promise<Project> {
  const elsewhere = project.elsewhere({ state }, output);
  await elsewhere.findState();
  elsewhere.useNewState();
  elsewhere.useMovedState();
  return elsewhere;
}

async function giveUp(context: Context, source: Station): Promise<MovedState> {
  const { output } = context;
  const { move } = await source.store.document();
  let elsewhere: Project | null = null;
  try {
    if (move !== undefined && 'to' in move) elsewhere = await placeOf(context, move.to);
    let target = elsewhere === null ? null : stationOf(elsewhere);
    try {
      await target?.store.document();
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      output.warn(
        `${target!.place} cannot be looked at; if all of the state was there, it is in two places now`,
      );
      target = null;
    }
    const stays = await giveUpMove({ source, target });
    output.chat(`the state stays in ${clean(source.place)}`);
    return { from: source.place, to: source.place, ...stays };
  } finally {
    await elsewhere?.close();
  }
}

function partsOf({
  sets,
  keys,
  runs,
  ended,
  ticks,
  values,
}: Moved): (readonly [count: number, one: string])[] {
  return [
    [keys, 'key'],
    [sets, 'set'],
    [runs, 'queued run'],
    [ended, 'ended run'],
    [ticks, 'tick'],
    [values, 'value'],
  ];
}

function inWords(moved: Moved): string {
  const [keys, sets, ...others] = partsOf(moved).map(([count, one]) => counted(count, one));
  return `${keys} in ${sets}, ${others.slice(0, -1).join(', ')} and ${others.at(-1)}`;
}
