/**
 * Sends spans where OpenTelemetry is set up: by the variables that it has for this, and by packages beside the pipeline file. Nothing that
 * goes wrong with it changes what a command does.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as ApiModule from '@opentelemetry/api';
import type * as ExporterModule from '@opentelemetry/exporter-trace-otlp-http';
import type * as ResourcesModule from '@opentelemetry/resources';
import type * as SdkModule from '@opentelemetry/sdk-trace-node';
import { findPackage } from '../../files/find-package.ts';
import type { Event } from '../../engine/event.ts';
import { describeThrown } from '../../model/thrown.ts';
import type { Context } from '../context.ts';
import { type Api, Spans } from './spans.ts';

/** The command ends that long after its work at the latest, whatever the collector does. */
const FLUSH_MS = 5000;

/** What exporters say of what they have sent: `ExportResultCode.SUCCESS`. */
const SENT = 0;

type Apis = Api & Pick<typeof ApiModule, 'ProxyTracerProvider'>;
type Sdk = Pick<typeof SdkModule, 'NodeTracerProvider' | 'BatchSpanProcessor'>;
type SpanExporter = SdkModule.SpanExporter;
type Exporter = Pick<typeof ExporterModule, 'OTLPTraceExporter'>;
type Resources = Pick<
  typeof ResourcesModule,
  'defaultResource' | 'resourceFromAttributes' | 'detectResources' | 'envDetector'
>;

type Flushed = ApiModule.TracerProvider & { readonly forceFlush?: () => Promise<void> };

export interface Tracing {
  readonly see: (event: Event) => void;
  /** What was not sent yet is sent. */
  readonly end: () => Promise<void>;
}

const NO_TRACING: Tracing = { see: () => undefined, end: async () => undefined };

/** After the user's code was loaded, which may have set up OpenTelemetry by itself. */
export function beginTracing({ project, clock, output, version }: Context): Tracing {
  let isSaid = false;
  const say = (what: string): void => {
    if (!isSaid && output.options.verbose) output.warn(what);
    isSaid = true;
  };
  const folders = [path.dirname(project.file)];
  try {
    const api = findPackage('@opentelemetry/api', folders)?.exports as Apis | undefined;
    if (api === undefined) {
      say('no spans are sent: @opentelemetry/api is not beside the pipeline file');
      return NO_TRACING;
    }
    const provider = providerOfUser(api) ?? ownProvider(folders, say);
    if (provider === null) return NO_TRACING;
    const spans = new Spans(api, provider.getTracer('dynpart', version), clock);
    return {
      see: guarded((event) => spans.see(event), say),
      end: async () => {
        guarded(() => spans.end(), say)();
        await flush(provider, say);
      },
    };
  } catch (error) {
    say(`no spans are sent: ${describeThrown(error).message}`);
    return NO_TRACING;
  }
}

/** What was registered, as by a file of `node --import`, or by the pipeline file. */
function providerOfUser({ trace, ProxyTracerProvider }: Apis): Flushed | null {
  const provider = trace.getTracerProvider() as Flushed & { readonly getDelegate?: () => Flushed };
  const delegate = provider.getDelegate?.() ?? provider;
  return delegate === new ProxyTracerProvider().getDelegate() ? null : delegate;
}

function ownProvider(folders: readonly string[], say: (what: string) => void): Flushed | null {
  const sdk = findPackage('@opentelemetry/sdk-trace-node', folders);
  const exporter = findPackage('@opentelemetry/exporter-trace-otlp-http', folders);
  if (sdk === null || exporter === null) {
    const name = sdk === null ? 'sdk-trace-node' : 'exporter-trace-otlp-http';
    say(
      `no spans are sent: nothing has set up OpenTelemetry, and @opentelemetry/${name} is not beside the pipeline file`,
    );
    return null;
  }
  const { NodeTracerProvider, BatchSpanProcessor } = sdk.exports as Sdk;
  const { OTLPTraceExporter } = exporter.exports as Exporter;
  const sending = saying(new OTLPTraceExporter(), say);
  return new NodeTracerProvider({
    resource: resourceOf(createRequire(sdk.file)('@opentelemetry/resources') as Resources),
    spanProcessors: [new BatchSpanProcessor(sending)],
  });
}

/** `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say more, and something else. */
function resourceOf({ defaultResource, resourceFromAttributes, detectResources, envDetector }: Resources) {
  return defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'dynpart' }))
    .merge(detectResources({ detectors: [envDetector] }));
}

/** The exporter, of which it is said what it could not send. */
function saying(exporter: SpanExporter, say: (what: string) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const code: number = result.code;
        if (code !== SENT) say(notSent(result.error?.message));
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

async function flush(provider: Flushed, say: (what: string) => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      say(notSent(`the collector took longer than ${FLUSH_MS / 1000} s`));
      resolve();
    }, FLUSH_MS);
  });
  try {
    await Promise.race([provider.forceFlush?.(), late]);
  } catch (error) {
    say(notSent(describeThrown(error).message));
  } finally {
    clearTimeout(timer);
  }
}

function notSent(why = 'nobody knows why'): string {
  return `spans could not be sent: ${why}`;
}

/** An error of what somebody else has set up ends there. */
function guarded<Given extends readonly unknown[]>(
  step: (...given: Given) => void,
  say: (what: string) => void,
): (...given: Given) => void {
  return (...given) => {
    try {
      step(...given);
    } catch (error) {
      say(notSent(describeThrown(error).message));
    }
  };
}
