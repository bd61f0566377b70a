/** Tests of the real binary that hold for every store. */
import { afterAll, beforeAll, describe } from 'vitest';
import { PostgresCluster } from './postgres-cluster.mjs';
import { Project } from './project.ts';

type Files = Readonly<Record<string, string>>;

type ProjectClass = new (files: Files, server?: string) => Project;

export type ProjectWith = (files: Files) => Project;

type Tests = (projectWith: ProjectWith) => void;

/** The same tests twice: with the state in a file, and in a server of the tests' own. The class says what a command of theirs takes. */
export function describeEachStore(
  title: string,
  ...given: readonly [tests: Tests] | readonly [Kind: ProjectClass, tests: Tests]
): void {
  const [Kind, tests] = given.length === 1 ? [Project, given[0]] : given;
  describe(`${title}, with a state in a file`, () => tests((files) => new Kind(files)));
  describe(`${title}, with a state in PostgreSQL`, () => {
    let cluster: PostgresCluster;
    beforeAll(async () => {
      cluster = await PostgresCluster.start();
    });
    afterAll(() => cluster[Symbol.dispose]());
    tests((files) => new Kind(files, cluster.server));
  });
}
