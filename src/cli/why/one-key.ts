/** Why an asset was made for one key, will be, or is not. */
import type { StaleReason } from '../../model/stale-reason.ts';
import type { Absent, Outlook } from '../../engine/plan/why/outlook.ts';
import { fail } from '../../model/failure.ts';
import type { RunReason, RunRecord } from '../../model/run.ts';
import { clean, printable } from '../../model/text.ts';
import { keyReport } from '../../report/key-report.ts';
import type { Needs } from '../../state/needs.ts';
import type { Context } from '../context.ts';
import type { WhyKey } from '../json-results.ts';
import { firstLine } from '../../model/first-line.ts';
import { askedAbout, type Subject } from './asked-about.ts';
import { sentence, STYLES } from '../render/state-styles.ts';
import { CHECK, told } from './words.ts';

/** So many runs of the asset and of what it is made from are looked at. */
const MOST_RUNS = 100;

export async function whyKey(context: Context, subject: Subject, key: string | null): Promise<WhyKey> {
  const { project } = context;
  const { asset } = subject;
  const { name, set } = asset;
  const page = set === null ? null : { set, prefix: key! };
  const needs: Needs = { ...subject.needsOf(key), ...(page && { pages: [page] }) };
  const view = await subject.look(needs);
  if (set !== null && !view.present(set, [key!]).has(key!))
    fail({ reason: 'unknown-keys', sets: [set], keys: [key!] });
  const seen = subject.outlooks(view).of(key);
  const { status, outlook } = seen;
  const { runs } = await project.store.runs({
    keys: key === null ? [null] : [key, null],
    assets: [name, ...asset.upstream],
    limit: MOST_RUNS,
  });
  const found = page && view.page(page).keys.find((one) => one.key === key);
  const report = keyReport({
    asset: name,
    addedAt: found?.addedAt ?? '',
    isInProgress: outlook.is === 'run',
    status,
    nextTry: view.nextTries(name, set, [key])[0]!,
    // Of a time when it had no set, or another key.
    runs: runs.filter(
      ({ partitionKey, assets }) => partitionKey === key || assets.every((one) => one.asset !== name),
    ),
    // When one of many keys was made again, no run of this key says.
    upstreams: asset.gathers.length > 0 ? [] : asset.upstream,
  });
  const turn =
    outlook.is === 'due' ? { ticks: await subject.ticksUntil(key), perTick: subject.perTick } : undefined;
  const lacks = (await lackingAmong(context, outlook)) ?? seen.lacks();
  const { next, text, command } = told(outlook, { asset, key, lacks, ...(turn && { turn }) });
  const result: WhyKey = {
    asset: name,
    partitionKey: key,
    state: report.state,
    reason: report.reason ?? (report.error && firstLine(report.error.message)),
    since: report.since,
    sinceNote: report.sinceNote,
    retryAt: report.retryAt,
    waitsFor: outlook.is === 'waiting' ? outlook.upstreams : [],
    run: report.run,
    process:
      outlook.is === 'run' && outlook.by !== null ? { pid: outlook.by.pid, host: outlook.by.host } : null,
    next,
    text,
    command,
  };
  await printKey(context, result);
  return result;
}

/** Of many keys that are waited for, the first one tells what else is to be made. `undefined`: none are. */
async function lackingAmong(context: Context, outlook: Outlook): Promise<readonly Absent[] | undefined> {
  const first = outlook.is === 'waiting' ? outlook.upstreams[0] : undefined;
  if (first?.keys === undefined) return undefined;
  const { outlooks, look, needsOf } = await askedAbout(context, first.asset);
  return outlooks(await look(needsOf(first.partitionKey)))
    .of(first.partitionKey)
    .lacks();
}

async function printKey({ output }: Context, { asset, partitionKey, ...one }: WhyKey): Promise<void> {
  const { state, reason, since, sinceNote, next, text, run } = one;
  const command = output.toPaste(one.command);
  if (!output.terminal.stdout.isTerminal)
    return output.table({
      columns: ['ASSET', 'KEY', 'STATE', 'REASON', 'SINCE', 'NEXT', 'WHY', 'COMMAND'].map((title) => ({
        title,
      })),
      rows: [
        [
          asset,
          partitionKey === null ? '-' : printable(partitionKey),
          state,
          reason ?? '-',
          since ?? '-',
          next,
          text,
          command,
        ],
      ],
    });
  const paint = output.paint.stdout;
  const what = partitionKey === null ? clean(asset) : `${clean(asset)} for ${clean(printable(partitionKey))}`;
  const known = state === 'stale' ? STALE[reason as StaleReason] : reason;
  const lines = [
    `${what} ${sentence(state, paint[STYLES[state]](state), since && output.when(since))}${known === null ? '' : `: ${clean(known)}`}`,
    clean(text),
    ...(sinceNote === null || state !== 'stale' ? [] : [paint.dim(`since when: ${sinceNote}`)]),
    ...(run === null || state === 'in progress' ? [] : [paint.dim(output.toPaste(lastRun(run, asset)))]),
    paint.dim(
      `${next === 'nothing' && state === 'materialized' && one.command !== CHECK ? 'make it again' : 'to change it'}: ${command}`,
    ),
  ];
  output.print(`${lines.join('\n')}\n`);
}

function lastRun(run: RunRecord, asset: string): string {
  const { id, sensor, retryOf } = run;
  const reason = run.assets.find((one) => one.asset === asset)?.reason ?? null;
  const isOfSensor = reason === 'asked' && sensor !== null && retryOf === null;
  const since = isOfSensor ? `sensor '${clean(sensor)}' asked` : reason && RAN[reason];
  return `last run${since === null ? '' : `, since ${since}`}: dynpart runs show ${id}`;
}

const RAN: Readonly<Record<RunReason, string>> = {
  missing: 'it was missing',
  failed: 'it had failed',
  version: 'its key had another version',
  code: 'its code was another one',
  upstream: 'what it is made from was made again',
  asked: 'somebody asked',
};

const STALE: Readonly<Record<StaleReason, string>> = {
  version: 'its key has had another version since it was made',
  code: 'its code has changed since it was made',
  upstream: 'what it was made from has been made again',
};
