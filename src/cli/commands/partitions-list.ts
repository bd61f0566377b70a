/** `dynpart partitions list`: the sets, or the keys of one. */
import { fail } from '../../model/failure.ts';
import { counted, printable, quoted, toJson } from '../../model/text.ts';
import type { Context } from '../context.ts';
import type { Output } from '../output.ts';
import type { Project } from '../project.ts';
import type { KeyCount, KeyList, SetList } from '../results.ts';

interface ListOptions {
  readonly prefix?: string;
  readonly limit?: number;
  readonly after?: string;
  readonly count?: boolean;
  readonly jsonLines?: boolean;
}

export async function run(
  { output, project }: Context,
  options: ListOptions,
  set: string | undefined,
): Promise<SetList | KeyList | KeyCount> {
  if (set === undefined) return listSets(output, project);
  const { count, jsonLines = false } = options;
  const page = await keysOf(project, set, options);
  if (count) {
    const total = page.keys.length;
    output.print(`${total}\n`);
    return { set, total };
  }
  if (!output.options.json) await printKeys(output, page, jsonLines);
  return page;
}

async function keysOf(
  project: Project,
  set: string,
  { prefix, after, limit }: ListOptions,
): Promise<KeyList> {
  await project.checkSet(set);
  const query = {
    set,
    ...(prefix !== undefined && { prefix }),
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
  };
  const view = await project.store.read({
    pages: [query],
    keys: [{ set, keys: after === undefined ? [] : [after] }],
  });
  if (after !== undefined && !view.present(set, [after]).has(after)) {
    fail({ reason: 'unknown-keys', sets: [set], keys: [after] });
  }
  return { set, ...view.page(query) };
}

async function printKeys(
  output: Output,
  { set, total, keys, next }: KeyList,
  asJson: boolean,
): Promise<void> {
  if (asJson) return output.print(keys.map(({ key }) => `${toJson(key)}\n`).join(''));
  if (!output.terminal.stdout.isTerminal)
    return output.print(keys.map(({ key }) => `${printable(key)}\n`).join(''));
  if (total === 0) return output.chat(`set '${set}' is empty; add a key: dynpart partitions add ${set} KEY`);
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
