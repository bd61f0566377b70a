/** Says what ticks came to: each of them, or by a command that goes on what is new of them. */
import { describe } from '../../model/describe-failure.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { Output } from '../output.ts';
import { wordsForTick } from './tick-words.ts';

export class TickNews {
  /** What is said at the end, where nobody looks. */
  readonly kept: string[] = [];
  readonly #output: Output;
  readonly #lasts: boolean;
  /** What found nothing stands there. */
  readonly #hasScreen: boolean;
  /** The names of what sensors could not look at when they ticked last. */
  readonly #partly = new Map<string, string>();
  /** Sensors whose failure was told and that have not worked since, with the code of that failure. */
  readonly #broken = new Map<string, string>();

  /** @param lasts the command does not end by itself: nothing is kept for an end */
  constructor(
    output: Output,
    { lasts, hasScreen }: { readonly lasts: boolean; readonly hasScreen: boolean },
  ) {
    this.#output = output;
    this.#lasts = lasts;
    this.#hasScreen = hasScreen;
  }

  say(tick: TickRecord): void {
    if (tick.status !== 'BUSY' && tick.status !== 'FAILURE') this.#failures(tick);
    if (!this.#isNews(tick))
      return this.#output.note(`${tick.sensor} still fails: ${tick.error?.message ?? ''}`);
    const { paint, terminal } = this.#output;
    const said = `${paint.stderr.strong(tick.sensor)}: ${wordsForTick(tick)}`;
    if (tick.error?.code === 'sensor-interrupted') this.#output.chat(`${tick.sensor}: ${tick.error.message}`);
    else if (tick.status === 'FAILURE') {
      if (tick.error !== null) this.#output.sayProblem(tick.error);
    } else if (tick.status !== 'SUCCESS') {
      if (!this.#hasScreen) this.#output.chat(paint.stderr.dim(said));
    } else if (terminal.stderr.isTerminal || this.#lasts) this.#output.say(said);
    else this.kept.push(said);
  }

  /** A command that goes on tells once that a sensor fails, and once that it works again. @returns whether this is news */
  #isNews({ sensor, status, error }: TickRecord): boolean {
    if (!this.#lasts || status === 'BUSY' || error?.code === 'sensor-interrupted') return true;
    const before = this.#broken.get(sensor);
    if (status === 'FAILURE') {
      this.#broken.set(sensor, error?.code ?? '');
      return before !== error?.code;
    }
    if (this.#broken.delete(sensor))
      this.#output.say(`${this.#output.paint.stderr.strong(sensor)}: works again`);
    return true;
  }

  /** A command that goes on tells once which parts fail. */
  #failures({ sensor, failures }: TickRecord): void {
    const names = failures.map(({ name }) => name).join('\n');
    const before = this.#partly.get(sensor) ?? '';
    this.#partly.set(sensor, names);
    if (failures.length === 0 || (this.#lasts && names === before)) return;
    this.#output.sayProblem(describe({ reason: 'source-failed', sensor, failures }));
  }
}
