/** Draws the stream of events: for a person at a terminal, for cron, and as the lists that `--json` prints. */
import { describe } from '../../model/describe-failure.ts';
import { clean, counted, duration, printable } from '../../model/text.ts';
import type { RunRecord } from '../../model/run.ts';
import type { WaitsFor } from '../../engine/plan/executors/waits-for.ts';
import type { Event, RunFinished, RunSetAside, TickUnrecorded } from '../../engine/event.ts';
import { FailureError } from '../../model/failure.ts';
import type { Output } from '../output.ts';
import type { Counts } from '../json-results-of-runs.ts';
import { type Live, LiveLine } from './progress-line.ts';
import { forKey, sayLeft, wordsForLetGo, wordsForStopping, wordsForWaiting } from './process-words.ts';
import { RunTally } from './run-tally.ts';
import { TickNews } from './tick-news.ts';

/** So many failures are told one by one; the rest is counted, and `runs list` has them all. */
const MOST_TOLD = 10;

export interface EventRendererOptions {
  /** Whether the list of runs is wanted at the end. */
  readonly keepsRuns: boolean;
  /** The command does not end by itself: everything is said at once, and nothing is kept for an end. */
  readonly lasts?: boolean;
  /** Whether a command that lasts was told to end: else it goes on, by edited files. */
  readonly isToldToEnd?: () => boolean;
  /** For a command that goes on, where somebody looks; else a line while runs are at work. */
  readonly screen?: Live | null;
}

export class EventRenderer {
  /** Every run that ended, unless the list was not wanted. */
  readonly runs: RunRecord[] = [];
  readonly #output: Output;
  readonly #keepsRuns: boolean;
  readonly #lasts: boolean;
  readonly #isToldToEnd: () => boolean;
  readonly #live: Live;
  readonly #ticks: TickNews;
  readonly #tally: RunTally;
  #toldFailures = 0;
  #toldWaiting = '';
  #timeIsOver = false;
  /** At the end: runs come back one by one where calls for many keys end. */
  #givenBack = 0;
  /** Runs that ended, and whose end the disk or the server did not take. */
  #unrecorded = 0;

  constructor(
    output: Output,
    { keepsRuns, lasts = false, isToldToEnd = () => true, screen = null }: EventRendererOptions,
  ) {
    this.#output = output;
    this.#keepsRuns = keepsRuns;
    this.#lasts = lasts;
    this.#isToldToEnd = isToldToEnd;
    this.#live = screen ?? new LiveLine(output);
    this.#ticks = new TickNews(output, { lasts, hasScreen: screen !== null });
    this.#tally = new RunTally(output, { tellsWarned: !lasts });
    output.talkThrough((write) => this.#live.above(write));
    if (lasts) output.stampTalk();
  }

  get counts(): Counts {
    return this.#tally.counts;
  }

  readonly emit = (event: Event): void => {
    const output = this.#output;
    this.#live.see(event);
    switch (event.type) {
      case 'sensors-watched':
      case 'tick-due':
      case 'tick-began':
      case 'attempt-ended':
      case 'run-ended':
        return;
      case 'tick-finished':
        return this.#ticks.say(event.tick);
      case 'runs-taken-up':
        return output.note(`taking up ${counted(event.count, 'run')} without a live owner`);
      case 'runs-left-alone':
      case 'programs-left':
        return sayLeft(output, event);
      case 'process-blocked':
        if (!this.#lasts) return output.fail(event.failure);
        output.exitWith(1);
        return output.sayProblem(describe(event.failure));
      case 'run-set-aside':
        return this.#setAside(event);
      case 'runs-released':
        return this.#released(event.count);
      case 'runs-lost':
        return output.fail({ reason: 'runs-lost', count: event.count });
      case 'runs-in-hand':
        return this.#batchMayEnd(event.left);
      case 'run-started':
        this.#tally.runBegins();
        return output.note(
          `run ${event.id} started: ${event.assets.join(', ')}${forKey(event.partitionKey)}`,
        );
      case 'run-let-go':
        output.note(wordsForLetGo(event));
        return this.#batchMayEnd(event.left);
      case 'stopping':
        return output.chat(wordsForStopping(event));
      case 'time-over':
        this.#timeIsOver = true;
        return output.note(`no further run begins: the time of --for is over; ${event.left} wait`);
      case 'attempt-failed':
        return output.note(
          `try ${event.attempt} of asset '${event.asset}'${forKey(event.partitionKey)} failed: ${event.problem.message}; again in ${duration(event.retryInMs)}`,
        );
      case 'run-finished':
        return this.#run(event);
      case 'runs-unrecorded':
        this.#unrecorded += event.count;
        return;
      case 'tick-unrecorded':
        return this.#tickUnrecorded(event);
      case 'waiting':
        return this.#waits(event.waitsFor);
      case 'output':
        return output.note(`${event.source} | ${event.line.text}`);
      default:
        return unrendered(event);
    }
  };

  /** The line that sums up the runs; silent under cron when there were none. */
  end(): void {
    this.#live.stop();
    if (this.#givenBack > 0)
      this.#output.say(
        `stopped: ${counted(this.#givenBack, 'run')} back in the queue, for the next tick or worker`,
      );
    const { total, failed } = this.counts;
    const paint = this.#output.paint.stderr;
    if (failed > 0) this.#output.chat(paint.dim(`  ${this.#tally.afterFailures()}`));
    if (this.#toldFailures > MOST_TOLD && !this.#lasts) {
      this.#output.say(
        paint.dim(
          this.#output.toPaste(
            `  … and ${counted(this.#toldFailures - MOST_TOLD, 'more failed run')}; all of them: dynpart runs list --status FAILURE`,
          ),
        ),
      );
    }
    // Who was told of each batch must not take the sum for one more.
    const sum = `${this.#lasts ? 'in all: ' : ''}${this.#tally.inWords()}`;
    this.#sayTold([...(total === 0 ? [] : [sum]), ...this.#leftInWords()]);
  }

