/** Random commits: after each of them the state in PostgreSQL is the one that the same changes make of a document. */
import * as fc from '../../support/random.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AssetOutcome, outcomeOf as filled } from '../../../src/model/run.ts';
import type { Carried } from '../../../src/model/carried.ts';
import type { KnownPipeline } from '../../../src/model/known-pipeline.ts';
import type { StateChange } from '../../../src/state/changes.ts';
import { applyChanges } from '../../../src/state/document/apply-changes.ts';
import { checkState } from '../../../src/state/document/check-state.ts';
import { viewOf } from '../../../src/state/document/document-view.ts';
import { EMPTY_SET, emptyDocument, type StateDocument } from '../../../src/state/document/state-document.ts';
import { EVERYTHING } from '../../../src/state/needs.ts';
import { finishedRun, queuedRuns, signs, tickRecord } from '../../support/builders.ts';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';

const RUNS = Number(process.env['DYNPART_RUNS'] ?? 25);
const SETS = ['letters', 'numbers', 'constructor'];
const KEYS = ['a', 'b', 'c', "d'", 'é', '\\'];
const ASSETS = ['audio', 'text', 'config', 'summary', 'digest', 'shelf'];
const SENSORS = ['feed', '__proto__x'];

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

/** What one change is to be about; which it becomes depends on the state. */
interface Wish {
  readonly kind: number;
  readonly set: number;
  readonly sensor: number;
  readonly keys: readonly number[];
  readonly yes: boolean;
  readonly pick: number;
}

const wish: fc.Arbitrary<Wish> = fc.record({
  kind: fc.nat(18),
  set: fc.nat(SETS.length - 1),
  sensor: fc.nat(SENSORS.length - 1),
  keys: fc.uniqueArray(fc.nat(KEYS.length - 1), { minLength: 1, maxLength: 4 }),
  yes: fc.boolean(),
  pick: fc.nat(5),
});

const history = fc.array(fc.array(wish, { minLength: 1, maxLength: 5 }), { minLength: 3, maxLength: 25 });

const outcomeOf = (asset: string, status: AssetOutcome['status'], n: number): AssetOutcome =>
  filled({
    asset,
    status,
    attempts: n,
    metadata: { n, odd: '\0' },
    skipReason: status === 'SKIPPED' && n % 2 === 0 ? 'nothing' : null,
  });

const carrying = (n: number): Carried => ({
  version: n % 3 === 0 ? null : `v${n}\\\0`,
  item: n % 2 === 0 ? null : { n, odd: '\0é' },
});

/** config → audio → text → summary, for one of the sets; a digest of all texts, or of the last two; a shelf of another set. */
const pipelineOf = (set: string, pick: number, yes: boolean): KnownPipeline => ({
  file: '/p.ts',
  stamp: '',
  sets: SETS,
  concurrency: 1,
  sensors: SENSORS.map((name) => ({
    name,
    minimumIntervalSeconds: 30,
    timeoutSeconds: 60,
    defaultStatus: 'RUNNING' as const,
    ...(yes && { newKeysEveryMs: 1000 * pick }),
  })),
  assets: [
    {
      name: 'config',
      set: null,
      inputs: [],
      deps: [],
      ...(yes && { automate: 'stale' as const, later: [1000, 2000] }),
      ...(pick > 3 && { codeVersion: `${pick}` }),
    },
    {
      name: 'audio',
      set,
      inputs: [],
      deps: ['config'],
      ...(yes && { automate: 'missing' as const, later: [1000] }),
    },
    { name: 'text', set, inputs: ['audio'], deps: [], ...(pick > 1 && { codeVersion: `${pick % 3}` }) },
    {
      name: 'summary',
      set,
      inputs: ['text'],
      deps: [],
      ...(pick > 2 && { automate: 'stale' as const, ...(pick > 4 && { takesBacklog: true as const }) }),
    },
    {
      name: 'digest',
      set: null,
      inputs: ['config'],
      deps: [],
      gathers: [{ asset: 'text', ...(pick > 2 && { last: 2 }) }],
    },
    {
      name: 'shelf',
      set: SETS[(SETS.indexOf(set) + (pick % 2)) % SETS.length]!,
      inputs: pick > 3 ? ['digest'] : [],
      deps: [],
      gathers: [{ asset: 'summary' }, { asset: 'audio', last: 1 }],
    },
  ],
});

