/** The words for every failure: what happened, and what to do next. */
import type { Failure } from './failure.ts';
import { pipelineWords } from './failures/pipeline.ts';
import { runWords } from './failures/run.ts';
import { sensorWords } from './failures/sensor.ts';
import { stateWords } from './failures/state.ts';
import { usageWords } from './failures/usage.ts';
import type { InWords, WordsFor } from './failures/phrases.ts';
import type { Problem } from './problem.ts';

const SUBJECTS = {
  usage: usageWords,
  pipeline: pipelineWords,
  sensor: sensorWords,
  run: runWords,
  state: stateWords,
};

const WORDS: WordsFor<Failure> = {
  ...usageWords,
  ...pipelineWords,
  ...sensorWords,
  ...runWords,
  ...stateWords,
};

/** Words for a failure. */
export function describe(failure: Failure): Problem {
  const inWords = WORDS[failure.reason] as (failure: Failure) => InWords;
  const [message, hint = null, code = failure.reason] = inWords(failure);
  return { code, message, hint };
}

export type Subject = keyof typeof SUBJECTS;

/** What a failure is about: the file of `failures/` that it stands in. */
export function subjectOf({ reason }: Failure): Subject {
  return (Object.keys(SUBJECTS) as Subject[]).find((subject) => Object.hasOwn(SUBJECTS[subject], reason))!;
}
