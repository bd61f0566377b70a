/** Calls a sensor's function: with what it may see, for no longer than it may take, and makes data of what it returns. */
import type { Failure } from '../../model/failure.ts';
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';
import { nearest } from '../../model/nearest.ts';
import type { PartitionsView } from '../../definitions/sensor.ts';
import { type LogLine, TICK_LOG_LIMIT } from '../../model/tick.ts';
import type { Clock } from '../../model/time.ts';
import type { StateView } from '../../state/slice.ts';
import { makeExec } from '../user-code/exec.ts';
import { type Processes, Programs } from '../user-code/programs.ts';
import { type EvaluatedResult, parseSensorResult } from '../plan/sensor-result.ts';
import { withTimeLimit } from '../user-code/time-limit.ts';
import { describeThrown } from '../../model/thrown.ts';
import { LineWriter, writingTo } from '../user-code/output.ts';

/** A sensor's function after its timeout is not waited for: nothing of it will be applied. */
const GRACE_MS = 0;

export interface Evaluation {
  readonly ended: { readonly result: EvaluatedResult } | { readonly failure: Failure };
  /** What the sensor wrote. */
  readonly log: readonly LogLine[];
}

/** Evaluates a sensor here or elsewhere: a watch does it where it can be ended. */
export type EvaluateSensor = (sensor: SensorDefinition, input: EvaluationInput) => Promise<Evaluation>;

export interface EvaluationInput {
  readonly view: StateView;
  readonly lastTickAt: Date | null;
  readonly interrupt: AbortSignal;
  readonly onOutput: (line: LogLine) => void;
  /** Other sensors share the thread, and this one has it now. */
  readonly onTurn?: (() => void) | undefined;
}

/** Evaluates sensors in this thread. */
export function evaluateHere(
  pipeline: Pipeline,
  clock: Clock,
  processes: () => Promise<Processes>,
): EvaluateSensor {
  return async (sensor, { view, lastTickAt, interrupt, onOutput, onTurn }) => {
    const log: LogLine[] = [];
    const writer = new LineWriter((line) => {
      log.push(line);
      // Only the last ones are kept: a sensor that prints without end must not fill the memory until its timeout.
      if (log.length >= 2 * TICK_LOG_LIMIT) log.splice(0, log.length - TICK_LOG_LIMIT);
      onOutput(line);
    }, clock);
    const programs = new Programs({ processes });
    const ending = await withTimeLimit(
      { ms: sensor.timeoutSeconds * 1000, interrupt, graceMs: GRACE_MS, clock },
      (signal) =>
        writingTo(
          writer,
          async () => {
            const returned: unknown = await sensor.evaluate({
              cursor: view.sensor(sensor.name).cursor,
              partitions: (set) => viewOfSet(view, pipeline, typeof set === 'string' ? set : set.name),
              lastTickAt,
              log: writer.log(),
              exec: makeExec({ writer, signal, programs }),
              signal,
            });
            return parseSensorResult(returned, sensor, pipeline);
          },
          onTurn,
        ),
    );
    writer.end();
    // Not waited for: nothing that is left of it is asked for anything any more.
    void programs.end();
    const { name, timeoutSeconds } = sensor;
    switch (ending.type) {
      case 'returned': {
        const parsed = ending.value;
        if ('result' in parsed) return { ended: { result: parsed.result }, log };
        // Every offending key is named: those that are missing, too.
        const { missingKeys } = await import('../plan/tick.ts');
        const missing = parsed.usable === undefined ? [] : missingKeys(view, parsed.usable, clock.now());
        return {
          ended: {
            failure: { reason: 'sensor-result', sensor: name, problems: [...parsed.problems, ...missing] },
          },
          log,
        };
      }
      case 'threw':
        return {
          ended: { failure: { reason: 'sensor-threw', sensor: name, ...describeThrown(ending.error) } },
          log,
        };
      case 'timeout':
        return {
          ended: { failure: { reason: 'sensor-timeout', sensor: name, seconds: timeoutSeconds } },
          log,
        };
      case 'interrupted':
        return { ended: { failure: { reason: 'sensor-interrupted', sensor: name } }, log };
    }
  };
}

/** After so many single questions about a set, an index of it is cheaper than one more scan. */
const QUESTIONS_BEFORE_INDEX = 8;

function viewOfSet(view: StateView, pipeline: Pipeline, set: string): PartitionsView {
  if (!pipeline.sets.includes(set)) {
    const names = pipeline.sets;
    throw new Error(
      `the pipeline has no set '${set}'${nearest(set, names).length > 0 ? `; did you mean '${nearest(set, names)[0]}'?` : ''}`,
    );
  }
  let index: ReadonlySet<string> | undefined;
  let questions = 0;
  return {
    get keys() {
      // A copy: the view is shared by everything that plans from it.
      return Object.freeze([...view.keys(set)]);
    },
    get count() {
      return view.keys(set).length;
    },
    has: (key) => {
      if (index === undefined && ++questions > QUESTIONS_BEFORE_INDEX) index = new Set(view.keys(set));
      return index?.has(key) ?? view.keys(set).includes(key);
    },
    missing: (keys) => {
      if (typeof keys === 'string')
        throw new TypeError(`missing() takes a list of keys; for one key write ['${keys}']`);
      const asked = new Set(keys);
      const present = index ?? view.present(set, asked);
      // What an operator keeps out is not there, and is not to come back either.
      const keptOut = view.keptOut(set, asked);
      const all = [...asked];
      return present.size + keptOut.size === 0
        ? all
        : all.filter((key) => !present.has(key) && !keptOut.has(key));
    },
  };
}