/** The changes that a planner might make of a wish, given the document. */
function changesFor(
  { kind, set: setAt, sensor: sensorAt, keys: keysAt, yes, pick }: Wish,
  document: StateDocument,
  { executors, number }: { readonly executors: readonly string[]; readonly number: number },
): readonly StateChange[] {
  const set = SETS[setAt]!;
  const sensor = SENSORS[sensorAt]!;
  const keys = keysAt.map((at) => KEYS[at]!);
  const entry = Object.hasOwn(document.sets, set) ? document.sets[set]! : EMPTY_SET;
  const here = keys.filter((key) => entry.keys.includes(key));
  const view = viewOf(document, { judge: () => signs(), lastTick: (_, tick) => tick });
  const runs = view
    .runs()
    .flatMap((group) => Array.from({ length: group.count }, (_, at) => ({ group, run: group.at(at) })))
    .sort((one, other) => (one.run.id < other.run.id ? -1 : 1))
    .filter((_, at) => (at + pick) % 3 !== 0);
  const ids = runs.map(({ run }) => run.id);
  const executor = executors[pick % executors.length]!;
  const known = document.executors.some(({ id }) => id === executor);
  switch (kind) {
    case 0:
    case 1: {
      const fresh = keys.filter((key) => !entry.keys.includes(key) && !entry.keptOut.includes(key));
      const at = `2026-01-0${pick + 1}T00:00:00.000Z`;
      const carried = fresh.map((_, n) => carrying(n + pick));
      return fresh.length === 0
        ? []
        : [{ type: 'keys-added', set, keys: fresh, at, ...(yes && { carried }) }];
    }
    case 2:
      return [{ type: 'keys-removed', set, keys, keepOut: yes }];
    case 3:
      return [{ type: 'keys-let-in', set, keys }];
    case 4:
      return [
        { type: 'sensor-changed', sensor, ...(yes ? { cursor: pick === 0 ? null : `c${pick}\0` } : {}) },
      ];
    case 5:
      return [
        {
          type: 'sensor-changed',
          sensor,
          status: yes ? 'RUNNING' : 'STOPPED',
          ...(pick > 2 && { periods: { [ASSETS[pick % 3]!]: `2026-01-0${1 + (number % 9)}T00:00:00.000Z` } }),
          tick: tickRecord({
            sensor,
            status: 'SUCCESS',
            startedAt: `2026-01-01T00:00:${10 + (number % 50)}.000Z`,
            finishedAt: `2026-01-01T00:01:${10 + (number % 50)}.000Z`,
            partitions:
              pick === 1 ? [{ set, added: KEYS.slice(0, 1), updated: [], removed: [], skipped: [] }] : [],
          }),
        },
      ];
    case 6:
    case 7: {
      const isKeyed = here.length > 0;
      const wanted = isKeyed ? here : [null];
      const asked = wanted.map((key) => (yes ? key : `${number} of ${key}${'x'.repeat(pick * 300)}`));
      const spent = view.spentRunKeys(
        sensor,
        asked.filter((one) => one !== null),
      );
      const runKeys = asked.map((runKey) => (runKey === null || spent.has(runKey) ? null : runKey));
      const queued = queuedRuns({
        group: `g${number}`,
        set: isKeyed ? set : null,
        keys: wanted,
        runKeys,
        sensor: pick === 5 ? null : sensor,
        retryOf: pick === 4 ? 'old-1' : null,
        assets: isKeyed
          ? [['audio', 'text', 'summary'], ['shelf'], ['text']][pick % 3]!
          : yes
            ? ['config']
            : ['config', 'digest'],
        ...(pick === 1 && { reasons: ['missing'] }),
        tags: pick === 2 ? { why: 'é\0' } : {},
      });
      return [{ type: 'runs-queued', runs: queued, owner: yes && known ? executor : null }];
    }
    case 8:
      return known
        ? [{ type: 'runs-claimed', ids, owner: executor, interrupted: new Set(yes ? ids.slice(0, 1) : []) }]
        : [];
    case 9:
      return [{ type: 'runs-released', ids }];
    case 10: {
      const mine = runs.filter(({ group }) => group.owner !== null).map(({ run }) => run.id);
      return [{ type: 'runs-started', runs: new Map(mine.map((id) => [id, '2026-02-01T00:00:00.000Z'])) }];
    }
    case 11:
      return [
        {
          type: 'runs-progressed',
          runs: new Map(
            runs
              .filter(({ group, run }) => !run.canceling && group.owner !== null)
              .map(({ group, run }) => [
                run.id,
                [outcomeOf(group.assets[pick % group.assets.length]!, 'SUCCESS', pick)],
              ]),
          ),
        },
      ];
    case 12:
      return [{ type: 'runs-canceling', ids, ...(pick % 2 === 0 && { why: `reason ${pick}` }) }];
    case 13:
      return [
        {
          type: 'runs-finished',
          runs: runs.map(({ group, run }, at) => {
            const status = (['SUCCESS', 'FAILURE', 'CANCELED'] as const)[(pick + at) % 3]!;
            const assets = group.assets.map((asset, n) =>
              outcomeOf(asset, n === 1 && yes ? 'SKIPPED' : status, n + pick),
            );
            const end = finishedRun({
              id: run.id,
              partitionKey: run.partitionKey,
              set: group.set,
              status,
              assets,
            });
            return pick > 3 ? { ...end, asked: new Map([['summary', pick * 1000]]) } : end;
          }),
        },
      ];
    case 15:
      return here.length === 0
        ? []
        : [{ type: 'keys-updated', set, keys: here, carried: here.map((_, n) => carrying(n + pick)) }];
    case 16: {
      const at = `2026-03-0${pick + 1}T00:00:00.000Z`;
      const as = (['materialized', 'missing', 'skipped'] as const)[pick % 3]!;
      return yes
        ? [
            {
              type: 'keys-marked',
              asset: pick > 2 ? 'config' : 'digest',
              set: null,
              keys: [null],
              as,
              at,
            },
          ]
        : [
            {
              type: 'keys-marked',
              asset: ['audio', 'text', 'summary', 'shelf'][number % 4]!,
              set,
              keys: here,
              as,
              at,
            },
          ];
    }
    case 17:
    case 18:
      return [
        {
          type: 'pipeline-known',
          pipeline: pipelineOf(set, pick, yes),
          at: `2026-04-0${pick + 1}T00:00:00.000Z`,
        },
      ];
    default:
      return yes
        ? [{ type: 'executor', id: executor, slots: pick, wants: 1 }]
        : [{ type: 'executor-left', id: executor }];
  }
}

