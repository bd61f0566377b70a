/** The programs that the user code of one run or evaluation starts: marked as its own, and ended with it. */
import type { ProgramNote } from '../../state/state-view.ts';

/** What the system can do with the processes that a program started: a process group. */
export interface ProcessGroup {
  /** The group's first process has ended; what that process started may live on in the group. */
  leaderEnded(): void;
  /** Asks all processes of the group to end, and kills them when the grace is over. Resolves when none is left. */
  end(): Promise<void>;
}

/** What a killed process left of the programs of its runs, or of a sensor that it evaluated. */
export interface LeftBehind {
  /** The executor or evaluation: it is in the environment of these programs. */
  readonly starter: string;
  /** The runs that it was in the middle of; `null`: all of its programs are meant. */
  readonly runs: ReadonlySet<string> | null;
  readonly programs: readonly Omit<ProgramNote, 'runId'>[];
}

/** What became of it. */
export interface LeftEnded {
  /** How many processes were ended. */
  readonly ended: number;
  /** Something may be there that cannot be told from others' processes, or that could not be ended. */
  readonly mayBeLeft: boolean;
}

/** Process groups as the system has them. */
export interface Processes {
  /** `false` where the system has none: then only the program itself can be ended. */
  readonly haveGroups: boolean;
  /** The group that a process leads is ended when this process ends, at the latest. */
  watch(leader: number): ProcessGroup;
  /** Ends what a killed process left behind, as `ProcessGroup` does; by its mark, never by a number alone. */
  endLeft(left: LeftBehind): Promise<LeftEnded>;
}

/** Names of what is in the environment of a program: its run or sensor, and which program of which executor or evaluation it is. */
export const RUN_MARK = 'DYNPART_RUN';
export const SENSOR_MARK = 'DYNPART_SENSOR';
export const PROGRAM_MARK = 'DYNPART_PROGRAM';

/** Stands for the run in the marks of a process that executes one run of its executor after the other. */
export const ANY_RUN = '*';

/** Programs of such a process are numbered from its own number on: no two processes give the same one. */
export const NUMBERS_OF_A_PROCESS = 1_000_000;

export interface ProgramsOptions {
  /** Loaded on use: most user code starts no program. */
  readonly processes: () => Promise<Processes>;
  /** What marks them, and who notes them. Not given where nobody could find them after a kill: in a dry run. */
  readonly marks?: ProgramMarks;
}

export interface ProgramMarks {
  /** Whose they are. */
  readonly of: Readonly<Record<string, string>>;
  /** The executor, or the evaluation. */
  readonly starter: string;
  /** How many programs it has started, this one included. */
  readonly count: () => number;
  readonly note: (program: Omit<ProgramNote, 'runId'>) => void;
}

export class Programs {
  readonly #options: ProgramsOptions;
  readonly #groups = new Set<ProcessGroup>();
  #number = 0;

  constructor(options: ProgramsOptions) {
    this.#options = options;
  }

  processes(): Promise<Processes> {
    return this.#options.processes();
  }

  /** What the next program gets into its environment; as the leader of a group it is known after a kill, too. */
  marksOfNext(leads: boolean): Readonly<Record<string, string>> {
    const { marks } = this.#options;
    if (marks === undefined) return {};
    if (!leads) return marks.of;
    this.#number = marks.count();
    return { ...marks.of, [PROGRAM_MARK]: `${marks.starter}.${this.#number}` };
  }

  /** It was started. To be called at once, before another one is. */
  started(leader: number, processes: Processes): ProcessGroup {
    const group = processes.watch(leader);
    this.#groups.add(group);
    this.#options.marks?.note({ group: leader, number: this.#number });
    return group;
  }

  /** A process of its own has started it for the same code. */
  startedElsewhere(
    { group: leader, number }: Omit<ProgramNote, 'runId'>,
    processes: Processes,
  ): ProcessGroup {
    const group = processes.watch(leader);
    this.#groups.add(group);
    this.#options.marks?.note({ group: leader, number });
    return group;
  }

  /** Such a process is itself to be found after a kill. What it has started is told by itself. */
  noteProcess(program: Omit<ProgramNote, 'runId'>): void {
    this.#options.marks?.note(program);
  }

  /** Whether any was started since the last end. */
  get mayBeLeft(): boolean {
    return this.#groups.size > 0;
  }

  /** Ends what is left of all of them. */
  async end(): Promise<void> {
    const groups = [...this.#groups];
    this.#groups.clear();
    await Promise.all(groups.map((group) => group.end()));
  }
}
