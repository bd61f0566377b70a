/** Text of a state file → a document whose shape was checked, or a failure that names the place. */
import { fail } from '../../model/failure.ts';
import { LAST_SERIAL, SCHEMA, type StateDocument } from '../document/state-document.ts';
import { migrated, OLDEST_SCHEMA } from './migrations.ts';
import { A_TIME, isTime, wrongInTick } from './record-shapes.ts';

/** @throws FailureError when the text is empty, not JSON, of an unknown schema or misshapen. */
export function parseState(text: string | Buffer, file: string): StateDocument {
  return readState(text, file).document;
}

/** The same, with the schema that the text has: the document is of the present one. Bytes are given where they are no UTF-8. */
export function readState(
  content: string | Buffer,
  file: string,
): { readonly document: StateDocument; readonly schema: number } {
  if (typeof content !== 'string')
    return fail({ reason: 'state-not-json', file, cause: 'it holds bytes that are not UTF-8' });
  const text = content;
  if (text.trim() === '') fail({ reason: 'state-empty', file });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail({ reason: 'state-not-json', file, cause: (error as SyntaxError).message });
  }
  const shape = new Shape(file);
  const found = shape.record(value, 'the document');
  const schema = found['schema'] as number;
  shape.demand(Number.isInteger(schema), 'schema', 'a whole number');
  if (schema > SCHEMA) fail({ reason: 'state-newer', file, schema, supported: SCHEMA });
  if (schema < OLDEST_SCHEMA) fail({ reason: 'state-older', file, schema, oldest: OLDEST_SCHEMA });
  const document = migrated(found, schema);
  shape.text(document['lineage'], 'lineage');
  const serial = shape.count(document['serial'], 'serial');
  shape.demand(serial > 0 && serial <= LAST_SERIAL, 'serial', `a whole number from 1 to ${LAST_SERIAL}`);
  const writtenBy = shape.record(document['writtenBy'], 'writtenBy');
  for (const field of ['version', 'at']) shape.text(writtenBy[field], `writtenBy.${field}`);
  if (document['pipeline'] !== null) checkPipeline(shape, document['pipeline']);
  // Letters that stand for no key would be counted as if they did.
  const sizes = new Map<unknown, number>([[null, 1]]);
  for (const [name, entry] of shape.entries(document['sets'], 'sets'))
    sizes.set(name, checkSet(shape, `sets.${name}`, entry));
  for (const [name, entry] of shape.entries(document['assets'], 'assets')) {
    const asset = shape.record(entry, `assets.${name}`);
    shape.textOrNull(asset['set'], `assets.${name}.set`);
    shape.letters(asset['status'], `assets.${name}.status`, {
      pattern: /^[mf.]*$/,
      expected: 'a string of m, f and .',
      most: sizes.get(asset['set']) ?? 0,
    });
  }
  for (const [name, entry] of shape.entries(document['sensors'], 'sensors'))
    checkSensor(shape, `sensors.${name}`, entry, { name, sizes });
  shape
    .list(document['executors'], 'executors')
    .forEach((entry, at) => checkExecutor(shape, `executors[${at}]`, entry));
  shape.list(document['runs'], 'runs').forEach((entry, at) => checkGroup(shape, `runs[${at}]`, entry));
  checkWriters(shape, document['writers']);
  if (text.includes('\\u') && /\\u[dD][89a-fA-F]/.test(text)) checkTexts(shape, document);
  return { document: document as unknown as StateDocument, schema };
}

/** Halves of surrogate pairs are no text: everything that is printed or named after such a key would be another key's. */
function checkTexts(shape: Shape, document: Record<string, unknown>): void {
  const check = (value: unknown, place: string): void => {
    if (typeof value === 'string') shape.demand(value.isWellFormed(), place, 'well-formed Unicode');
    else if (typeof value === 'object' && value !== null)
      for (const [name, inside] of Object.entries(value)) check(inside, `${place}.${name}`);
  };
  for (const part of ['sets', 'runs']) check(document[part], part);
}

function checkWriters(shape: Shape, value: unknown): void {
  const writers = shape.record(value, 'writers');
  shape.count(writers['forgotten'], 'writers.forgotten');
  shape.list(writers['last'], 'writers.last').forEach((entry, at) => {
    const commit = shape.record(entry, `writers.last[${at}]`);
    shape.text(commit['id'], `writers.last[${at}].id`);
    shape.count(commit['serial'], `writers.last[${at}].serial`);
  });
}

