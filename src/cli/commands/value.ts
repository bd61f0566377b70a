/** `dynpart value`: what was made for an asset and key, and the file that it is in. */
import { FailureError, fail } from '../../model/failure.ts';
import type { KnownAsset } from '../../model/known-pipeline.ts';
import { isThere, type PartitionStatus } from '../../model/partition-status.ts';
import { clean, quoted, shellQuoted } from '../../model/text.ts';
import { describeThrown } from '../../model/thrown.ts';
import type { IoManager, ValueContext } from '../../definitions/io-manager.ts';
import type { FoundValue } from '../../values/find-value.ts';
import type { Declaration } from '../command-line/declaration.ts';
import { checkName } from '../check-names.ts';
import type { Context } from '../context.ts';
import { checkedKeys } from '../read-keys.ts';
import type { ValuePlace } from '../json-results.ts';
import { findValueFile } from '../find-value-file.ts';
import { type Store, valuesOf } from '../stores.ts';
import { writeBytes, writeValueFile } from '../write-value.ts';

export function valueCommand(program: Declaration): void {
  const value = program.command('value').description('what was made for an asset and key, and where it is');
  value
    .command('show')
    .argument('<asset>')
    .description('the value itself: JSON or bytes, as they are kept')
    .option('--key <key>', 'of this key')
    .action(show);
  value
    .command('path')
    .argument('<asset>')
    .description('the file that the value is in')
    .option('--key <key>', 'of this key')
    .action(showPath);
}

interface ValueFlags {
  readonly key?: string;
}

async function show(context: Context, flags: ValueFlags, asset: string): Promise<ValuePlace> {
  const { output, project } = context;
  const value = await valueOnRecord(context, asset, flags);
  const { ioManager } = await project.pipeline();
  const place = { asset, partitionKey: value.partitionKey };
  if (keptElsewhere(project.store, ioManager) === null)
    return { ...place, path: await showFile(context, value) };
  if (output.options.json) return { ...place, path: null };
  const values = await valuesOf(await project.pipeline(), project.store);
  const loaded = await loadedBy(() => values.load(value), value);
  if (loaded instanceof Uint8Array) writeBytes(output.terminal.stdout, loaded, showCommand(value));
  else if (loaded !== undefined) output.print(`${clean(JSON.stringify(loaded))}\n`);
  return { ...place, path: null };
}

/** Who keeps values that are no files of dynpart's. */
function keptElsewhere(store: Store, ioManager: IoManager | null): string | null {
  if (ioManager !== null) return "the pipeline's own I/O manager";
  return 'database' in store ? 'the database of the state' : null;
}

async function showFile(context: Context, value: ValueContext): Promise<string> {
  const { options, terminal } = context.output;
  for (;;) {
    const found = await fileOf(context, value);
    // Not there: put in its place since it was found.
    if (options.json || writeValueFile(terminal.stdout, found, showCommand(value))) return found.file;
  }
}

async function showPath(context: Context, flags: ValueFlags, asset: string): Promise<ValuePlace> {
  const { output, project } = context;
  const value = await valueOnRecord(context, asset, flags);
  const keeper = keptElsewhere(project.store, (await project.pipeline()).ioManager);
  if (keeper !== null)
    fail({
      reason: 'usage',
      message: `values are kept by ${keeper}: that of asset '${asset}' is in no file that dynpart knows`,
      hint: `to see the value: ${showCommand(value)}`,
    });
  const { file } = await fileOf(context, value);
  output.print(`${clean(file)}\n`);
  return { asset, partitionKey: value.partitionKey, path: file };
}

/** The asset and key, when something of them is on record. @throws FailureError where there is nothing */
async function valueOnRecord({ project }: Context, name: string, { key }: ValueFlags): Promise<ValueContext> {
  if (key !== undefined) checkedKeys([key]);
  const { assets } = await project.known(await project.store.read({}), (known) =>
    known.assets.every((asset) => asset.name !== name),
  );
  checkName(
    'asset',
    name,
    assets.map((asset) => asset.name),
  );
  const asset = assets.find((one) => one.name === name)!;
  const partitionKey = keyMeant(asset, key);
  const { set } = asset;
  const view = await project.store.read({
    statuses: [{ asset: name, set, keys: [partitionKey] }],
    ...(set !== null && { keys: [{ set, keys: [partitionKey] }] }),
  });
  if (set !== null && !view.present(set, [partitionKey!]).has(partitionKey!))
    fail({ reason: 'unknown-keys', sets: [set], keys: [partitionKey!] });
  const [status] = view.statusOf(name, set, [partitionKey]);
  const value = { asset: name, partitionKey };
  return isThere(status!) ? value : refuseUnmade(value, status!);
}

function keyMeant({ name, set }: KnownAsset, key: string | undefined): string | null {
  if (set === null && key !== undefined) fail({ reason: 'asset-without-key', asset: name, set, keys: [key] });
  if (set !== null && key === undefined)
    fail({
      reason: 'usage',
      message: `asset '${name}' is made for each key of set '${set}': of which key?`,
      hint: `for example: dynpart value show ${name} --key KEY; to find one: dynpart partitions list ${shellQuoted(set, 'SET')} --status materialized --asset ${name}`,
    });
  return key ?? null;
}

const UNMADE: Partial<Readonly<Record<PartitionStatus, string>>> = {
  failed: 'its last run failed',
  skipped: 'it is skipped: there is nothing to make',
};

function refuseUnmade({ asset, partitionKey: key }: ValueContext, status: PartitionStatus): never {
  const chosen = `${asset}${ofKey(key)}`;
  return fail({
    reason: 'usage',
    message: `there is no value of asset '${asset}'${key === null ? '' : ` for key ${quoted(key)}`}: ${UNMADE[status] ?? 'it was not made yet'}`,
    hint:
      status === 'failed'
        ? `why: dynpart runs list --status FAILURE --asset ${chosen}; again: dynpart materialize ${chosen}`
        : status === 'skipped'
          ? `why: dynpart why ${chosen}; to make it all the same: dynpart materialize ${chosen}`
          : `to make it: dynpart materialize ${chosen}`,
  });
}

async function fileOf({ project }: Context, value: ValueContext): Promise<FoundValue> {
  const found = await findValueFile(project.store, value);
  const { asset, partitionKey: key } = value;
  return (
    found ??
    fail({
      reason: 'value-damaged',
      file: project.place,
      asset,
      key,
      cause: 'the file is gone',
    })
  );
}

async function loadedBy(load: () => unknown, { asset, partitionKey: key }: ValueContext): Promise<unknown> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof FailureError) throw error;
    const file = "the pipeline's I/O manager";
    return fail({ reason: 'value-damaged', file, asset, key, cause: describeThrown(error).message });
  }
}

function showCommand({ asset, partitionKey }: ValueContext): string {
  return `dynpart value show ${asset}${ofKey(partitionKey)}`;
}

function ofKey(key: string | null): string {
  if (key === null) return '';
  return key.startsWith('-') ? ` --key=${shellQuoted(key)}` : ` --key ${shellQuoted(key)}`;
}
