/** `dynpart doctor`: what could go wrong on this machine, each with the way to mend it. */
import path from 'node:path';
import { FailureError } from '../../model/failure.ts';
import { describe } from '../../model/describe-failure.ts';
import { clean } from '../../model/text.ts';
import type { Needs } from '../../state/needs.ts';
import type { Declaration } from '../command-line/declaration.ts';
import type { Context } from '../context.ts';
import { type Check, failure } from '../doctor/check.ts';
import { fileSystemCheck, nearestFolder, permissionsCheck, spaceCheck } from '../doctor/disk-checks.ts';
import { cronCheck, nodeCheck, packageCheck, pipelineCheck } from '../doctor/program-checks.ts';
import {
  claimsCheck,
  clockCheck,
  newestKeys,
  sizeCheck,
  sizeOf,
  stateCheck,
} from '../doctor/state-checks.ts';
import { exitCodeOf } from '../exit-code.ts';
import type { JsonFileStore } from '../../state/json/json-file-store.ts';
import type { Diagnosis } from '../json-results.ts';

export function doctorCommand(program: Declaration): void {
  program
    .command('doctor')
    .description('what could go wrong on this machine; exit 2 with a failure, 5 when it is the state')
    .action(doctor);
}

async function doctor(context: Context): Promise<Diagnosis> {
  const { output } = context;
  const checks = [nodeCheck(), packageCheck(context), await pipelineCheck(context), cronCheck(context)];
  if (checks.some(({ status }) => status === 'failure')) output.exitWith(2);
  const ofState = await aboutState(context);
  checks.push(...ofState);
  if (!output.options.json) print(context, checks);
  return { ok: checks.every(({ status }) => status !== 'failure'), checks };
}

const NEEDS: Needs = { sensors: 'all', executors: true, runs: ['all'], sets: true };

async function aboutState(context: Context): Promise<Check[]> {
  const { project, clock, output } = context;
  const checks: Check[] = [];
  try {
    const { store } = project;
    if (!('database' in store)) checks.push(...aboutDisk(store));
    checks.push(await stateCheck(context, store));
    const sets = (await store.read({ sets: true })).setNames();
    const view = await store.read({ ...NEEDS, pages: sets.map(newestKeys) });
    checks.push(claimsCheck(view), await clockCheck(store, view, clock.now()));
    if (!('database' in store)) checks.push(sizeCheck(store, view, clock.now()));
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { message, hint } = describe(error.failure);
    output.exitWith(exitCodeOf(error.failure));
    return [...checks, failure('state', message, hint)];
  }
  if (checks.some(({ status }) => status === 'failure')) output.exitWith(5);
  return checks;
}

function aboutDisk(store: JsonFileStore): Check[] {
  const { path: file } = store.file;
  const folder = nearestFolder(path.dirname(file));
  return [fileSystemCheck(folder), permissionsCheck(file, store.beside), spaceCheck(folder, sizeOf(file))];
}

const STYLES = { ok: 'good', warning: 'warn', failure: 'bad' } as const;

function print({ output }: Context, checks: readonly Check[]): void {
  const paint = output.paint.stdout;
  const isTerminal = output.terminal.stdout.isTerminal;
  for (const { name, status, message, hint } of checks) {
    const line = clean(message).replaceAll('\n', isTerminal ? '\n    ' : ' ');
    const way = clean(output.toPaste(hint ?? ''));
    if (isTerminal) {
      output.print(`${paint[STYLES[status]](status.padEnd(7))}  ${name}: ${line}\n`);
      if (way !== '') output.print(paint.dim(`    ${way}\n`));
    } else output.print(`${[status, name, line, way].join('\t')}\n`);
  }
}