function checkPipeline(shape: Shape, value: unknown): void {
  const pipeline = shape.record(value, 'pipeline');
  shape.text(pipeline['file'], 'pipeline.file');
  shape.text(pipeline['stamp'], 'pipeline.stamp');
  shape.texts(pipeline['sets'], 'pipeline.sets');
  shape.count(pipeline['concurrency'], 'pipeline.concurrency');
  shape.list(pipeline['assets'], 'pipeline.assets').forEach((entry, at) => {
    const asset = shape.record(entry, `pipeline.assets[${at}]`);
    shape.text(asset['name'], `pipeline.assets[${at}].name`);
    shape.textOrNull(asset['set'], `pipeline.assets[${at}].set`);
    shape.texts(asset['inputs'], `pipeline.assets[${at}].inputs`);
    shape.texts(asset['deps'], `pipeline.assets[${at}].deps`);
  });
  shape.list(pipeline['sensors'], 'pipeline.sensors').forEach((entry, at) => {
    const sensor = shape.record(entry, `pipeline.sensors[${at}]`);
    shape.text(sensor['name'], `pipeline.sensors[${at}].name`);
    for (const field of ['minimumIntervalSeconds', 'timeoutSeconds']) {
      // JSON has numbers like 1e999: read as infinite, they would be written as null.
      shape.demand(Number.isFinite(sensor[field]), `pipeline.sensors[${at}].${field}`, 'a number');
    }
    const { defaultStatus } = sensor;
    shape.demand(
      defaultStatus === 'RUNNING' || defaultStatus === 'STOPPED',
      `pipeline.sensors[${at}].defaultStatus`,
      'RUNNING or STOPPED',
    );
  });
}

/** @returns how many keys it has */
function checkSet(shape: Shape, place: string, value: unknown): number {
  const set = shape.record(value, place);
  const keys = shape.texts(set['keys'], `${place}.keys`);
  shape.texts(set['keptOut'], `${place}.keptOut`);
  let sum = 0;
  shape.list(set['added'], `${place}.added`).forEach((entry, at) => {
    const [count, time] = shape.list(entry, `${place}.added[${at}]`);
    sum += shape.count(count, `${place}.added[${at}][0]`);
    shape.time(time, `${place}.added[${at}][1]`);
  });
  shape.demand(sum === keys.length, `${place}.added`, `counts that add up to the ${keys.length} keys`);
  return keys.length;
}

interface AroundSensor {
  readonly name: string;
  /** How many keys each set has. */
  readonly sizes: ReadonlyMap<unknown, number>;
}

function checkSensor(shape: Shape, place: string, value: unknown, { name, sizes }: AroundSensor): void {
  const sensor = shape.record(value, place);
  shape.demand(
    [null, 'RUNNING', 'STOPPED'].includes(sensor['status'] as null),
    `${place}.status`,
    'RUNNING, STOPPED or null',
  );
  shape.textOrNull(sensor['cursor'], `${place}.cursor`);
  shape.count(sensor['version'], `${place}.version`);
  if (sensor['lastTick'] !== null) checkTick(shape, `${place}.lastTick`, sensor['lastTick'], name);
  const spent = shape.record(sensor['runKeys'], `${place}.runKeys`);
  for (const [set, letters] of shape.entries(spent['ofKeys'], `${place}.runKeys.ofKeys`)) {
    shape.letters(letters, `${place}.runKeys.ofKeys.${set}`, {
      pattern: /^[1.]*$/,
      expected: 'a string of 1 and .',
      most: sizes.get(set) ?? 0,
    });
  }
  shape.list(spent['other'], `${place}.runKeys.other`).forEach((entry, at) => {
    const [runKey, set, key] = shape.list(entry, `${place}.runKeys.other[${at}]`);
    shape.text(runKey, `${place}.runKeys.other[${at}][0]`);
    shape.textOrNull(set, `${place}.runKeys.other[${at}][1]`);
    shape.textOrNull(key, `${place}.runKeys.other[${at}][2]`);
  });
}

function checkTick(shape: Shape, place: string, value: unknown, sensor: string): void {
  const wrong = wrongInTick(value, place);
  if (wrong !== null) shape.demand(false, wrong.place, wrong.expected);
  // Another sensor's would be added to that one's history, with every tick.
  shape.demand((value as { sensor: string }).sensor === sensor, `${place}.sensor`, `'${sensor}'`);
}

function checkExecutor(shape: Shape, place: string, value: unknown): void {
  const executor = shape.record(value, place);
  shape.text(executor['id'], `${place}.id`);
  // A signal to process 0 reaches whoever asks: it would seem alive for ever.
  const pid = shape.count(executor['pid'], `${place}.pid`);
  shape.demand(pid > 0 && pid < 2 ** 31, `${place}.pid`, 'the number of a process');
  for (const field of ['startTime', 'bootId', 'pidNamespace'])
    shape.textOrNull(executor[field], `${place}.${field}`);
  shape.text(executor['host'], `${place}.host`);
  shape.time(executor['since'], `${place}.since`);
  for (const field of ['slots', 'wants']) shape.count(executor[field], `${place}.${field}`);
  if (executor['steady'] !== undefined) shape.count(executor['steady'], `${place}.steady`);
  if (executor['disk'] !== undefined) shape.textOrNull(executor['disk'], `${place}.disk`);
}

