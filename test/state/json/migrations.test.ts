/** A state of schema 1 is read as it is, and brought forward by the first commit, behind a copy that an older dynpart can read. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { EVERYTHING } from '../../../src/state/needs.ts';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkState } from '../../../src/state/document/check-state.ts';
import { migrated, NEWEST_SCHEMA, OLDEST_SCHEMA } from '../../../src/state/json/migrations.ts';
import { parseState } from '../../../src/state/json/parse-state.ts';
import { SCHEMA } from '../../../src/state/document/state-document.ts';
import { keysAdded } from '../../support/builders.ts';
import { JsonRig } from '../../support/json-rig.ts';

/** As dynpart 0.1 wrote it: keys, statuses, a cursor, spent run keys of both kinds, queued runs, and one of a process that was killed. */
const SCHEMA_1 = fs.readFileSync(
  path.join(import.meta.dirname, '../../fixtures/state-schema-1.json'),
  'utf8',
);
const OLD = JSON.parse(SCHEMA_1) as { readonly serial: number } & Record<string, unknown>;

/** A tick of then knew of no updated keys. */
function withUpdated(sensors: unknown): unknown {
  return JSON.parse(
    JSON.stringify(sensors)
      .replaceAll('"removed":', '"updated":[],"removed":')
      .replaceAll('"skipReason":', '"failures":[],"skipReason":'),
  );
}

describe('the steps', () => {
  it('lead from the oldest schema to the one that is written, one by one', () => {
    expect(NEWEST_SCHEMA).toBe(SCHEMA);
    for (let schema = OLDEST_SCHEMA; schema <= SCHEMA; schema++)
      expect(migrated({ schema }, schema)).toMatchObject({ schema: SCHEMA });
  });

  it('leave a document of the present schema as it is', () => {
    const document = { schema: SCHEMA };
    expect(migrated(document, SCHEMA)).toBe(document);
  });

  it('change nothing of what they are given', () => {
    const old = Object.freeze(JSON.parse(SCHEMA_1) as Record<string, unknown>);
    migrated(old, 1);
    expect(old).toEqual(OLD);
  });

  it('bring over all that was in a state of schema 1, also fields that this dynpart does not know', () => {
    const text = JSON.stringify({ ...OLD, notes: 'mine', writers: 'somebody else' });
    const document = parseState(text, 'f');
    const expected = { ...OLD, notes: 'mine', schema: SCHEMA, writers: { last: [], forgotten: 0 } };
    expect(document).toEqual({ ...expected, sensors: withUpdated(OLD['sensors']) });
    expect(checkState(document)).toEqual([]);
  });

  it('make one text of the versions of schema 4, and leave what is no list of them to the check of the shape', () => {
    const set = { keys: ['a', 'b', 'c', 'd'], added: [[4, '2026-01-01T00:00:00.000Z']], keptOut: [] };
    const versions = (list: unknown): unknown => {
      const { sets } = migrated(
        { schema: 4, sets: { items: { ...set, versions: list }, plain: set } },
        4,
      ) as {
        sets: Record<string, Record<string, unknown>>;
      };
      expect(sets['plain']).toEqual(set);
      return sets['items']!['versions'];
    };
    expect(versions([null, '"1"', 'two\nlines', 'back\\slash'])).toBe('\n"1"\ntwo\\nlines\nback\\\\slash');
    for (const other of ['text', [7], { 0: 'a' }]) expect(versions(other)).toEqual(other);
  });

  it('say of what concerned a run of schema 4 that it was upstream: nothing else was noted', () => {
    const touched = { 1: { audio: 6, text: 7 } };
    const { runs } = migrated({ schema: 4, runs: [{ id: 'g', touched }, { id: 'h' }] }, 4) as {
      runs: unknown;
    };
    const upstream = { 1: { audio: { upstream: 6 }, text: { upstream: 7 } } };
    expect(runs).toEqual([{ id: 'g', touched: upstream }, { id: 'h' }]);
  });

  it('demand the same shape as ever: damage is named with its place', () => {
    for (const [field, wrong] of [
      ['sets', []],
      ['lineage', 5],
      ['runs', [{}]],
      ['serial', 0],
    ] as const)
      expect(() => parseState(JSON.stringify({ ...OLD, [field]: wrong }), 'f')).toThrow('state-misshapen');
    expect(() => parseState('{"schema":1}', 'f')).toThrow('state-misshapen');
  });
});

