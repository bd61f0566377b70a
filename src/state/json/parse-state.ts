/** Text of a state file → a document whose shape was checked, or a failure that names the place. */
import { fail } from '../../definitions/failure.ts';
import { SCHEMA, type StateDocument } from '../state-document.ts';

/** @throws FailureError when the text is empty, not JSON, of a newer schema or misshapen. */
export function parseState(text: string, file: string): StateDocument {
  if (text.trim() === '') fail({ reason: 'state-empty', file });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail({ reason: 'state-not-json', file, cause: (error as SyntaxError).message });
  }
  const shape = new Shape(file);
  const document = shape.record(value, 'the document');
  const schema = document['schema'];
  if (typeof schema === 'number' && Number.isInteger(schema) && schema > SCHEMA) {
    fail({ reason: 'state-newer', file, schema, supported: SCHEMA });
  }
  shape.demand(schema === SCHEMA, 'schema', String(SCHEMA));
  shape.text(document['lineage'], 'lineage');
  shape.demand(shape.count(document['serial'], 'serial') > 0, 'serial', 'a whole number of 1 or more');
  shape.record(document['writtenBy'], 'writtenBy');
  if (document['pipeline'] !== null) checkPipeline(shape, document['pipeline']);
  for (const [name, entry] of shape.entries(document['sets'], 'sets')) checkSet(shape, `sets.${name}`, entry);
  for (const [name, entry] of shape.entries(document['assets'], 'assets')) {
    const asset = shape.record(entry, `assets.${name}`);
    shape.textOrNull(asset['set'], `assets.${name}.set`);
    shape.letters(asset['status'], `assets.${name}.status`, /^[mf.]*$/, 'a string of m, f and .');
  }
  for (const [name, entry] of shape.entries(document['sensors'], 'sensors'))
    checkSensor(shape, `sensors.${name}`, entry);
  shape
    .list(document['executors'], 'executors')
    .forEach((entry, at) => checkExecutor(shape, `executors[${at}]`, entry));
  shape.list(document['runs'], 'runs').forEach((entry, at) => checkGroup(shape, `runs[${at}]`, entry));
  return value as StateDocument;
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
    shape.demand(
      typeof sensor['minimumIntervalSeconds'] === 'number',
      `pipeline.sensors[${at}].minimumIntervalSeconds`,
      'a number',
    );
    shape.demand(
      typeof sensor['timeoutSeconds'] === 'number',
      `pipeline.sensors[${at}].timeoutSeconds`,
      'a number',
    );
    const { defaultStatus } = sensor;
    shape.demand(
      defaultStatus === 'RUNNING' || defaultStatus === 'STOPPED',
      `pipeline.sensors[${at}].defaultStatus`,
      'RUNNING or STOPPED',
    );
  });
}

function checkSet(shape: Shape, place: string, value: unknown): void {
  const set = shape.record(value, place);
  const keys = shape.texts(set['keys'], `${place}.keys`);
  shape.texts(set['keptOut'], `${place}.keptOut`);
  let sum = 0;
  shape.list(set['added'], `${place}.added`).forEach((entry, at) => {
    const [count, time] = shape.list(entry, `${place}.added[${at}]`);
    sum += shape.count(count, `${place}.added[${at}][0]`);
    shape.text(time, `${place}.added[${at}][1]`);
  });
  shape.demand(sum === keys.length, `${place}.added`, `counts that add up to the ${keys.length} keys`);
}

function checkSensor(shape: Shape, place: string, value: unknown): void {
  const sensor = shape.record(value, place);
  shape.demand(
    [null, 'RUNNING', 'STOPPED'].includes(sensor['status'] as null),
    `${place}.status`,
    'RUNNING, STOPPED or null',
  );
  shape.textOrNull(sensor['cursor'], `${place}.cursor`);
  shape.count(sensor['version'], `${place}.version`);
  if (sensor['lastTick'] !== null) checkTick(shape, `${place}.lastTick`, sensor['lastTick']);
  const spent = shape.record(sensor['runKeys'], `${place}.runKeys`);
  for (const [set, letters] of shape.entries(spent['ofKeys'], `${place}.runKeys.ofKeys`)) {
    shape.letters(letters, `${place}.runKeys.ofKeys.${set}`, /^[1.]*$/, 'a string of 1 and .');
  }
  shape.list(spent['other'], `${place}.runKeys.other`).forEach((entry, at) => {
    const [runKey, set, key] = shape.list(entry, `${place}.runKeys.other[${at}]`);
    shape.text(runKey, `${place}.runKeys.other[${at}][0]`);
    shape.textOrNull(set, `${place}.runKeys.other[${at}][1]`);
    shape.textOrNull(key, `${place}.runKeys.other[${at}][2]`);
  });
}

function checkTick(shape: Shape, place: string, value: unknown): void {
  const tick = shape.record(value, place);
  for (const field of ['sensor', 'status', 'startedAt', 'finishedAt'])
    shape.text(tick[field], `${place}.${field}`);
  for (const field of ['partitions', 'runs', 'skippedRunKeys']) shape.list(tick[field], `${place}.${field}`);
  const cursor = shape.record(tick['cursor'], `${place}.cursor`);
  for (const field of ['before', 'after']) shape.textOrNull(cursor[field], `${place}.cursor.${field}`);
}

function checkExecutor(shape: Shape, place: string, value: unknown): void {
  const executor = shape.record(value, place);
  shape.text(executor['id'], `${place}.id`);
  shape.count(executor['pid'], `${place}.pid`);
  for (const field of ['startTime', 'bootId', 'pidNamespace'])
    shape.textOrNull(executor[field], `${place}.${field}`);
  for (const field of ['host', 'since']) shape.text(executor[field], `${place}.${field}`);
  for (const field of ['slots', 'wants']) shape.count(executor[field], `${place}.${field}`);
  if (executor['steady'] !== undefined) shape.count(executor['steady'], `${place}.steady`);
  if (executor['disk'] !== undefined) shape.textOrNull(executor['disk'], `${place}.disk`);
}

function checkGroup(shape: Shape, place: string, value: unknown): void {
  const group = shape.record(value, place);
  for (const field of ['id', 'createdAt']) shape.text(group[field], `${place}.${field}`);
  for (const field of ['sensor', 'set', 'retryOf', 'owner'])
    shape.textOrNull(group[field], `${place}.${field}`);
  shape.texts(group['assets'], `${place}.assets`);
  shape.record(group['tags'], `${place}.tags`);
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
  const status = shape.letters(group['status'], `${place}.status`, /^[qsc]*$/, 'a string of q, s and c');
  shape.demand(status.length === size, `${place}.status`, `${size} letters long`);
  const interrupted = shape.letters(
    group['interrupted'],
    `${place}.interrupted`,
    /^[0-9]*$/,
    'a string of digits',
  );
  shape.demand(interrupted.length === size, `${place}.interrupted`, `${size} letters long`);
  shape.record(group['startedAt'], `${place}.startedAt`);
}

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

  letters(value: unknown, place: string, pattern: RegExp, expected: string): string {
    this.demand(typeof value === 'string' && pattern.test(value), place, expected);
    return value as string;
  }

  count(value: unknown, place: string): number {
    this.demand(Number.isSafeInteger(value) && (value as number) >= 0, place, 'a whole number of 0 or more');
    return value as number;
  }
}