function checkGroup(shape: Shape, place: string, value: unknown): void {
  const group = shape.record(value, place);
  shape.text(group['id'], `${place}.id`);
  shape.time(group['createdAt'], `${place}.createdAt`);
  for (const field of ['sensor', 'set', 'retryOf', 'owner'])
    shape.textOrNull(group[field], `${place}.${field}`);
  shape.texts(group['assets'], `${place}.assets`);
  for (const [name, tag] of shape.entries(group['tags'], `${place}.tags`))
    shape.text(tag, `${place}.tags.${name}`);
  shape.demand(
    ['tick', 'worker', 'materialize'].includes(group['origin'] as string),
    `${place}.origin`,
    'tick, worker or materialize',
  );
  shape.count(group['ownedSince'], `${place}.ownedSince`);
  const numbers = shape.list(group['numbers'], `${place}.numbers`);
  numbers.forEach((number, at) => shape.count(number, `${place}.numbers[${at}]`));
  const size = numbers.length;
  const keys = shape.list(group['keys'], `${place}.keys`);
  keys.forEach((key, at) => shape.textOrNull(key, `${place}.keys[${at}]`));
  shape.demand(keys.length === size, `${place}.keys`, `a list of ${size}`);
  const runKeys = group['runKeys'];
  if (Array.isArray(runKeys)) {
    runKeys.forEach((key, at) => shape.textOrNull(key, `${place}.runKeys[${at}]`));
    shape.demand(runKeys.length === size, `${place}.runKeys`, `a list of ${size}`);
  } else shape.demand(runKeys === null || runKeys === 'keys', `${place}.runKeys`, 'a list, "keys" or null');
  const status = shape.letters(group['status'], `${place}.status`, {
    pattern: /^[qsc]*$/,
    expected: 'a string of q, s and c',
  });
  shape.demand(status.length === size, `${place}.status`, `${size} letters long`);
  const interrupted = shape.letters(group['interrupted'], `${place}.interrupted`, {
    pattern: /^[0-9]*$/,
    expected: 'a string of digits',
  });
  shape.demand(interrupted.length === size, `${place}.interrupted`, `${size} letters long`);
  for (const [number, time] of shape.entries(group['startedAt'], `${place}.startedAt`))
    shape.time(time, `${place}.startedAt.${number}`);
}

/** So large that nothing ever counted that far, and room to count on: what is beyond 2 ** 53 could not be read back. */
const LARGEST_COUNT = 2 ** 53 - 2 ** 32;

/** Demands a shape; what does not have it is a failure with its place. */
class Shape {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  demand(holds: boolean, place: string, expected: string): void {
    if (!holds) fail({ reason: 'state-misshapen', file: this.#file, place, expected });
  }

  record(value: unknown, place: string): Record<string, unknown> {
    this.demand(typeof value === 'object' && value !== null && !Array.isArray(value), place, 'an object');
    return value as Record<string, unknown>;
  }

  entries(value: unknown, place: string): [string, unknown][] {
    return Object.entries(this.record(value, place));
  }

  list(value: unknown, place: string): unknown[] {
    this.demand(Array.isArray(value), place, 'a list');
    return value as unknown[];
  }

  texts(value: unknown, place: string): string[] {
    const list = this.list(value, place);
    for (let at = 0; at < list.length; at++) {
      if (typeof list[at] !== 'string') this.demand(false, `${place}[${at}]`, 'a string');
    }
    return list as string[];
  }

  text(value: unknown, place: string): void {
    this.demand(typeof value === 'string', place, 'a string');
  }

  textOrNull(value: unknown, place: string): void {
    if (value !== null && typeof value !== 'string') this.demand(false, place, 'a string or null');
  }

  time(value: unknown, place: string): void {
    if (!isTime(value)) this.demand(false, place, A_TIME);
  }

  /** A string of single letters, `most` of them at most. */
  letters(
    value: unknown,
    place: string,
    { pattern, expected, most = Infinity }: { pattern: RegExp; expected: string; most?: number },
  ): string {
    this.demand(typeof value === 'string' && pattern.test(value), place, expected);
    this.demand((value as string).length <= most, place, `no longer than the ${most} that it is for`);
    return value as string;
  }

  count(value: unknown, place: string): number {
    this.demand(Number.isSafeInteger(value) && (value as number) >= 0, place, 'a whole number of 0 or more');
    if ((value as number) > LARGEST_COUNT) this.demand(false, place, `a number of ${LARGEST_COUNT} at most`);
    return value as number;
  }
}