describe('a state of schema 1', () => {
  let rig: JsonRig;

  beforeEach(() => {
    rig = new JsonRig();
    fs.mkdirSync(rig.folder.file('.dynpart'));
    fs.writeFileSync(rig.stateFile, SCHEMA_1);
    fs.linkSync(rig.stateFile, generation(OLD.serial));
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await rig.settled();
    rig[Symbol.dispose]();
  });

  const generation = (serial: number): string =>
    rig.folder.file('.dynpart', `.state.json.${String(serial).padStart(12, '0')}`);
  const copies = (): string[] =>
    fs.readdirSync(rig.folder.file('.dynpart')).filter((name) => name.includes('before-schema'));
  const contentOf = (name: string): string => fs.readFileSync(rig.folder.file('.dynpart', name), 'utf8');
  const commit = (key: string, store = rig.store): Promise<void> =>
    store.commit(EVERYTHING, () => ({ changes: [keysAdded('items', [key])], outcome: undefined }));

  it('is read without a byte written', async () => {
    const before = rig.folder.content();
    expect((await rig.store.read(EVERYTHING)).keys('items')).toContain('Ünï');
    await rig.store.commit(EVERYTHING, () => ({ changes: [], outcome: undefined }));
    expect(rig.folder.content()).toEqual(before);
    expect(rig.warnings).toEqual([]);
  });

  it('is of the present schema after the first commit, with a copy of what was there, and one line about it', async () => {
    await commit('new');
    const { sets } = OLD as unknown as { sets: { items: { keys: string[] } } };
    const after = rig.onDisk();
    expect(JSON.parse(fs.readFileSync(rig.stateFile, 'utf8'))).toMatchObject({ schema: SCHEMA, serial: 10 });
    expect(after.sets['items']!.keys).toEqual([...sets.items.keys, 'new']);
    for (const field of ['lineage', 'pipeline', 'assets', 'runs', 'executors'] as const)
      expect(after[field]).toEqual(OLD[field]);
    expect(after.sensors).toEqual(withUpdated(OLD['sensors']));
    const [copy, ...more] = copies();
    expect(more).toEqual([]);
    expect(copy).toMatch(/^state\.json\.before-schema-5-2026-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/);
    expect(contentOf(copy!)).toBe(SCHEMA_1);
    expect(rig.warnings).toEqual([
      `${rig.stateFile} has schema 5 now; as it was before, it is kept as ${rig.stateFile}${copy!.slice('state.json'.length)}`,
    ]);
    await commit('newer');
    await commit('newest', rig.open());
    expect(copies()).toHaveLength(1);
    expect(rig.warnings).toHaveLength(1);
  });

  it('gets a name for its copy whatever stands in place of its time', async () => {
    fs.writeFileSync(rig.stateFile, JSON.stringify({ ...OLD, writtenBy: { version: '0.1.0', at: '/x' } }));
    await commit('new');
    expect(copies()).toEqual(['state.json.before-schema-5-unknown']);
  });

  it('is copied from the generation where that is ahead of the file', async () => {
    const newer = JSON.stringify({ ...OLD, serial: 12, extra: 'only there' });
    fs.writeFileSync(generation(12), newer);
    await commit('new');
    expect(copies().map(contentOf)).toEqual([newer]);
    expect(rig.onDisk()).toMatchObject({ serial: 13, extra: 'only there' });
  });

  it('is copied from the file where the generation is damaged', async () => {
    fs.writeFileSync(generation(12), '{');
    await commit('new');
    expect(copies().map(contentOf)).toEqual([SCHEMA_1]);
    expect(rig.onDisk().serial).toBe(13);
  });

  it('has its copy on the disk before anything is published, and none that is torn', async () => {
    const steps: string[] = [];
    const named = (name: string): string =>
      name.includes('before-schema') ? 'copy' : /\d{12}$/.test(name) ? 'generation' : 'file';
    const { linkSync, fsyncSync } = fs;
    vi.spyOn(fs, 'linkSync').mockImplementation((from, to) => {
      linkSync(from, to);
      steps.push(`link ${named(String(to))}`);
    });
    vi.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
      fsyncSync(fd);
      steps.push('sync');
    });
    await commit('new');
    expect(steps).toEqual(['sync', 'link copy', 'sync', 'sync', 'link generation', 'link file', 'sync']);
  });

  it.each(['writeSync', 'fsyncSync', 'linkSync'] as const)(
    'stays as it is when the copy cannot be made: %s',
    async (step) => {
      const before = rig.folder.content();
      vi.spyOn(fs, step).mockImplementation(() => {
        throw Object.assign(new Error('no'), { code: 'ENOSPC' });
      });
      await expect(commit('new')).rejects.toMatchObject({ failure: { reason: 'state-io' } });
      vi.restoreAllMocks();
      expect(rig.folder.content()).toEqual(before);
      expect(rig.warnings).toEqual([]);
    },
  );

  it('does not pile up copies of tries that came no further, and keeps another one for another state', async () => {
    let fails = 3;
    const link = fs.linkSync.bind(fs);
    vi.spyOn(fs, 'linkSync').mockImplementation((from, to) => {
      if (/\d{12}$/.test(String(to)) && fails-- > 0) throw Object.assign(new Error('no'), { code: 'ENOSPC' });
      link(from, to);
    });
    for (let tries = 0; tries < 3; tries++)
      await expect(commit('new')).rejects.toMatchObject({ failure: { reason: 'state-io' } });
    expect(copies().map(contentOf)).toEqual([SCHEMA_1]);
    // The older dynpart goes on, and then the newer one again: the same time by chance, and another state.
    const other = SCHEMA_1.replace('"keptOut":["gone"]', '"keptOut":[]');
    fs.rmSync(generation(OLD.serial));
    fs.writeFileSync(rig.stateFile, other);
    fs.linkSync(rig.stateFile, generation(OLD.serial));
    await commit('new', rig.open());
    expect(copies().toSorted().map(contentOf)).toEqual([SCHEMA_1, other]);
  });

  it('is migrated once by two that do it at the same time', async () => {
    await Promise.all(['a1', 'a2', 'a3', 'a4'].map((key) => commit(key, rig.open())));
    expect(copies().map(contentOf)).toEqual([SCHEMA_1]);
    expect(rig.onDisk().sets['items']!.keys.slice(-4).toSorted()).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(rig.warnings).toHaveLength(1);
  });

  it('keeps no copy of what another one migrated between its reading and its commit', async () => {
    const late = rig.open();
    await late.read(EVERYTHING);
    await commit('first');
    for (const name of copies()) fs.rmSync(rig.folder.file('.dynpart', name));
    await commit('late', late);
    expect(copies()).toEqual([]);
    expect(rig.onDisk().sets['items']!.keys.slice(-2)).toEqual(['first', 'late']);
  });

  it('is known as the way back: its generations are read', async () => {
    await commit('new');
    fs.rmSync(generation(10));
    expect(rig.store.file.newestGeneration()).toMatchObject({ serial: 9, schema: SCHEMA });
  });
});
