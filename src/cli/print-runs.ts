/** For commands that do not end by themselves: with `--json` a document a line for each tick and run. */
import type { Emit } from '../engine/event.ts';
import type { Context } from './context.ts';

export function printingRuns(context: Context, emit: Emit): Emit {
  return (event) => {
    emit(event);
    if (!context.output.options.json) return;
    if (event.type === 'tick-finished') context.output.printLine({ tick: event.tick });
    if (event.type === 'run-finished') context.output.printLine({ run: event.run });
  };
}
