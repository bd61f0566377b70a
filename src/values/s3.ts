/** Values in object storage: what a pipeline file says of it. What does it is loaded with the first value. */
import type { IoManager } from '../definitions/io-manager.ts';
import type { RunValues } from '../definitions/staged-values.ts';
import { markPlace, placeText } from '../model/place.ts';
import type { S3Options } from './s3-options.ts';
import type { MadeByRun, S3Values, SerialOf } from './s3-values.ts';

/** An I/O manager that asks the state which of its objects counts. */
export interface OfState {
  /** What it keeps is what files keep: JSON, bytes, or nothing. */
  readonly keepsJson: true;
  ofState(made: MadeByRun): RunValues;
}

const NOTHING_KNOWN: MadeByRun = () => Promise.resolve(new Map());

const TEXTS = ['bucket', 'prefix', 'endpoint', 'region'] as const;
const KNOWN: readonly string[] = [...TEXTS, 'credentials', 'forcePathStyle'];

/**
 * An I/O manager that keeps values in a bucket of S3, or of what speaks its protocol, for workers that share no disk. Values are
 * what files keep: JSON, bytes (`Uint8Array`) or nothing, up to 2 GiB. It needs the package `@aws-sdk/client-s3` beside the
 * pipeline file, and loads it with the first value.
 *
 * @throws TypeError where an option is none, or of another type
 * @example
 * definePipeline({ assets, ioManager: s3({ bucket: 'reports', prefix: 'daily', endpoint: 'https://minio.example.com' }) })
 */
export function s3(options: S3Options): IoManager {
  check(options);
  const here = markPlace({}, s3);
  let alone: Promise<RunValues> | undefined;
  const valuesFor = async (made: MadeByRun, serialOf: SerialOf): Promise<S3Values> => {
    const { S3Values } = await import('./s3-values.ts');
    return new S3Values(options, placeText(here)?.replace(/:\d+$/, ''), made, serialOf);
  };
  const values = (): Promise<RunValues> => (alone ??= valuesFor(NOTHING_KNOWN, () => 0));
  const manager: IoManager & OfState = {
    save: async (context, value) => (await values()).save(context, value),
    load: async (context) => (await values()).load(context),
    remove: async (context) => (await values()).remove(context),
    keepsJson: true,
    ofState: (made) => onUse((serialOf) => valuesFor(made, serialOf)),
  };
  return manager;
}

/** What comes to its end without a value loads nothing. */
function onUse(open: (serialOf: SerialOf) => Promise<S3Values>): RunValues {
  const serials = new Map<string, number>();
  const skipped: Parameters<S3Values['skip']>[] = [];
  let opening: Promise<S3Values> | undefined;
  let values: S3Values | undefined;
  const opened = async (): Promise<S3Values> =>
    (values = await (opening ??= open((run) => serials.get(run) ?? 0)));
  // Before the next value: what a later run of the key makes comes after them.
  const stageSkips = async (): Promise<void> => {
    if (skipped.length === 0) return;
    const here = await opened();
    for (const one of skipped.splice(0)) here.skip(...one);
  };
  return {
    begins: (run, serial) => void serials.set(run, serial),
    async save(context, value) {
      await stageSkips();
      await (await opened()).save(context, value);
    },
    load: async (context) => (await opened()).load(context),
    remove: async (context) => (await opened()).remove(context),
    skip: (...one) => void skipped.push(one),
    flush: () => stageSkips(),
    settle(runs) {
      values?.settle(runs);
      for (const { run, isOver } of runs) if (isOver) serials.delete(run);
    },
    settled: async () => values?.settled(),
  };
}

function check(options: S3Options): void {
  const given = (options ?? {}) as unknown as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) throw new TypeError(`s3 has no option '${unknown}'; it has ${KNOWN.join(', ')}`);
  for (const name of TEXTS)
    if (given[name] !== undefined && typeof given[name] !== 'string')
      throw new TypeError(`${name} of s3 must be a text`);
  if (given.bucket === undefined || given.bucket === '')
    throw new TypeError("s3 takes the name of a bucket: s3({ bucket: 'reports' })");
  if (options.endpoint !== undefined && !/^https?:\/\/./.test(options.endpoint))
    throw new TypeError('endpoint of s3 must begin with http:// or https://');
}
