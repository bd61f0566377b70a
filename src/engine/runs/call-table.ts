/** Runs that are to be made in one call: it begins when all that were asked have come, but for those that have left. */
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import type { Programs } from '../user-code/programs.ts';
import { callTogether, type Member } from './call-together.ts';
import type { ProcessRoom, Room } from './isolated.ts';
import type { Tried } from './try-asset.ts';

interface TableOptions {
  readonly programsOf: (runId: string) => Programs;
  /** Default: the call is made here. */
  readonly process: ProcessRoom | undefined;
  readonly over: () => void;
}

export class CallTable {
  readonly #asset: AssetDefinition;
  readonly #options: TableOptions;
  readonly #members: (Member & { readonly serve: (tried: Promise<Tried>) => void })[] = [];
  #size: number;

  constructor(size: number, asset: AssetDefinition, options: TableOptions) {
    this.#size = size;
    this.#asset = asset;
    this.#options = options;
  }

  room(): Room {
    return {
      tryOnce: (_, task, attempt) =>
        new Promise((resolve) => {
          this.#members.push({ task, attempt, serve: resolve });
          this.#look();
        }),
      leave: () => {
        this.#size--;
        this.#look();
      },
    };
  }

  #look(): void {
    if (this.#members.length < this.#size) return;
    if (this.#size > 0) return void this.#serve();
    this.#options.process?.leave();
    this.#options.over();
  }

  async #serve(): Promise<void> {
    const { programsOf, process, over } = this.#options;
    const members = this.#members;
    const programs = programsOf(members[0]!.task.id);
    const call = process?.tryAll ?? callTogether;
    const { tried, over: ended } = call(this.#asset, members, programs);
    for (const [at, { serve }] of members.entries()) serve(tried[at]!);
    await ended;
    // Also those that a process has started for it.
    await programs.end();
    over();
  }
}
