/** Tests of the real binary that hold for every store. */
import { afterAll, beforeAll, describe } from 'vitest';
import { PostgresCluster } from './postgres-cluster.mjs';
import { Project } from './project.ts';

export type ProjectWith = (files: Readonly<Record<string, string>>) => Project;

/** The same tests twice: with the state in a file, and in a server of the tests' own. */
export function describeEachStore(title: string, tests: (projectWith: ProjectWith) => void): void {
  describe(`${title}, with a state in a file`, () => tests((files) => new Project(files)));
  describe(`${title}, with a state in PostgreSQL`, () => {
    let cluster: PostgresCluster;
    beforeAll(async () => {
      cluster = await PostgresCluster.start();
    });
    afterAll(() => cluster[Symbol.dispose]());
    tests((files) => new Project(files, cluster.server));
  });
}
