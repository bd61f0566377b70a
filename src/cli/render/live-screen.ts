/** A screen of a watch or a worker on a terminal, below what is said: redrawn as a whole, once a second and when something happens. */
import type { WriteStream as TerminalStream } from 'node:tty';
import type { Ora } from 'ora';
import type { Event } from '../../engine/event.ts';
import { steadyTime } from '../../model/time.ts';
import type { Output } from '../output.ts';
import { givesCursorBack } from './cursor.ts';
import { startGivingWay } from './give-way.ts';
import type { Live } from './progress-line.ts';
import { redrawResized } from './resized.ts';
import { screenLines, type Seen, type SeenSensor } from './watch-screen.ts';
import { type Width, widthOf } from './table.ts';

/** What is over sooner needs no screen, and saves loading the libraries for it. */
const SHOW_AFTER_MS = 300;

/** Ages and times that are left are told in seconds. */
const TURN_EVERY_MS = 1000;

/** So often at most where very much happens. */
const REDRAW_AFTER_MS = 100;

/** A terminal shows Ctrl-C as `^C` behind the last line. On a line of its own, lines would be taken away from there, and the first stay. */
const ECHO = 2;

const UNSEEN: SeenSensor = { last: null, lastAt: 0, failures: 0, since: null, nextAt: undefined };

export class LiveScreen implements Live {
  readonly #output: Output;
  readonly #sensors = new Map<string, SeenSensor>();
  readonly #running = new Map<string, Seen['running'][number]>();
  /** Whose code has ended, and which are not on record. */
  readonly #over = new Set<string>();
  #left = 0;
  #done = 0;
  #failed = 0;
  #spinner: Ora | undefined;
  #cursorIsBack: () => void = () => undefined;
  #stopGivingWay: () => void = () => undefined;
  #drawing: NodeJS.Timeout | undefined;
  #lines: (() => readonly string[]) | undefined;
  #drawn: readonly string[] = [];
  #width: Width | undefined;
  #stream: TerminalStream | undefined;
  #stopped = false;

  /** @param output of a terminal */
  constructor(output: Output) {
    this.#output = output;
    this.#drawing = setTimeout(() => void this.#show(), SHOW_AFTER_MS);
    this.#drawing.unref();
  }

  see(event: Event): void {
    const now = steadyTime(this.#output.clock);
    switch (event.type) {
      case 'tick-due': {
        const { sensor, inMs } = event;
        this.#note(sensor, { since: null, nextAt: inMs === null || inMs === undefined ? inMs : now + inMs });
        break;
      }
      case 'tick-began':
        this.#note(event.sensor, { since: now });
        break;
      case 'tick-finished': {
        const { tick } = event;
        const before = this.#sensors.get(tick.sensor)?.failures ?? 0;
        const failures = tick.status === 'FAILURE' ? before + 1 : tick.status === 'BUSY' ? before : 0;
        this.#note(tick.sensor, { last: tick, lastAt: now, failures, since: null });
        break;
      }
      case 'sensors-watched':
        // Another pipeline may have others.
        for (const name of this.#sensors.keys())
          if (!event.sensors.includes(name)) this.#sensors.delete(name);
        for (const name of event.sensors) this.#note(name, {});
        break;
      case 'run-started':
        this.#left = event.left;
        this.#running.set(event.id, { assets: event.assets, partitionKey: event.partitionKey, since: now });
        break;
      case 'run-ended':
        this.#running.delete(event.run.id);
        this.#over.add(event.run.id);
        break;
      case 'run-let-go':
        this.#running.delete(event.id);
        this.#over.delete(event.id);
        this.#left = event.left;
        break;
      case 'runs-in-hand':
        this.#left = event.left;
        break;
      case 'run-finished':
        this.#running.delete(event.run.id);
        this.#over.delete(event.run.id);
        this.#left = event.left;
        this.#done++;
        if (event.run.status === 'FAILURE') this.#failed++;
        break;
      default:
        return;
    }
    this.#draw();
  }

  above(write: () => void): void {
    this.#spinner?.clear();
    write();
    this.#spinner?.render();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#drawing);
    this.#stopGivingWay();
    this.#spinner?.stop();
    this.#cursorIsBack();
    this.#spinner = undefined;
    process.off('SIGWINCH', this.#resized);
  }

  #note(sensor: string, news: Partial<SeenSensor>): void {
    this.#sensors.set(sensor, { ...(this.#sensors.get(sensor) ?? UNSEEN), ...news });
  }

  #draw(): void {
    if (this.#spinner === undefined || this.#drawing !== undefined) return;
    this.#drawing = setTimeout(() => {
      this.#drawing = undefined;
      this.#spinner?.render();
    }, REDRAW_AFTER_MS);
    this.#drawing.unref();
  }

  async #show(): Promise<void> {
    const [{ default: ora }, width] = await Promise.all([import('ora'), widthOf()]);
    this.#drawing = undefined;
    if (this.#stopped) return;
    this.#width = width;
    // A stream of its own: what is written to `process.stderr` is taken for the user's.
    const { WriteStream } = process.getBuiltinModule('node:tty') as { WriteStream: typeof TerminalStream };
    const stream = new WriteStream(2);
    this.#stream = stream;
    this.#lines = () => {
      const { columns, rows } = this.#sizeOf(stream);
      return screenLines(this.seen, {
        columns: columns - ECHO,
        rows,
        now: steadyTime(this.#output.clock),
        paint: this.#output.paint.stderr,
        width,
      });
    };
    const spinner = ora({
      stream,
      discardStdin: false,
      color: false,
      spinner: { interval: TURN_EVERY_MS, frames: ['●', '○'] },
    });
    const render = spinner.render.bind(spinner);
    spinner.render = () => {
      spinner.text = this.#text();
      return render();
    };
    this.#spinner = spinner;
    process.on('SIGWINCH', this.#resized);
    this.#cursorIsBack = givesCursorBack(this.#output.terminal.stderr);
    this.#stopGivingWay = startGivingWay(spinner);
  }

  readonly #resized = (): void => {
    if (this.#spinner === undefined) return;
    redrawResized(this.#spinner, this.#drawn, {
      stream: this.#output.terminal.stderr,
      columns: this.#sizeOf(this.#stream!).columns,
      width: this.#width!,
    });
  };

  /** The size is kept by node's own stream. A terminal without one would be taken for one of endlessly many lines. */
  #sizeOf(stream: TerminalStream): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = process.stderr;
    stream.columns = columns > 0 ? columns : 80;
    stream.rows = rows > 0 ? rows : 24;
    return stream;
  }

  #text(): string {
    this.#drawn = this.#lines!();
    return this.#drawn.join('\n');
  }

  /** What is shown of it all. */
  get seen(): Seen {
    return {
      sensors: this.#sensors,
      running: [...this.#running.values()],
      queued: Math.max(0, this.#left - this.#running.size - this.#over.size),
      done: this.#done,
      failed: this.#failed,
    };
  }
}
