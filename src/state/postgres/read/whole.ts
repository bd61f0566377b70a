/** The state as one document: for copies and checks, and for tests. */
import { emptyDocument, type RunGroup, type StateDocument } from '../../document/state-document.ts';
import { type Moment, readMoment } from './moment.ts';
import { eachPortion } from './portions.ts';
import { isoText } from './questions.ts';
import { readAllRuns } from './runs.ts';
import { type Port, rows } from '../port.ts';
import {
  type AssetRow,
  type KeyRow,
  OpenSets,
  OpenSpent,
  OpenStatuses,
  type SpentRow,
  type StatusRow,
} from './whole-columns.ts';

const KEYS = `
select s.name as set, k.key, ${isoText('k.added_at')} as at, k.version, k.item
from @.key_set s join @.key k on k.set_id = s.id order by s.id, k.pos`;

const KEPT_OUT = `
select s.name as set, o.key from @.key_set s join @.kept_out o on o.set_id = s.id order by s.id, o.n`;

const STATUSES = `
select t.asset, s.name as set, t.key, t.letter, t.failures, t.retry_at from @.status t left join @.key_set s on s.id = t.set_id`;

const RUN_KEYS = `
select r.sensor, coalesce(r.whole, r.run_key) as run_key, s.name as set, r.key
from @.run_key r left join @.key_set s on s.id = r.set_id order by r.sensor, r.run_key`;

const ASSETS = `select name, code_version, made_at from @.asset order by name`;

const WRITTEN = `select coalesce(written_by, '{"version":"","at":""}') as written from @.meta`;

export interface WholeState {
  readonly document: StateDocument;
  readonly moment: Moment;
}

export async function readWhole(
  port: Port,
  admit: (moment: Moment | null) => Promise<Moment>,
): Promise<WholeState> {
  const moment = await admit(await readMoment(port, { sensors: 'all', executors: true }));
  const sets = new OpenSets(moment.sets.map(({ name }) => name));
  await eachPortion<KeyRow>(port, 'whole_keys', KEYS, (keys) => {
    for (const row of keys) sets.add(row);
  });
  const keptOut = await rows<{ readonly set: string; readonly key: string }>(port, KEPT_OUT);
  for (const row of keptOut) sets.keepOut(row);
  const statuses = new OpenStatuses(sets);
  await eachPortion<StatusRow>(port, 'whole_statuses', STATUSES, (those) => {
    for (const row of those) statuses.add(row);
  });
  const assets = await rows<AssetRow>(port, ASSETS);
  const spent = new OpenSpent(sets);
  await eachPortion<SpentRow>(port, 'whole_run_keys', RUN_KEYS, (those) => {
    for (const row of those) spent.add(row);
  });
  const [by] = await rows<{ readonly written: StateDocument['writtenBy'] }>(port, WRITTEN);
  const runs: readonly RunGroup[] = await readAllRuns(port);
  const document: StateDocument = {
    ...emptyDocument(),
    lineage: moment.lineage,
    serial: moment.serial,
    writtenBy: { version: by!.written.version, at: by!.written.at },
    ...(moment.move !== null && { move: moment.move }),
    pipeline: moment.pipeline,
    sensors: Object.fromEntries(
      moment.sensors
        .filter(({ version }) => version !== null)
        .map(({ name, status, cursor, version, periods, quietSince, inState }) => [
          name,
          {
            status,
            cursor,
            version: version!,
            lastTick: inState,
            ...(periods !== null && { periods }),
            ...(quietSince !== null && { quietSince }),
            runKeys: spent.of(name),
          },
        ]),
    ),
    assets: statuses.end(assets),
    executors: moment.executors.map(({ owner, slots, wants, pools }) => ({
      ...owner,
      slots,
      wants,
      ...(pools !== null && { pools }),
    })),
    ...(moment.poolStarts !== null && { poolStarts: moment.poolStarts }),
    runs,
    ...(moment.incidents !== null && { incidents: moment.incidents }),
    sets: sets.end(),
  };
  return { document, moment };
}
