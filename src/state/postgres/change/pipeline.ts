/** The pipeline that the state remembers: other code makes stale what was made by it, and what is automated from now on has a backlog. */
import type { KnownPipeline } from '../../../model/known-pipeline.ts';
import type { StateChange } from '../../changes.ts';
import { type Port, rows } from '../port.ts';
import { assetsToAsk, hasUnasked, withoutUnasked } from '../../document/unasked.ts';
import { changeStatuses, remember, setsBelow, type Surroundings } from './statuses.ts';

const CODES = `select name, code_version from @.asset`;

const SET_CODES = `
update @.asset a set code_version = w.code from unnest($1::text[], $2::text[]) as w(name, code) where a.name = w.name`;

const NO_BACKLOG = `
delete from @.status t using unnest($1::text[], $2::text[]) as w(asset, set) left join @.key_set s on s.name = w.set
where t.letter = 'b' and t.asset = w.asset and t.set_id = case when w.set is null then 0 else s.id end`;

/** All that is missing, and the asset is known by it. */
const BACKLOG = `
with made as (
  insert into @.status (set_id, key, asset, letter)
  select s.id, k.key, $1, 'b' from @.key_set s join @.key k on k.set_id = s.id where s.name = $2
  on conflict do nothing returning asset
)
insert into @.asset (name, code_version) select distinct asset, $3 from made on conflict do nothing`;

/** Sensors that have brought nothing before new keys were expected of them. One that only ticked has a row and is not in the state. */
const EXPECT = `
insert into @.sensor as s (name, quiet_since) select name, $2 from unnest($1::text[]) with ordinality as w(name, n) order by n
on conflict (name) do update set in_state = true, quiet_since = excluded.quiet_since where s.quiet_since is null`;

/** What changed while the functions of the pipeline were not at hand makes stale what they say, now that they are. */
export async function askUnasked(port: Port, surroundings: Surroundings): Promise<void> {
  const { pipeline } = surroundings;
  if (pipeline === null || !hasUnasked(pipeline)) return;
  remember(port, surroundings, withoutUnasked(pipeline));
  await askBy(port, surroundings, pipeline);
}

async function askBy(port: Port, surroundings: Surroundings, before: KnownPipeline | null): Promise<void> {
  const { pipeline, mapping = null } = surroundings;
  const asked = assetsToAsk(before, pipeline!, mapping);
  if (asked.length === 0) return;
  const own = asked.map(({ set }) => ({ set, keys: 'all' }) as const);
  const below = setsBelow(pipeline, { assets: asked.map(({ asset }) => asset) });
  await changeStatuses(port, surroundings, [...own, ...below], (statuses) => {
    for (const one of asked) statuses.ask(one);
  });
}

export async function rememberPipeline(
  port: Port,
  { pipeline, at }: Extract<StateChange, { readonly type: 'pipeline-known' }>,
  surroundings: Surroundings,
): Promise<void> {
  const before = surroundings.pipeline;
  remember(port, surroundings, pipeline);
  await askBy(port, surroundings, before);
  const expected = pipeline.sensors.filter(({ newKeysEveryMs }) => newKeysEveryMs !== undefined);
  if (expected.length > 0) await port.execute(EXPECT, [expected.map(({ name }) => name), at]);
  const known = await rows<{ readonly name: string; readonly code_version: string | null }>(port, CODES);
  const codes = new Map(known.map(({ name, code_version: code }) => [name, code]));
  const recoded = pipeline.assets.filter(
    ({ name, codeVersion }) =>
      codeVersion !== undefined && codes.has(name) && codes.get(name) !== codeVersion,
  );
  // The first one is what all that is there was made with.
  const changed = recoded.filter(({ name }) => codes.get(name) !== null);
  if (changed.length > 0) {
    const below = setsBelow(pipeline, { assets: changed.map(({ name }) => name) });
    const own = changed.map(({ set }) => ({ set, keys: 'all' }) as const);
    await changeStatuses(port, surroundings, [...own, ...below], (statuses) => {
      for (const { name, set } of changed) statuses.changeCode(name, set);
    });
  }
  if (recoded.length > 0)
    await port.execute(SET_CODES, [
      recoded.map(({ name }) => name),
      recoded.map(({ codeVersion }) => codeVersion),
    ]);
  const was = new Map(before?.assets.map((asset) => [asset.name, asset]));
  const owed = pipeline.assets.filter(
    // What has no keys was never in a set before.
    ({ automate, takesBacklog, set }) => automate === undefined || takesBacklog === true || set === null,
  );
  await port.execute(NO_BACKLOG, [owed.map(({ name }) => name), owed.map(({ set }) => set)]);
  for (const asset of pipeline.assets) {
    const old = was.get(asset.name);
    if (owed.includes(asset) || (old?.automate !== undefined && old.set === asset.set)) continue;
    await port.execute(BACKLOG, [asset.name, asset.set, asset.codeVersion ?? null]);
  }
}
