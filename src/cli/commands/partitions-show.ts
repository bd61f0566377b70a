/** `dynpart partitions show`: one key, and per asset where it stands, by which run, and where its value is. */
import { fail } from '../../model/failure.ts';
import { isThere } from '../../model/partition-status.ts';
import { clean, printable, toJson } from '../../model/text.ts';
import { keyCommands, typedKey } from '../../report/key-commands.ts';
import { assetsOfKey, keyIn, needsOfKey, runsOfKey } from '../../report/one-key.ts';
import { checkSet } from '../check-names.ts';
import type { Context } from '../context.ts';
import { checkedKeys } from '../read-keys.ts';
import type { OneKey } from '../json-results-of-keys.ts';
import { findValueFile } from '../find-value-file.ts';
import { sinceWhen, STYLES } from '../render/state-styles.ts';

export async function run(context: Context, _: object, set: string, key: string): Promise<OneKey> {
  const { output, project } = context;
  checkedKeys([key]);
  await checkSet(project, set);
  const { store } = project;
  const remembered = await store.read({});
  // A set that only the state knows is looked at without any pipeline.
  const known = await project.known(remembered).catch(() => remembered.pipeline);
  const its = (known?.assets ?? []).filter((asset) => asset.set === set);
  // When one of many keys was made again, no run of this key says.
  const upstreams = new Map(
    its.map(({ name, inputs, deps, gathers }) => [name, gathers === undefined ? [...inputs, ...deps] : []]),
  );
  const asked = { set, key, assets: [...upstreams.keys()], upstreams };
  const view = await store.read(needsOfKey(asked));
  const found = keyIn(view, asked);
  if (found === undefined) return fail({ reason: 'unknown-keys', sets: [set], keys: [key] });
  const { addedAt, version, item } = found;
  const runs = (await Promise.all(runsOfKey(asked).map((query) => store.runs(query)))).flatMap(
    (page) => page.runs,
  );
  const assets: OneKey['assets'][number][] = [];
  for (const report of assetsOfKey(view, asked, found, runs)) {
    const { asset } = report;
    const isKept = isThere(view.statusOf(asset, set, [key])[0]!);
    const value = isKept ? await findValueFile(store, { asset, partitionKey: key }) : null;
    assets.push({ ...report, value: value?.file ?? null });
  }
  const shown: OneKey = { set, key, addedAt, version, item, assets };
  if (!output.options.json) await print(context, shown);
  return shown;
}

async function print({ output }: Context, shown: OneKey): Promise<void> {
  const { set, key, addedAt, assets } = shown;
  if (!output.terminal.stdout.isTerminal) {
    await output.table({
      columns: ['ASSET', 'STATE', 'SINCE', 'RUN', 'VALUE', 'ERROR', 'RETRY AT'].map((title) => ({ title })),
      rows: assets.map(({ asset, state, since, run, value, error, retryAt }) => [
        asset,
        state,
        since ?? '-',
        run?.id ?? '-',
        value ?? '-',
        error?.message ?? '-',
        retryAt ?? '-',
      ]),
    });
  } else {
    const paint = output.paint.stdout;
    const carried = [
      ...(shown.version === null ? [] : [`version  ${clean(printable(shown.version))}\n`]),
      ...(shown.item === null ? [] : [`item     ${toJson(shown.item)}\n`]),
    ].join('');
    output.print(
      `key      ${clean(printable(key))}\nset      ${clean(set)}\nadded    ${output.when(addedAt)}\n${carried}`,
    );
    for (const { asset, state, reason, since, sinceNote, retryAt, run, value, error, ...of } of assets) {
      const painted = paint[STYLES[state]](state);
      const why = reason === null ? '' : ` (${clean(reason)})`;
      const when = sinceWhen(state, since && output.when(since));
      const lines = [
        `\n${clean(asset)}: ${painted}${why}${when}`,
        ...(sinceNote === null ? [] : [sinceNote]),
        ...(error === null ? [] : [clean(error.message)]),
        ...(retryAt === null ? [] : [`tried again by automation: ${output.when(retryAt)}`]),
        ...of.warnings.map(({ check, message }) => `warning of check ${printable(check)}: ${clean(message)}`),
        ...Object.entries(of.metadata).map(
          ([name, data]) =>
            `${clean(name)}: ${clean(typeof data === 'string' ? data : JSON.stringify(data))}`,
        ),
        ...(run === null ? [] : [`run ${run.id}: ${run.status}`]),
        ...(value === null ? [] : [`value ${clean(value)}`]),
      ];
      output.print(
        `${lines
          .join('\n')
          .replaceAll('\n', '\n  ')
          .replace(/^\n {2}/, '\n')}\n`,
      );
    }
  }
  for (const hint of hintsFor(shown)) output.chat(hint);
}

/** What to do about it. */
function hintsFor({ set, key, assets }: OneKey): string[] {
  const standing = assets.map(({ asset, state, run }) => ({ asset, state, run: run?.id ?? null }));
  return [
    ...keyCommands(key, standing).map(({ what, command }) => `${what}: ${command}`),
    assets.length === 0
      ? `no asset of the pipeline has the set '${clean(set)}'`
      : `earlier runs: dynpart runs list${typedKey(key)}`,
  ];
}
