/** Spans of runs that do not end where they began. */
import type { Tracer } from '@opentelemetry/api';
import { expect, it } from 'vitest';
import { type Api, Spans } from '../../../src/cli/tracing/spans.ts';
import { finishedRun } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';

it('end when the run is let go of, but for one that is interrupted: how that one ends is told later', () => {
  const ended: unknown[] = [];
  const tracer = {
    startSpan: (name: string) => {
      let status: unknown;
      return {
        setAttribute: (_: string, value: unknown) => (status = value),
        setAttributes: (all: Record<string, unknown>) => (status = all['dynpart.status']),
        end: () => ended.push([name, status]),
      };
    },
  } as unknown as Tracer;
  const api = { trace: { setSpan: () => null }, context: { active: () => null } } as unknown as Api;
  const spans = new Spans(api, tracer, new FakeClock());
  for (const [id, why] of [
    ['g-1', 'unexecuted'],
    ['g-2', 'lost'],
    ['g-3', 'interrupted'],
  ] as const) {
    spans.see({ type: 'run-started', id, partitionKey: null, assets: [id], left: 1 });
    spans.see({ type: 'run-let-go', id, partitionKey: null, why, left: 0 });
  }
  expect(ended).toEqual([
    ['run g-1', 'QUEUED'],
    ['run g-2', 'QUEUED'],
  ]);
  const run = finishedRun({ id: 'g-3', status: 'CANCELED' }).record;
  spans.see({ type: 'run-finished', run, canceledByOthers: false, left: 0 });
  spans.end();
  expect(ended.slice(2)).toEqual([['run g-3', 'CANCELED']]);
});
