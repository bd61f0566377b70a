/** `dynpart partitions list`: the sets, or the keys of one. */
import { fail } from '../../model/failure.ts';
import { shellWord } from '../../model/shell-words.ts';
import { counted, printable, quoted, toJson } from '../../model/text.ts';
import type { PageQuery, StateAsked } from '../../state/state-view.ts';
import { checkName, checkSet } from '../check-names.ts';
import type { Context } from '../context.ts';
import type { Output } from '../output.ts';
import type { Project } from '../project.ts';
import type { KeyCount, KeyList, SetList } from '../json-results-of-keys.ts';

interface ListOptions extends Pick<PageQuery, 'prefix' | 'limit' | 'after'> {
  readonly status?: Exclude<StateAsked, 'open'>;
  readonly asset?: string;
  readonly count?: boolean;
  readonly jsonLines?: boolean;
}

export async function run(
  { output, project }: Context,
  options: ListOptions,
  set: string | undefined,
): Promise<SetList | KeyList | KeyCount> {
  const { status, asset, count } = options;
  if ((asset ?? status) !== undefined && (set === undefined || status === undefined)) {
    fail({
      reason: 'usage',
      message: '--status chooses keys of a SET, and --asset says whose status counts',
      hint: 'for example: dynpart partitions list SET --status missing --asset ASSET',
    });
  }
  if (set === undefined) return listSets(output, project);
  const page = await keysOf(project, set, options);
  if (count) {
    const total = page.keys.length;
    output.print(`${total}\n`);
    return { set, total };
  }
  if (!output.options.json) await printKeys(output, page, options);
  return page;
}

async function keysOf(project: Project, set: string, options: ListOptions): Promise<KeyList> {
  await checkSet(project, set);
  const { prefix, after, limit } = options;
  const query = {
    set,
    ...(prefix !== undefined && { prefix }),
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
    ...(await statusAsked(project, set, options)),
  };
  const view = await project.look({
    pages: [query],
    keys: [{ set, keys: after === undefined ? [] : [after] }],
  });
  if (after !== undefined && !view.present(set, [after]).has(after)) {
    fail({ reason: 'unknown-keys', sets: [set], keys: [after] });
  }
  const page = view.page(query);
  if (options.status === undefined) return { set, ...page };
  return {
    set,
    ...page,
    keys: page.keys.map(({ key, addedAt, version, item }) => ({ key, addedAt, version, item })),
  };
}

/** A key of which any asset is missing or failed, or all of them are materialized; of one asset where it was named. */
async function statusAsked(
  project: Project,
  set: string,
  { status, asset }: ListOptions,
): Promise<Pick<PageQuery, 'status' | 'assets' | 'every'>> {
  if (status === undefined) return {};
  const { assets } = await project.known(
    await project.store.read({}),
    (known) => asset !== undefined && known.assets.every(({ name }) => name !== asset),
  );
  const names = assets.map(({ name }) => name);
  if (asset === undefined) {
    const all = names.filter((_, at) => assets[at]!.set === set);
    return { status, assets: all, ...(status === 'materialized' && all.length > 0 && { every: true }) };
  }
  checkName('asset', asset, names);
  const its = assets.find(({ name }) => name === asset)!.set;
  if (its === set) return { status, assets: [asset] };
  return fail({
    reason: 'usage',
    message: `asset '${asset}' has ${its === null ? 'no set' : `set '${its}'`}, not '${set}'`,
    hint:
      its === null
        ? `see: dynpart status ${asset}`
        : `did you mean dynpart partitions list ${shellWord(its, 'SET')} --status ${status} --asset ${asset}?`,
  });
}

async function printKeys(
  output: Output,
  { set, total, keys, next }: KeyList,
  options: ListOptions,
): Promise<void> {
  if (options.jsonLines) return output.print(keys.map(({ key }) => `${toJson(key)}\n`).join(''));
  if (!output.terminal.stdout.isTerminal)
    return output.print(keys.map(({ key }) => `${printable(key)}\n`).join(''));
  if (total === 0)
    return output.chat(
      `set '${set}' is empty; add a key: dynpart partitions add ${shellWord(set, 'SET')} KEY`,
    );
  if (keys.length === 0) return output.chat((await import('../none-found.ts')).noKeys(set, total, options));
  await output.table({
    columns: [
      { title: 'KEY', keeps: 'difference' },
      { title: 'ADDED', keeps: 'all' },
    ],
    rows: keys.map(({ key, addedAt }) => [printable(key), output.when(addedAt)]),
  });
  if (next !== null)
    output.chat(`${keys.length} of ${counted(total, 'key')}; the next ones: --after ${quoted(next)}`);
}

async function listSets(output: Output, project: Project): Promise<SetList> {
  const view = await project.store.read({ sets: true });
  const known = await project.known(view).catch((error: unknown) => {
    if (view.setNames().length > 0) return null;
    throw error;
  });
  const names = [...new Set([...(known?.sets ?? []), ...view.setNames()])];
  const sets = names.map((set) => ({ set, total: view.size(set) }));
  if (sets.length === 0) output.chat('there is no set yet: an asset with partitions makes one');
  await output.table({
    columns: [{ title: 'SET' }, { title: 'KEYS', align: 'right' }],
    rows: sets.map(({ set, total }) => [set, String(total)]),
  });
  return { sets };
}
