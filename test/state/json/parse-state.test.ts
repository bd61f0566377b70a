/** Parsing a state file: what is not its shape is named with its place, and nothing but a failure comes out of a damaged one. */
import * as fc from '../../support/random.ts';
import { describe, expect, it } from 'vitest';
import { type Failure, FailureError } from '../../../src/model/failure.ts';
import { checkState } from '../../../src/state/document/check-state.ts';
import { viewOf } from '../../../src/state/document/document-view.ts';
import { parseState } from '../../../src/state/json/parse-state.ts';
import { signs } from '../../support/builders.ts';
import { fullDocument } from '../../support/documents.ts';

const FILE = '/somewhere/state.json';

function failureOf(text: string): Failure {
  try {
    parseState(text, FILE);
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  throw new Error('it was accepted');
}

type Path = readonly (string | number)[];

/** The full document with another value at a path; `undefined` takes it out. */
function changed(path: Path, value: unknown): string {
  const document = structuredClone(fullDocument()) as unknown;
  let at = document as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) {
    at = at[step] as Record<string | number, unknown>;
    if (typeof at !== 'object' || at === null) throw new Error(`there is no ${path.join('.')}`);
  }
  const last = path.at(-1)!;
  if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
  return JSON.stringify(document);
}

describe('parsing a state file', () => {
  it('brings back what was written', () => {
    expect(parseState(JSON.stringify(fullDocument()), FILE)).toEqual(fullDocument());
  });

  it.each(['', ' ', '\n'])('says that a file with only %j in it is empty', (text) => {
    expect(failureOf(text)).toEqual({ reason: 'state-empty', file: FILE });
  });

  it('says of a torn file that it is not whole', () => {
    const text = JSON.stringify(fullDocument());
    for (const length of [1, 10, text.length - 1]) {
      expect(failureOf(text.slice(0, length))).toMatchObject({ reason: 'state-not-json', file: FILE });
    }
  });

  it('refuses a newer schema in words of its own', () => {
    expect(failureOf(changed(['schema'], 6))).toEqual({
      reason: 'state-newer',
      file: FILE,
      schema: 6,
      supported: 5,
    });
  });

  it.each([0, -1])('refuses a schema of %i that no dynpart ever wrote in words of its own', (schema) => {
    expect(failureOf(changed(['schema'], schema))).toEqual({
      reason: 'state-older',
      file: FILE,
      schema,
      oldest: 1,
    });
  });

  it.each<readonly [string, unknown]>([
    ['null', null],
    ['[]', []],
    ['"text"', 'text'],
    ['7', 7],
  ])('names the whole document where it is %s', (_, value) => {
    expect(failureOf(JSON.stringify(value))).toMatchObject({
      reason: 'state-misshapen',
      place: 'the document',
    });
  });

  const fields: readonly (readonly [place: string, path: Path, wrong: unknown])[] = [
    ['schema', ['schema'], 1.5],
    ['schema', ['schema'], '1'],
    ['lineage', ['lineage'], 5],
    ['serial', ['serial'], -1],
    ['serial', ['serial'], 1.5],
    ['serial', ['serial'], '7'],
    ['writtenBy', ['writtenBy'], null],
    ['pipeline', ['pipeline'], []],
    ['pipeline.file', ['pipeline', 'file'], null],
    ['pipeline.stamp', ['pipeline', 'stamp'], 1],
    ['pipeline.sets[0]', ['pipeline', 'sets', 0], 1],
    ['pipeline.concurrency', ['pipeline', 'concurrency'], '10'],
    ['pipeline.assets', ['pipeline', 'assets'], {}],
    ['pipeline.assets[0].name', ['pipeline', 'assets', 0, 'name'], null],
    ['pipeline.assets[0].set', ['pipeline', 'assets', 0, 'set'], 1],
    ['pipeline.assets[0].inputs', ['pipeline', 'assets', 0, 'inputs'], {}],
    ['pipeline.assets[0].deps', ['pipeline', 'assets', 0, 'deps'], 'x'],
    ['pipeline.sensors[0].name', ['pipeline', 'sensors', 0, 'name'], {}],
    [
      'pipeline.sensors[0].minimumIntervalSeconds',
      ['pipeline', 'sensors', 0, 'minimumIntervalSeconds'],
      null,
    ],
    ['pipeline.sensors[0].timeoutSeconds', ['pipeline', 'sensors', 0, 'timeoutSeconds'], '60'],
    ['pipeline.sensors[0].defaultStatus', ['pipeline', 'sensors', 0, 'defaultStatus'], 'MAYBE'],
    ['writers', ['writers'], undefined],
    ['writers.forgotten', ['writers', 'forgotten'], -1],
    ['writers.last', ['writers', 'last'], {}],
    ['writers.last[0]', ['writers', 'last', 0], 'w'],
    ['writers.last[0].id', ['writers', 'last', 0, 'id'], 4],
    ['writers.last[0].serial', ['writers', 'last', 0, 'serial'], '4'],
    ['sets', ['sets'], []],
    ['sets.letters', ['sets', 'letters'], null],
    ['sets.letters.keys', ['sets', 'letters', 'keys'], 'abc'],
    ['sets.letters.keys[1]', ['sets', 'letters', 'keys', 1], 2],
    ['sets.letters.keptOut', ['sets', 'letters', 'keptOut'], undefined],
    ['sets.letters.versions', ['sets', 'letters', 'versions'], ['1']],
    ['sets.letters.versions', ['sets', 'letters', 'versions'], 'a\nb\nc\nd'],
    ['sets.letters.versions', ['sets', 'letters', 'versions'], 'C:\\temp'],
    ['sets.letters.items', ['sets', 'letters', 'items'], [1, 2, 3, 4]],
    ['sets.letters.added', ['sets', 'letters', 'added'], [[2, '2026-01-01T00:00:00.000Z']]],
    ['sets.letters.added[0]', ['sets', 'letters', 'added', 0], 3],
    ['sets.letters.added[0][0]', ['sets', 'letters', 'added', 0, 0], -2],
    ['sets.letters.added[0][1]', ['sets', 'letters', 'added', 0, 1], null],
    ['assets.audio', ['assets', 'audio'], 'm'],
    ['assets.audio.set', ['assets', 'audio', 'set'], undefined],
    ['assets.audio.status', ['assets', 'audio', 'status'], 'mx'],
    ['sensors.feed', ['sensors', 'feed'], []],
    ['sensors.feed.status', ['sensors', 'feed', 'status'], 'PAUSED'],
    ['sensors.feed.cursor', ['sensors', 'feed', 'cursor'], 5],
    ['sensors.feed.version', ['sensors', 'feed', 'version'], null],
    ['sensors.feed.lastTick', ['sensors', 'feed', 'lastTick'], 'yesterday'],
    ['sensors.feed.runKeys', ['sensors', 'feed', 'runKeys'], null],
    ['sensors.feed.runKeys.ofKeys.letters', ['sensors', 'feed', 'runKeys', 'ofKeys', 'letters'], '12'],
    ['sensors.feed.runKeys.other', ['sensors', 'feed', 'runKeys', 'other'], {}],
    ['sensors.feed.runKeys.other[0][0]', ['sensors', 'feed', 'runKeys', 'other', 0, 0], null],
    ['sensors.feed.runKeys.other[0][1]', ['sensors', 'feed', 'runKeys', 'other', 0, 1], 1],
    ['sensors.feed.runKeys.other[0][2]', ['sensors', 'feed', 'runKeys', 'other', 0, 2], {}],
    ['executors', ['executors'], {}],
    ['executors[0]', ['executors', 0], 'e'],
    ['executors[0].id', ['executors', 0, 'id'], 1],
    ['executors[0].pid', ['executors', 0, 'pid'], '1'],
    ['executors[0].startTime', ['executors', 0, 'startTime'], 1],
    ['executors[0].bootId', ['executors', 0, 'bootId'], undefined],
    ['executors[0].pidNamespace', ['executors', 0, 'pidNamespace'], 3],
    ['executors[0].host', ['executors', 0, 'host'], null],
    ['executors[0].since', ['executors', 0, 'since'], null],
    ['executors[0].slots', ['executors', 0, 'slots'], -1],
    ['executors[0].wants', ['executors', 0, 'wants'], 'x'],
    ['runs', ['runs'], null],
    ['runs[1]', ['runs', 1], null],
    ['runs[0].id', ['runs', 0, 'id'], 1],
    ['runs[0].createdAt', ['runs', 0, 'createdAt'], null],
    ['runs[0].sensor', ['runs', 0, 'sensor'], 1],
    ['runs[0].set', ['runs', 0, 'set'], false],
    ['runs[0].assets', ['runs', 0, 'assets'], 'audio'],
    ['runs[0].tags', ['runs', 0, 'tags'], []],
    ['runs[0].origin', ['runs', 0, 'origin'], 'magic'],
    ['runs[0].retryOf', ['runs', 0, 'retryOf'], 1],
    ['runs[0].owner', ['runs', 0, 'owner'], 1],
    ['runs[0].ownedSince', ['runs', 0, 'ownedSince'], null],
    ['runs[0].numbers', ['runs', 0, 'numbers'], '12'],
    ['runs[0].numbers[1]', ['runs', 0, 'numbers', 1], 'x'],
    ['runs[0].keys', ['runs', 0, 'keys'], ['a']],
    ['runs[0].keys[0]', ['runs', 0, 'keys', 0], 1],
    ['runs[0].runKeys', ['runs', 0, 'runKeys'], 'values'],
    ['runs[0].runKeys', ['runs', 0, 'runKeys'], ['a']],
    ['runs[1].runKeys[0]', ['runs', 1, 'runKeys', 0], 1],
    ['runs[0].status', ['runs', 0, 'status'], 'q'],
    ['runs[0].status', ['runs', 0, 'status'], 'qx'],
    ['runs[0].interrupted', ['runs', 0, 'interrupted'], '0'],
    ['runs[0].interrupted', ['runs', 0, 'interrupted'], 'ab'],
    ['runs[0].startedAt', ['runs', 0, 'startedAt'], null],
    // What reads well here and would mislead, or trip up, what comes later.
    ['serial', ['serial'], 999_999_999_999],
    ['writtenBy.version', ['writtenBy', 'version'], null],
    ['writtenBy.at', ['writtenBy', 'at'], 5],
    ['sets.letters.added[1][1]', ['sets', 'letters', 'added', 1, 1], 'yesterday'],
    ['sets.letters.added[1][1]', ['sets', 'letters', 'added', 1, 1], '2026-13-01T00:00:00.000Z'],
    ['assets.audio.status', ['assets', 'audio', 'status'], 'mmmm'],
    ['assets.report.status', ['assets', 'report', 'status'], 'mm'],
    ['assets.audio.status', ['assets', 'audio', 'set'], 'nowhere'],
    ['sensors.feed.version', ['sensors', 'feed', 'version'], Number.MAX_SAFE_INTEGER],
    ['sensors.feed.runKeys.ofKeys.letters', ['sensors', 'feed', 'runKeys', 'ofKeys', 'letters'], '1111'],
    ['sensors.feed.lastTick.sensor', ['sensors', 'feed', 'lastTick', 'sensor'], 'another'],
    ['sensors.feed.lastTick.status', ['sensors', 'feed', 'lastTick', 'status'], 'DONE'],
    ['sensors.feed.lastTick.startedAt', ['sensors', 'feed', 'lastTick', 'startedAt'], 'noon'],
    ['sensors.feed.lastTick.partitions[0]', ['sensors', 'feed', 'lastTick', 'partitions'], [null]],
    ['sensors.feed.lastTick.runs[0]', ['sensors', 'feed', 'lastTick', 'runs'], ['x']],
    ['sensors.feed.lastTick.skippedRunKeys[0]', ['sensors', 'feed', 'lastTick', 'skippedRunKeys'], [1]],
    ['sensors.feed.lastTick.skipReason', ['sensors', 'feed', 'lastTick', 'skipReason'], 7],
    ['sensors.feed.lastTick.error.message', ['sensors', 'feed', 'lastTick', 'error'], { code: 'x' }],
    ['sensors.feed.lastTick.busy.pid', ['sensors', 'feed', 'lastTick', 'busy'], { pid: 'x' }],
    ['sensors.feed.lastTick.truncated', ['sensors', 'feed', 'lastTick', 'truncated'], 1],
    ['executors[0].pid', ['executors', 0, 'pid'], 0],
    ['executors[0].pid', ['executors', 0, 'pid'], 2 ** 31],
    ['executors[0].since', ['executors', 0, 'since'], 'long ago'],
    ['runs[0].createdAt', ['runs', 0, 'createdAt'], 'now'],
    ['runs[0].tags.by', ['runs', 0, 'tags', 'by'], {}],
    ['runs[1].startedAt.1', ['runs', 1, 'startedAt', '1'], 5],
  ];

  it.each(
    fields.map(([place, path, wrong]) => ({ place, path, wrong, said: JSON.stringify(wrong) ?? 'nothing' })),
  )('names $place where it is $said', ({ place, path, wrong }) => {
    expect(failureOf(changed(path, wrong))).toMatchObject({ reason: 'state-misshapen', file: FILE, place });
  });

  it('refuses a number that could not be written again', () => {
    const text = JSON.stringify(fullDocument()).replace('"timeoutSeconds":60', '"timeoutSeconds":1e999');
    expect(failureOf(text)).toMatchObject({ place: 'pipeline.sensors[0].timeoutSeconds' });
  });

  it('ends in nothing but a failure, however the file was damaged; and what it accepts can be read and checked', () => {
    const paths: Path[] = [];
    const walk = (value: unknown, path: Path): void => {
      if (path.length > 0) paths.push(path);
      if (typeof value !== 'object' || value === null) return;
      for (const [name, item] of Object.entries(value))
        walk(item, [...path, Array.isArray(value) ? Number(name) : name]);
    };
    walk(fullDocument(), []);
    const values = fc.oneof(
      fc.constantFrom<unknown>(
        undefined,
        null,
        -1,
        0,
        1,
        1.5,
        1e300,
        '',
        'x',
        'qq',
        '11',
        true,
        [],
        {},
        [[]],
        [null],
        { a: null },
      ),
      fc.jsonValue(),
    );
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...paths), values, (path, value) => {
        const text = changed(path, value);
        try {
          const document = parseState(text, FILE);
          accepted++;
          checkState(document);
          const view = viewOf(document, {
            judge: () => signs({ alive: false }),
            lastTick: (_, last) => last,
          });
          for (const set of view.setNames()) view.page({ set: set, limit: 2 });
          for (const runs of view.runs()) for (let at = 0; at < runs.count; at++) view.run(runs.at(at).id);
          for (const name of view.sensorNames()) view.spentRunKeys(name, ['a', 'once']);
          view.executors();
        } catch (error) {
          if (!(error instanceof FailureError)) throw error;
          refused++;
          expect(error.failure).toMatchObject({ file: FILE });
        }
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });

  it('ends in nothing but a failure, wherever the text was cut or overwritten', () => {
    const text = JSON.stringify(fullDocument());
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 5 }), (from, length, put) => {
        try {
          parseState(text.slice(0, from) + put + text.slice(from + length), FILE);
        } catch (error) {
          if (!(error instanceof FailureError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
