/** What every command is given: what it says, what it works on, and the process around it. */
import type { Output } from './output.ts';
import type { Project } from './project.ts';
import type { Surroundings } from './command-environment.ts';

export interface Context extends Surroundings {
  readonly output: Output;
  readonly project: Project;
}
