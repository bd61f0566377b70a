/** Why keys of a set were made, will be, or are not: those in one state for one reason are counted together. */
import type { Outlook } from '../../engine/plan/why/outlook.ts';
import { shownState, whyStale } from '../../model/partition-status.ts';
import { shellWord } from '../../model/shell-words.ts';
import { clean, counted, grouped, printable } from '../../model/text.ts';
import type { Context } from '../context.ts';
import type { WhySet } from '../json-results.ts';
import type { Subject } from './asked-about.ts';
import { STYLES } from '../render/state-styles.ts';
import { told } from './words.ts';

export async function whySet(context: Context, { asset, perTick, ...subject }: Subject): Promise<WhySet> {
  const { output } = context;
  const view = await subject.look(subject.needsOf(undefined));
  const groups = new Map<
    string,
    { -readonly [Field in keyof WhySet['states'][number]]: WhySet['states'][number][Field] }
  >();
  for (const { key, status, outlook } of subject.outlooks(view).ofAll()) {
    const state = shownState(outlook.is === 'run' ? 'in progress' : status);
    const kind = kindOf(outlook);
    const name = `${state}\n${kind}`;
    const group = groups.get(name);
    if (group !== undefined) group.count++;
    else {
      const { next, text } = told(outlook, { asset, key });
      groups.set(name, {
        state,
        reason: state === 'stale' ? whyStale(status) : null,
        count: 1,
        first: key!,
        next,
        text,
      });
    }
  }
  const states = [...groups.values()].sort(
    (one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state),
  );
  await printSet(context, asset, states);
  const due = states.reduce((sum, { next, count }) => (next === 'make' ? sum + count : sum), 0);
  if (due > perTick)
    output.chat(
      `a tick makes ${counted(perTick, 'key')} at most: ${grouped(Math.ceil(due / perTick))} ticks`,
    );
  return { asset: asset.name, states };
}

async function printSet(
  { output }: Context,
  { name, set }: Subject['asset'],
  states: WhySet['states'],
): Promise<void> {
  if (states.length === 0) return output.chat(`set ${clean(set!)} has no keys`);
  if (!output.terminal.stdout.isTerminal)
    return output.table({
      columns: ['STATE', 'REASON', 'KEYS', 'FIRST', 'NEXT', 'WHY'].map((title) => ({ title })),
      rows: states.map(({ state, reason, count, first, next, text }) => [
        state,
        reason ?? '-',
        String(count),
        printable(first),
        next,
        text,
      ]),
    });
  const paint = output.paint.stdout;
  for (const { state, reason, count, first, text } of states) {
    const why = reason === null ? '' : ` (${reason})`;
    const example = count === 1 ? printable(first) : `from ${printable(first)}`;
    output.print(
      `${counted(count, 'key')} ${paint[STYLES[state]](state)}${why}, ${clean(example)}\n  ${clean(text)}\n`,
    );
  }
  output.chat(`of one key: dynpart why ${shellWord(name, 'ASSET')} --key KEY`);
}

/** What needs somebody first. */
const ORDER = ['failed', 'stale', 'missing', 'backlog', 'in progress', 'skipped', 'materialized'];

/** Runs differ by who has them, not by their ids. */
function kindOf(outlook: Outlook): string {
  if (outlook.is === 'run')
    return `${outlook.work.runs.origin} ${outlook.work.alive} ${outlook.work.run.status}`;
  if (outlook.is === 'waiting')
    return outlook.upstreams.map(({ asset, state }) => `${asset} ${state}`).join();
  return outlook.is === 'due' ? outlook.reason : outlook.is === 'left' ? outlook.because : outlook.is;
}
