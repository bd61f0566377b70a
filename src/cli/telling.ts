/** What a command has to do with `notify`: nothing where the pipeline has none, also nothing to load. */
import type { RunSessionOptions } from '../engine/runs/run-session.ts';
import type { Teller } from '../engine/incidents/teller.ts';
import { describe } from '../model/describe-failure.ts';
import { FailureError } from '../model/failure.ts';
import type { Context } from './context.ts';

export class Telling {
  readonly #context: Pick<Context, 'project' | 'clock' | 'interrupts' | 'output'>;
  #teller: Teller | null = null;

  constructor(context: Pick<Context, 'project' | 'clock' | 'interrupts' | 'output'>) {
    this.#context = context;
  }

  /** By the code as it is now. Once somebody is told, the hooks that are gone are forgotten, too. */
  async withStore(options: RunSessionOptions): Promise<RunSessionOptions> {
    if (options.pipeline.notify.length === 0 && this.#teller === null) return options;
    const { tellingStore } = await import('../engine/incidents/telling-store.ts');
    const teller = (this.#teller ??= await this.#newTeller());
    teller.use(options.pipeline, options.known);
    teller.begin();
    return { ...options, store: tellingStore(options.store, options.clock, teller.news) };
  }

  async #newTeller(): Promise<Teller> {
    const { Teller: TellerClass } = await import('../engine/incidents/teller.ts');
    const { hostname } = await import('node:os');
    const { project, clock, interrupts } = this.#context;
    return new TellerClass({
      store: project.store,
      clock,
      interrupt: interrupts.signal,
      from: `${project.file} on ${hostname()}`,
      onFailed: (failure) => this.#say(new FailureError(failure)),
    });
  }

  #say({ failure }: FailureError): void {
    const { message, hint } = describe(failure);
    this.#context.output.warn(hint === null ? message : `${message}; ${hint}`);
  }

  /** The rest is told. Whatever becomes of that changes nothing of what the command has done. */
  async end(): Promise<void> {
    try {
      await this.#teller?.end();
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      // That one keeps the command from everything else as well, which says so.
      if (error.failure.reason !== 'foreign-state') this.#say(error);
    }
  }
}
