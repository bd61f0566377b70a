/** Calls a sensor's function: with what the function may see, for no longer than it may take; and makes data of the result. */
import type { Failure } from '../../model/failure.ts';
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';
import type { PartitionsView } from '../../definitions/sensor.ts';
import { type LogLine, TICK_LOG_LIMIT } from '../../model/tick.ts';
import type { Clock } from '../../model/time.ts';
import type { SetReader } from '../../state/store.ts';
import { setView } from './set-view.ts';
import { makeExec } from '../user-code/exec.ts';
import { type Processes, type ProgramMarks, Programs, SENSOR_MARK } from '../user-code/programs.ts';
import {
  type EvaluatedResult,
  fieldsOf,
  NOTHING_ASKED,
  type ParsedResult,
  resultOf,
} from '../plan/sensor-result/result-fields.ts';
import { withTimeLimit } from '../user-code/time-limit.ts';
import { describeThrown } from '../../model/thrown.ts';
import { LineWriter, writingTo } from '../user-code/output.ts';

/** A sensor's function after its timeout is not waited for: nothing of it will be applied. */
const GRACE_MS = 0;

export interface Evaluation {
  /** With a result that is wrong: what of it can be read all the same. */
  readonly ended:
    { readonly result: EvaluatedResult } | { readonly failure: Failure; readonly usable?: EvaluatedResult };
  /** What the sensor wrote. */
  readonly log: readonly LogLine[];
}

/** Evaluates a sensor here or elsewhere: a watch does it where it can be ended. */
export type EvaluateSensor = (sensor: SensorDefinition, input: EvaluationInput) => Promise<Evaluation>;

export interface EvaluationInput {
  readonly cursor: string | null;
  /** The sets at the start of the tick. */
  readonly sets: SetReader;
  readonly lastTickAt: Date | null;
  readonly interrupt: AbortSignal;
  readonly onOutput: (line: LogLine) => void;
  /** Who notes the programs that it starts; `null`: nobody, since nothing is to be written. */
  readonly programs: EvaluationPrograms | null;
  /** Other sensors share the thread, and this one has it now. */
  readonly onTurn?: (() => void) | undefined;
}

/** What is known of the programs of an evaluation after a kill. */
export interface EvaluationPrograms extends Pick<ProgramMarks, 'note'> {
  /** In the environment of each of them. */
  readonly id: string;
  /** Nothing of them is left. */
  readonly ended: () => void;
}

/** Evaluates sensors in this thread. */
export function evaluateHere(
  pipeline: Pipeline,
  clock: Clock,
  processes: () => Promise<Processes>,
): EvaluateSensor {
  return async (sensor, { cursor, sets, lastTickAt, interrupt, onOutput, onTurn, programs: noted }) => {
    const log: LogLine[] = [];
    const writer = new LineWriter((line) => {
      log.push(line);
      // Only the last ones are kept: a sensor that prints without end must not fill the memory until its timeout.
      if (log.length >= 2 * TICK_LOG_LIMIT) log.splice(0, log.length - TICK_LOG_LIMIT);
      onOutput(line);
    }, clock);
    const programs = new Programs({ processes, ...(noted !== null && marksOf(sensor.name, noted)) });
    const ending = await withTimeLimit(
      { ms: sensor.timeoutSeconds * 1000, interrupt, graceMs: GRACE_MS, clock },
      (cut) =>
        writingTo({ writer, onTurn }, async () => {
          const schema = sensor.cursor;
          // Most cursors are text, and need none of it.
          const typed = schema === null ? null : await import('./typed-cursor.ts');
          const at = typed === null ? { value: cursor } : await typed.readCursor(schema!, cursor);
          if ('problem' in at) return { misfit: at.problem };
          const returned: unknown = await sensor.evaluate({
            cursor: at.value,
            partitions: (set) =>
              setView(sets, pipeline, typeof set === 'string' ? set : set.name) as PartitionsView<never>,
            lastTickAt,
            log: writer.log(),
            exec: makeExec({ writer, programs, cut }),
            get signal() {
              return cut.signal;
            },
          });
          const parse = (result: unknown): Promise<ParsedResult> => parsed(result, sensor, pipeline);
          return typed === null ? parse(returned) : typed.parseTyped(schema!, returned, parse);
        }),
    );
    writer.end();
    // Not waited for: nothing that is left of it is asked for anything any more.
    void programs.end().then(noted?.ended);
    const { name, timeoutSeconds } = sensor;
    switch (ending.type) {
      case 'returned': {
        const parsed = ending.value;
        if ('misfit' in parsed)
          return {
            ended: { failure: { reason: 'sensor-cursor', sensor: name, problem: parsed.misfit } },
            log,
          };
        if ('result' in parsed) return { ended: { result: parsed.result }, log };
        const { problems, usable } = parsed;
        const failure = { reason: 'sensor-result', sensor: name, problems } as const;
        return { ended: usable === undefined ? { failure } : { failure, usable }, log };
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

/** Most results ask for nothing, and start without what reads requests. */
async function parsed(value: unknown, sensor: SensorDefinition, pipeline: Pipeline): Promise<ParsedResult> {
  const fields = fieldsOf(value);
  if ('why' in fields) return { problems: [fields.why] };
  if (fields.requests.length + fields.runs.length === 0) return resultOf(fields, NOTHING_ASKED);
  const { parseAsked } = await import('../plan/sensor-result/parse-sensor-result.ts');
  return resultOf(fields, parseAsked(fields, sensor, pipeline));
}

function marksOf(sensor: string, { id, note }: EvaluationPrograms): { readonly marks: ProgramMarks } {
  let programs = 0;
  return { marks: { of: { [SENSOR_MARK]: sensor }, starter: id, count: () => ++programs, note } };
}
