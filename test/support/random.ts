/**
 * fast-check, with the same inputs in each `npm test`, so that a commit either passes or does not. `DYNPART_RUNS` tries
 * new ones, and more of them; `DYNPART_SEED` tries those of one seed.
 */
import { configureGlobal } from 'fast-check';

export * from 'fast-check';

const { DYNPART_RUNS, DYNPART_SEED } = process.env;
const IN_NPM_TEST = 20_261_128;

if (DYNPART_SEED !== undefined) configureGlobal({ seed: Number(DYNPART_SEED) });
else if (DYNPART_RUNS === undefined) configureGlobal({ seed: IN_NPM_TEST });
