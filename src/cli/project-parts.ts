/** What is known of a project before anything of it is looked at. */
import type { Surroundings } from './command-environment.ts';
import type { Output } from './output.ts';

/** What was said of where the project is; `undefined`: nothing. */
export interface ProjectOptions {
  readonly file: string | undefined;
  readonly state: string | undefined;
}

export interface ProjectParts extends Pick<Surroundings, 'terminal' | 'clock' | 'version'> {
  readonly options: ProjectOptions;
  /** What is said of the state, and what the user's code says, goes there. */
  readonly output: Output;
}
