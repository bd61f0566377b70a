/** The programs that the user code of one run or evaluation starts: marked as its own, and ended with it. */

/** What the system can do with the processes that a program started: a process group. */
export interface ProcessGroup {
  /** Its first process has ended; what that one started may live on in the group. */
  leaderEnded(): void;
  /** Asks all of it to end, and kills it when the grace is over. Resolves when nothing of it is left. */
  end(): Promise<void>;
}

/** Process groups as the system has them. */
export interface Processes {
  /** `false` where the system has none: then only the program itself can be ended. */
  readonly haveGroups: boolean;
  /** The group that a process leads is ended when this process ends, at the latest. */
  watch(leader: number): ProcessGroup;
}

export interface ProgramsOptions {
  /** Loaded on use: most user code starts no program. */
  readonly processes: () => Promise<Processes>;
  /** The environment that tells the next program from all others. */
  readonly mark?: () => Readonly<Record<string, string>>;
  /** A program leads this group from now on. */
  readonly onStart?: (group: number) => void;
}

export class Programs {
  readonly #options: ProgramsOptions;
  readonly #groups = new Set<ProcessGroup>();

  constructor(options: ProgramsOptions) {
    this.#options = options;
  }

  processes(): Promise<Processes> {
    return this.#options.processes();
  }

  /** What the next program gets into its environment. */
  mark(): Readonly<Record<string, string>> {
    return this.#options.mark?.() ?? {};
  }

  /** A program was started as the leader of a group. */
  started(leader: number, processes: Processes): ProcessGroup {
    const group = processes.watch(leader);
    this.#groups.add(group);
    // Noted at once: a kill from here on leaves a group that the next process knows.
    this.#options.onStart?.(leader);
    return group;
  }

  /** Ends what is left of all of them. */
  async end(): Promise<void> {
    const groups = [...this.#groups];
    this.#groups.clear();
    await Promise.all(groups.map((group) => group.end()));
  }
}
