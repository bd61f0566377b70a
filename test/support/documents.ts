/** State documents for tests: one with everything in it, and what tests change of it. */
import { outcomeOf } from '../../src/model/run.ts';
import { checkState } from '../../src/state/document/check-state.ts';
import { emptyDocument, type RunGroup, type StateDocument } from '../../src/state/document/state-document.ts';
import { AT, tickRecord } from './builders.ts';

/** A group of two queued runs, for keys `a` and `b`. */
export function runGroup(fields: Partial<RunGroup> = {}): RunGroup {
  return {
    id: 'g',
    createdAt: AT,
    sensor: 'feed',
    set: 'letters',
    assets: ['audio'],
    tags: { by: 'hand' },
    origin: 'tick',
    retryOf: null,
    owner: null,
    ownedSince: 0,
    numbers: [1, 2],
    keys: ['a', 'b'],
    runKeys: 'keys',
    status: 'qq',
    interrupted: '00',
    startedAt: {},
    ...fields,
  };
}

/** A valid document in which everything that can be there is there. */
export function fullDocument(fields: Partial<StateDocument> = {}): StateDocument {
  const document: StateDocument = {
    ...emptyDocument(),
    lineage: 'l',
    serial: 7,
    writtenBy: { version: '0.0.0', at: AT },
    pipeline: {
      file: '/p.ts',
      stamp: '1',
      sets: ['letters'],
      concurrency: 10,
      assets: [{ name: 'audio', set: 'letters', inputs: ['report'], deps: [] }],
      sensors: [{ name: 'feed', minimumIntervalSeconds: 30, timeoutSeconds: 60, defaultStatus: 'RUNNING' }],
    },
    sensors: {
      feed: {
        status: 'RUNNING',
        cursor: '1',
        version: 3,
        lastTick: tickRecord({ sensor: 'feed', status: 'SUCCESS' }),
        runKeys: {
          ofKeys: { letters: '11' },
          other: [
            ['once', 'letters', 'b'],
            ['daily', null, null],
            ['x', 'letters', 'a'],
          ],
        },
      },
    },
    assets: { audio: { set: 'letters', status: 'mf.' }, report: { set: null, status: 'm' } },
    executors: [
      {
        id: 'e',
        pid: 1,
        startTime: '1',
        bootId: 'b',
        pidNamespace: 'n',
        host: 'h',
        since: AT,
        slots: 2,
        wants: 0,
      },
    ],
    runs: [
      runGroup(),
      runGroup({
        id: 'h',
        owner: 'e',
        ownedSince: 5,
        status: 'sc',
        interrupted: '01',
        startedAt: { '1': AT },
        done: { '1': [outcomeOf({ asset: 'audio', status: 'SUCCESS', attempts: 2, metadata: { n: 1 } })] },
        runKeys: ['x', null],
      }),
      runGroup({
        id: 'i',
        set: null,
        assets: ['report'],
        numbers: [3],
        keys: [null],
        status: 'q',
        interrupted: '0',
        runKeys: null,
      }),
    ],
    sets: {
      letters: {
        keys: ['a', 'b', 'c'],
        added: [
          [2, AT],
          [1, AT],
        ],
        keptOut: ['z'],
        versions: '\n"2"',
        items: [{ url: 'u' }],
      },
    },
    writers: { last: [{ id: '1-1-b-w', serial: 7 }], forgotten: 3 },
    ...fields,
  };
  return document;
}

const problems = checkState(fullDocument());
if (problems.length > 0) throw new Error(`the full document has problems: ${JSON.stringify(problems)}`);