  /** A command that goes on says by which run it is kept waiting; its exit code is that of its end. */
  #setAside({ run, failure, againInMs }: RunSetAside): void {
    this.#output.sayProblem(describe(failure));
    this.#output.say(`run ${run} stays in the queue, and is tried again in ${duration(againInMs)}`);
  }

  #released(count: number): void {
    this.counts.queued += count;
    if (this.#timeIsOver) return;
    if (this.#lasts && !this.#isToldToEnd()) this.#output.say(`${counted(count, 'run')} back in the queue`);
    else this.#givenBack += count;
  }

  /** What had no time to begin is told with the sum, which is one line for cron. */
  #leftInWords(): string[] {
    const { queued } = this.counts;
    if (!this.#timeIsOver || queued === 0) return [];
    return [`time is over: ${counted(queued, 'run')} left in the queue, for the next tick or worker`];
  }

  /** A command that goes on tells of each batch when nothing of it is left. */
  #batchMayEnd(left: number): void {
    const words = left === 0 ? this.#tally.batchEnds() : null;
    if (words !== null && this.#lasts) this.#output.say(words);
  }

  /** cron mails every line, so that cron is given one line. A person has read the first lines already. */
  #sayTold(last: readonly string[]): void {
    const lines = [...this.#ticks.kept, ...last];
    if (lines.length > 0) this.#output.say(lines.join('; '));
  }

  #waits(waitsFor: WaitsFor | null): void {
    const words = waitsFor === null ? this.#toldWaiting : wordsForWaiting(waitsFor);
    if (words !== this.#toldWaiting) this.#output.chat(words);
    this.#toldWaiting = words;
  }

  #run(event: RunFinished): void {
    this.#oneRun(event);
    this.#batchMayEnd(event.left);
  }

  #oneRun({ run, canceledByOthers }: RunFinished): void {
    this.#tally.count(run, canceledByOthers);
    if (this.#keepsRuns) this.runs.push(run);
    this.#warnings(run);
    if (run.status !== 'FAILURE' && !canceledByOthers)
      return this.#output.note(`run ${run.id}${forKey(run.partitionKey)}: ${run.status}`);
    this.#output.exitWith(1);
    if ((++this.#toldFailures > MOST_TOLD && !this.#lasts) || this.#output.options.json) return;
    // A failed run always says why.
    const error = run.error!;
    const paint = this.#output.paint.stderr;
    const hint = error.hint === null ? '' : `\n${paint.dim(`  ${clean(this.#output.toPaste(error.hint))}`)}`;
    const what =
      run.status === 'FAILURE'
        ? `${paint.bad('failed:')} run ${run.id}`
        : `${paint.warn('canceled:')} run ${run.id}${forKey(run.partitionKey)}`;
    this.#output.sayAlways(`${what}: ${clean(error.message)}${hint}`);
  }

  /** What was kept, and somebody should know of. cron is told with the sum how many there are. */
  #warnings({ id, partitionKey, assets }: RunRecord): void {
    const lines = assets.flatMap(({ asset, warnings }) =>
      warnings.map(
        ({ check, message }) =>
          `${this.#output.paint.stderr.warn('warning:')} run ${id}: check ${printable(check)} of asset '${asset}'${forKey(partitionKey)}: ${clean(message)}`,
      ),
    );
    if (lines.length === 0) return;
    if (this.#tally.countWarned() > MOST_TOLD && !this.#lasts) return;
    for (const line of lines) this.#output.chat(line);
  }

  /**
   * The failure that kept them from being recorded is said by the command; this is what became of the runs. Once, when no more of
   * them can come: each that was at work when the disk filled up ends by itself.
   */
  sayUnrecorded(): void {
    const count = this.#unrecorded;
    this.#unrecorded = 0;
    if (count === 0) return;
    this.#output.sayAlways(
      `${counted(count, 'run')} ended, and the end could not be recorded: the next tick or worker executes ${count === 1 ? 'it' : 'them'} again`,
    );
  }

  /** What the tick committed stands, and its runs are executed all the same. */
  #tickUnrecorded({ sensor, error }: TickUnrecorded): void {
    if (!(error instanceof FailureError)) throw error;
    this.#output.sayAlways(
      `what the tick of '${sensor}' committed stands; its entry in the history could not be written`,
    );
    this.#output.fail(error.failure);
  }
}

/** A new type of event that nobody renders does not compile. */
function unrendered(event: never): never {
  throw new Error(`no words for ${JSON.stringify(event)}`);
}
