/** Spans of ticks and runs, through the real binary, as a collector gets them. */
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project, root } from '../../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const letters = dynamicPartitions('letters');
let tries = 0;
const upper = asset({ name: 'upper', partitions: letters, materialize: ({ partitionKey }) => {
  if (partitionKey === 'bad') throw new Error('no https://me:pw@example.org/x?token=t1 there\\nmore');
  return partitionKey.toUpperCase();
} });
const flaky = asset({ name: 'flaky', partitions: letters, inputs: { upper }, retry: { maxRetries: 1, delayMs: 0 },
  materialize: () => {
    if (++tries === 1) throw new Error('not yet');
    return 1;
  } });
const feed = sensor({ name: 'feed', assets: [upper, flaky], evaluate: () => ({
  dynamicPartitionsRequests: [letters.buildAddRequest(['a', 'bad'])],
  runRequests: ['a', 'bad'].map((key) => ({ partitionKey: key, runKey: key })),
}) });
const ill = sensor({ name: 'ill', evaluate: () => { throw new Error('the server said 503'); } });
export default definePipeline({ assets: [upper, flaky], sensors: [feed, ill] });
`;

interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number; readonly message?: string };
  readonly events: readonly { readonly name: string; readonly attributes: SentSpan['attributes'] }[];
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: SentSpan['attributes'] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly SentSpan[];
    }[];
  }[];
}

/** What OTLP calls values, as plain ones. */
function plain(attributes: SentSpan['attributes']): Record<string, unknown> {
  const of = (value: Readonly<Record<string, unknown>>): unknown => {
    const [[type, it]] = Object.entries(value) as [[string, unknown]];
    return type === 'arrayValue'
      ? (it as { readonly values: Readonly<Record<string, unknown>>[] }).values.map(of)
      : it;
  };
  return Object.fromEntries(attributes.map(({ key, value }) => [key, of(value)]));
}

let project: Project;
let server: http.Server;
let bodies: string[];
let answers: boolean;
let endpoint: string;

beforeEach(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  bodies = [];
  answers = true;
  server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      bodies.push(`${request.url} ${body}`);
      if (answers) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await project[Symbol.asyncDispose]();
});

function install(): void {
  fs.mkdirSync(project.path('node_modules'));
  fs.symlinkSync(path.join(root, 'node_modules/@opentelemetry'), project.path('node_modules/@opentelemetry'));
}

const traced = (extra: Record<string, string> = {}): { env: Record<string, string> } => ({
  env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...extra },
});

function sent(): { readonly spans: readonly SentSpan[]; readonly services: unknown[] } {
  const all = bodies.map((body) => JSON.parse(body.slice('/v1/traces '.length)) as Sent);
  const resources = all.flatMap(({ resourceSpans }) => resourceSpans);
  return {
    spans: resources.flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans),
    services: resources.map(({ resource }) => plain(resource.attributes)['service.name']),
  };
}

describe('spans', () => {
  it('tell of ticks, below these of their runs, and below these of each try of an asset', async () => {
    install();
    const { code } = await project.dynpart(['sensor', 'tick'], traced());
    expect(code).toBe(3);
    const { spans, services } = sent();
    expect(new Set(services)).toEqual(new Set(['dynpart']));
    const shown = spans.map(({ name, parentSpanId, attributes, status, events }) => {
      const { 'dynpart.run_id': id, ...rest } = plain(attributes);
      expect(typeof id === 'string' || name.startsWith('tick ')).toBe(true);
      return {
        name,
        below: spans.find(({ spanId }) => spanId === parentSpanId)?.name ?? null,
        ...Object.fromEntries(
          Object.entries(rest).map(([key, value]) => [key.replace('dynpart.', ''), value]),
        ),
        ...(status.code === 2 && { said: status.message }),
        ...(events.length > 0 && { events: events.map((one) => plain(one.attributes)['exception.type']) }),
      };
    });
    const ofRun = {
      name: 'run upper, flaky',
      below: 'tick feed',
      asset: ['upper', 'flaky'],
      cause: 'sensor',
      sensor: 'feed',
    };
    const below = 'run upper, flaky';
    const told = 'no https://…@example.org/x?… there';
    expect(shown).toHaveLength(8);
    expect(shown).toEqual(
      expect.arrayContaining([
        { name: 'tick feed', below: null, sensor: 'feed', status: 'SUCCESS', keys_added: 2, runs_queued: 2 },
        {
          name: 'tick ill',
          below: null,
          sensor: 'ill',
          status: 'FAILURE',
          keys_added: 0,
          runs_queued: 0,
          said: expect.stringContaining('the server said 503'),
          events: ['sensor-threw'],
        },
        { ...ofRun, partition_key: 'a', status: 'SUCCESS' },
        {
          ...ofRun,
          partition_key: 'bad',
          status: 'FAILURE',
          said: expect.stringContaining(told),
          events: ['asset-threw'],
        },
        { name: 'asset upper', below, asset: 'upper', partition_key: 'a', attempt: 1, status: 'SUCCESS' },
        {
          name: 'asset upper',
          below,
          asset: 'upper',
          partition_key: 'bad',
          attempt: 1,
          status: 'FAILURE',
          said: expect.stringContaining(told),
          events: ['asset-threw'],
        },
        {
          name: 'asset flaky',
          below,
          asset: 'flaky',
          partition_key: 'a',
          attempt: 1,
          status: 'FAILURE',
          said: expect.stringContaining('not yet'),
          events: ['asset-threw'],
        },
        { name: 'asset flaky', below, asset: 'flaky', partition_key: 'a', attempt: 2, status: 'SUCCESS' },
      ]),
    );
    const runs = new Map(spans.filter(({ name }) => name.startsWith('run ')).map((one) => [one.spanId, one]));
    for (const { parentSpanId, traceId, startTimeUnixNano, endTimeUnixNano, attributes } of spans) {
      expect(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano)).toBe(true);
      expect(spans.find(({ spanId }) => spanId === parentSpanId)?.traceId ?? traceId).toBe(traceId);
      const run = parentSpanId === undefined ? undefined : runs.get(parentSpanId);
      if (run === undefined) continue;
      expect([run.traceId, plain(run.attributes)['dynpart.run_id']]).toEqual([
        traceId,
        plain(attributes)['dynpart.run_id'],
      ]);
    }
    expect(JSON.stringify(bodies)).not.toMatch(/pw@|token=/);
  });

  it('of runs that a tick left to a worker are no part of its trace: the worker was not there', async () => {
    install();
    await project.dynpart(['sensor', 'tick', 'feed', '--no-run'], traced());
    await project.dynpart(['worker', '--once'], traced());
    const { spans } = sent();
    const [tick, ...others] = spans.filter(({ name }) => !name.startsWith('asset '));
    expect([tick!.name, ...others.map(({ name, parentSpanId }) => [name, parentSpanId ?? null])]).toEqual([
      'tick feed',
      ['run upper, flaky', null],
      ['run upper, flaky', null],
    ]);
  });

  it('have the name of the service that is said, and also come of what materialize makes', async () => {
    install();
    await project.dynpart(['partitions', 'add', 'letters', 'a'], traced());
    expect(bodies).toEqual([]);
    const env = {
      OTEL_SERVICE_NAME: 'orders',
      OTEL_EXPORTER_OTLP_ENDPOINT: '',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/v1/traces`,
    };
    await project.dynpart(['materialize', '--missing', 'upper'], { env });
    const { spans, services } = sent();
    expect(services).toEqual(['orders']);
    expect(spans.map(({ name }) => name).toSorted()).toEqual(['asset upper', 'run upper']);
  });

  it('go where the user has set up OpenTelemetry, and what waits there is sent at the end', async () => {
    install();
    project.write({
      'setup.cjs': `const { NodeTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-node');
        const fs = require('node:fs');
        const exporter = { export: (spans, done) => {
          fs.appendFileSync(__dirname + '/spans.txt', spans.map(({ name }) => name + '\\n').join(''));
          done({ code: 0 });
        }, shutdown: async () => {} };
        new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }).register();`,
    });
    await project.dynpart(
      ['sensor', 'tick', 'ill'],
      traced({ NODE_OPTIONS: `--require ${project.path('setup.cjs')}` }),
    );
    expect(project.read('spans.txt')).toBe('tick ill\n');
    expect(bodies).toEqual([]);
  });

  it('are nothing that is loaded where no variable says where they go, or none are wanted', async () => {
    project.write({
      'node_modules/@opentelemetry/api/index.js': `require('node:fs').writeFileSync(${JSON.stringify(project.path('loaded'))}, ''); throw new Error('it is broken');`,
    });
    const before = await project.dynpart(['sensor', 'tick', 'ill'], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    });
    await project.dynpart(['sensor', 'tick', 'ill'], traced({ OTEL_SDK_DISABLED: 'true' }));
    await project.dynpart(['sensor', 'tick', 'ill', '--dry-run'], traced());
    await project.dynpart(['status'], traced());
    expect(project.exists('loaded')).toBe(false);
    const { code, stdout, stderr } = await project.dynpart(['sensor', 'tick', 'ill'], traced());
    expect(project.exists('loaded')).toBe(true);
    expect([code, stdout, stderr]).toEqual([before.code, before.stdout, before.stderr]);
  });

  it('are not sent without the packages, which -v names', async () => {
    const { code, stderr } = await project.dynpart(['sensor', 'tick', 'feed', '-v'], traced());
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('@opentelemetry/api is not beside the pipeline file'),
    ]);
    fs.mkdirSync(project.path('node_modules/@opentelemetry'), { recursive: true });
    fs.symlinkSync(
      path.join(root, 'node_modules/@opentelemetry/api'),
      project.path('node_modules/@opentelemetry/api'),
    );
    const second = await project.dynpart(['sensor', 'tick', 'feed', '-v'], traced());
    expect(second.stderr).toContain('@opentelemetry/sdk-trace-node is not beside the pipeline file');
    expect(bodies).toEqual([]);
  });

  it('change nothing where the collector is down: -v says it, once', async () => {
    install();
    const args = ['sensor', 'tick', 'ill'];
    const before = await project.dynpart(args);
    await new Promise((done) => server.close(done));
    const after = await project.dynpart(args, traced());
    expect([after.code, after.stdout, after.stderr]).toEqual([before.code, before.stdout, before.stderr]);
    const { stderr } = await project.dynpart([...args, '-v'], traced());
    expect(stderr.match(/warning: spans could not be sent: /g)).toHaveLength(1);
  });

  it('are not waited for where the collector does not answer', async () => {
    install();
    answers = false;
    const { code, stderr } = await project.dynpart(['sensor', 'tick', 'ill', '-v'], traced());
    expect(bodies).toHaveLength(1);
    expect([code, stderr]).toEqual([3, expect.stringContaining('the collector took longer than 5 s')]);
  });

  it('change nothing where what the user has set up throws', async () => {
    install();
    project.write({
      'setup.cjs': `require('@opentelemetry/api').trace.setGlobalTracerProvider({
        getTracer: () => ({ startSpan: () => { throw new Error('no spans today'); } }) });`,
    });
    const env = traced({ NODE_OPTIONS: `--require ${project.path('setup.cjs')}` });
    const { code, stderr } = await project.dynpart(['sensor', 'tick', 'feed', '-v'], env);
    expect(code).toBe(1);
    expect(stderr.match(/spans could not be sent: .*no spans today/g)).toHaveLength(1);
    expect(stderr).toContain('1 run succeeded, 1 run failed');
  });
});