const byText = (one: unknown, other: unknown): number =>
  JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;

/** What a document says, without what only tells how it is laid out. */
function meaning(document: StateDocument): unknown {
  const view = viewOf(document, { judge: () => signs(), lastTick: (_, tick) => tick });
  const sets = Object.fromEntries(Object.entries(document.sets).sort(byText));
  const statuses = ASSETS.map((asset) => [
    view.statusOf(asset, null, [null]),
    ...SETS.map((set) => view.statusOf(asset, set, view.keys(set))),
  ]);
  const retries = ASSETS.map((asset) => [
    view.nextTries(asset, null, [null]),
    ...SETS.map((set) => view.nextTries(asset, set, view.keys(set))),
  ]);
  const runs = view
    .runs()
    .flatMap((group) =>
      Array.from({ length: group.count }, (_, at) => {
        const {
          group: name,
          createdAt,
          sensor,
          set,
          assets,
          tags,
          origin,
          retryOf,
          owner,
          ownedSince,
        } = group;
        return {
          name,
          createdAt,
          sensor,
          set,
          assets,
          tags,
          origin,
          retryOf,
          owner,
          ownedSince,
          ...group.at(at),
        };
      }),
    )
    .sort((one, other) => (one.id < other.id ? -1 : 1));
  const sensors = Object.entries(document.sensors)
    .sort(byText)
    .map(([name, { status, cursor, version, lastTick, periods, quietSince, runKeys }]) => ({
      name,
      status,
      cursor,
      version,
      lastTick,
      periods,
      quietSince,
      own: SETS.map((set) =>
        view
          .keys(set)
          .filter((_, at) => Object.hasOwn(runKeys.ofKeys, set) && runKeys.ofKeys[set]![at] === '1'),
      ),
      other: [...runKeys.other].sort(byText),
    }));
  const executors = document.executors.map(({ id, slots, wants }) => `${id} ${slots} ${wants}`).sort();
  const codes = Object.entries(document.assets)
    .map(([name, { codeVersion }]) => `${name} ${codeVersion}`)
    .filter((text) => !text.endsWith('undefined'))
    .sort(byText);
  const madeAt = Object.entries(document.assets)
    .map(([name, { madeAt: at }]) => `${name} ${at}`)
    .sort(byText);
  return {
    codes,
    madeAt,
    serial: document.serial,
    pipeline: document.pipeline,
    sets,
    statuses,
    retries,
    runs,
    sensors,
    executors,
  };
}

describe('random commits', () => {
  it(
    `come to what the same changes make of a document (${RUNS} histories)`,
    async () => {
      let commits = 0;
      await fc.assert(
        fc.asyncProperty(history, async (steps) => {
          const rig = await PostgresRig.make(cluster);
          try {
            const { store } = rig;
            const executors = [(await store.enter()).id, (await store.enter()).id];
            const owner = {
              pid: process.pid,
              startTime: null,
              bootId: null,
              pidNamespace: null,
              host: 'h',
              since: '',
            };
            let document = emptyDocument();
            for (const wishes of steps) {
              let after = document;
              const changes: StateChange[] = [];
              for (const [at, one] of wishes.entries()) {
                const made = changesFor(one, after, { executors, number: commits * 10 + at });
                changes.push(...made);
                after = applyChanges(after, made, (id) => ({ ...owner, id, slots: 0, wants: 0 }));
              }
              if (changes.length === 0) continue;
              commits++;
              document = { ...after, serial: document.serial + 1 };
              await store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));
              expect(meaning(await store.document())).toEqual(meaning(document));
            }
            // And as a copy in the place of itself.
            const copy = await store.document();
            const serious = checkState(copy).filter(({ code }) =>
              /^(shape|duplicate|run-numbers|empty-runs)/.test(code),
            );
            expect(serious).toEqual([]);
            await store.restore(copy, 'kept');
            const restored = await store.document();
            const shown = meaning(restored) as { sets: unknown; statuses: unknown; retries: unknown };
            expect([shown.sets, shown.statuses, shown.retries]).toEqual([
              (meaning(copy) as typeof shown).sets,
              (meaning(copy) as typeof shown).statuses,
              (meaning(copy) as typeof shown).retries,
            ]);
          } finally {
            await rig.dispose();
          }
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
      expect(commits).toBeGreaterThan(RUNS);
    },
    Math.max(60_000, RUNS * 10_000),
  );
});
