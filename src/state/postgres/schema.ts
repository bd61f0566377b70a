/** The tables of a state in PostgreSQL, as `dynpart state migrate` makes them. `@.` stands for the schema. */

/** The version of the tables that this dynpart reads and writes. */
export const SCHEMA_VERSION = 8;

/** The oldest server, as `server_version_num` says it: PostgreSQL 13. */
export const OLDEST_SERVER = 130_000;

/**
 * `json`, not `jsonb`: a record comes back letter by letter, with what `jsonb` refuses (`\u0000`). Texts compare by their bytes
 * (`collate "C"`). What only one commit at a time changes needs no locks of rows: commits hold the lock of their state.
 */
export const TABLES = `
create table @.meta (
  one boolean primary key default true check (one),
  program text not null default 'dynpart' check (program = 'dynpart'),
  schema_version int not null,
  lineage text not null,
  serial bigint not null default 0,
  written_by json,
  pipeline json,
  -- What is open or not told yet; null: nothing.
  incidents json,
  -- Of pools with a rate: when calls began.
  pool_starts json
);
-- The last commits: who does not know what became of its COMMIT looks here.
create table @.made (id text primary key, serial bigint not null);
create index made_by_serial on @.made (serial);

create table @.key_set (
  id int generated always as identity primary key,
  name text collate "C" not null unique,
  size bigint not null default 0,
  next_pos bigint not null default 1
);
create table @.key (
  set_id int not null,
  key text collate "C" not null,
  pos bigint not null,
  added_at timestamptz not null,
  version text,
  item json,
  primary key (set_id, key)
);
create unique index key_in_order on @.key (set_id, pos);
create table @.kept_out (
  set_id int not null,
  key text collate "C" not null,
  n bigint generated always as identity,
  primary key (set_id, key)
);

create table @.sensor (
  name text collate "C" primary key,
  n bigint generated always as identity,
  in_state boolean not null default true,
  status text check (status in ('RUNNING', 'STOPPED')),
  cursor json,
  version bigint not null default 0,
  last_tick json,
  periods jsonb,
  -- ISO 8601.
  quiet_since text collate "C"
);
-- A run key launches one run, ever. Set and key: the partition whose removal releases it.
create table @.run_key (
  sensor text collate "C" not null,
  run_key text collate "C" not null,
  whole text,
  set_id int,
  key text collate "C",
  primary key (sensor, run_key)
);
create index run_key_of on @.run_key (set_id, key);

-- The letters of the state file; missing: no row. Set 0 and key '': no partitions.
create table @.status (
  set_id int not null,
  key text collate "C" not null,
  asset text collate "C" not null,
  letter "char" not null,
  -- Of a failed one: how often in a row, and when it is tried again (ISO 8601).
  failures int not null default 0,
  retry_at text collate "C",
  primary key (set_id, key, asset)
);
create index status_retry on @.status (retry_at) where retry_at is not null;
create index status_backlog on @.status (asset) where letter = 'b';
-- Assets of which something was on record, with which code, and when they were made last (ISO 8601).
create table @.asset (name text collate "C" primary key, code_version text, made_at text collate "C");

-- Queued and started runs. What runs have in common that were queued together stands in their head.
create table @.run_head (
  n bigint generated always as identity primary key,
  run_group text collate "C" not null,
  created_at text not null,
  sensor text collate "C",
  set_id int,
  assets text[] not null,
  reasons json,
  tags json not null,
  origin text not null,
  retry_of text
);
create table @.run (
  id text collate "C" primary key,
  head bigint not null,
  number bigint not null,
  key text collate "C",
  run_key text,
  letter "char" not null default 'q',
  owner text collate "C",
  owned_since bigint not null default 0,
  interrupted int not null default 0,
  started_at text,
  done json,
  done_assets text[],
  touched json,
  why text
);
create index run_by_head on @.run (head, number);
create index run_by_owner on @.run (owner) where owner is not null;
create index run_by_key on @.run (key);
create index run_canceling on @.run (id) where letter = 'c';

create table @.executor (
  id text collate "C" primary key,
  n bigint generated always as identity,
  owner json not null,
  slots int not null,
  wants int not null,
  pools json,
  lease_ms int not null,
  beat timestamptz not null,
  turned timestamptz not null,
  at_work text[]
);
create table @.begun (
  executor text collate "C" not null,
  run text collate "C" not null,
  at text not null,
  may_block_ms float8 not null,
  primary key (executor, run)
);
create table @.program (
  executor text collate "C" not null,
  run text collate "C" not null,
  process_group int not null,
  number int not null,
  primary key (executor, number)
);
create table @.sensor_lease (
  sensor text collate "C" primary key,
  owner json not null,
  lease_ms int not null,
  beat timestamptz not null,
  thread text
);

create table @.history (
  n bigint generated always as identity primary key,
  id text collate "C" not null unique,
  status text not null,
  sensor text collate "C",
  key text collate "C",
  assets text[] not null,
  is_tagged boolean not null,
  finished_at text not null,
  record json not null
);
create index history_by_key on @.history (key, n);
create table @.tick (
  n bigint generated always as identity primary key,
  sensor text collate "C" not null,
  started_at text not null,
  status text not null,
  is_recorded boolean not null,
  record json not null
);
create index tick_by_sensor on @.tick (sensor, n);
create table @.log (
  run text collate "C" not null,
  n bigint generated always as identity,
  line json not null,
  primary key (run, n)
);

-- What assets returned. Staged until the record of its materialization is committed, and in its place with that commit.
create table @.staged (
  executor text collate "C" not null,
  run text collate "C" not null,
  asset text collate "C" not null,
  key text collate "C" not null,
  codec text not null,
  bytes bytea not null,
  at timestamptz not null default now(),
  primary key (run, asset, executor)
);
create index staged_by_place on @.staged (asset, key);
create table @.value (
  asset text collate "C" not null,
  key text collate "C" not null,
  run text not null,
  codec text not null,
  bytes bytea not null,
  primary key (asset, key)
);
-- What was there before a copy was put in its place.
create table @.kept_state (name text primary key, document json not null);
alter table @.staged alter bytes set storage external;
alter table @.value alter bytes set storage external;
`;

/** What brings the tables from the version before to this one. */
export const MIGRATIONS: ReadonlyMap<number, string> = new Map([
  [
    2,
    `
alter table @.key add version text, add item json;
create index status_backlog on @.status (asset) where letter = 'b';
create table @.asset (name text collate "C" primary key, code_version text);
insert into @.asset (name) select distinct asset from @.status;
alter table @.run_head add reasons json;
alter table @.run add touched json;
`,
  ],
  [
    3,
    `
alter table @.sensor add periods jsonb;
alter table @.status add failures int not null default 0, add retry_at text collate "C";
create index status_retry on @.status (retry_at) where retry_at is not null;
`,
  ],
  [
    4,
    `
alter table @.sensor add quiet_since text collate "C";
alter table @.asset add made_at text collate "C";
`,
  ],
  [
    5,
    `
update @.run r set touched =
  (select json_object_agg(t.key, json_build_object('upstream', t.value)) from json_each(r.touched) t)
where touched is not null;
`,
  ],
  [6, `alter table @.meta add incidents json;`],
  [
    7,
    `
alter table @.meta add if not exists pool_starts json;
alter table @.executor add if not exists pools json;
`,
  ],
  [
    8,
    `
alter table @.executor add if not exists at_work text[];
alter table @.run add if not exists why text;
create index if not exists run_canceling on @.run (id) where letter = 'c';
`,
  ],
]);
