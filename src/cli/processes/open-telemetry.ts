/** OpenTelemetry's SDK, if the standard variables ask for it: an endpoint, or an exporter other than none. */
let stop: (() => Promise<void>) | undefined;

function isAskedFor(env: NodeJS.ProcessEnv): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
  const named = Object.entries(env).filter(([name, value]) => value && /^OTEL_(TRACES|METRICS)_EXPORTER$/.test(name));
  const hasEndpoint = Object.keys(env).some(name => /^OTEL_EXPORTER_OTLP_((TRACES|METRICS)_)?ENDPOINT$/.test(name));
  return hasEndpoint || named.some(([, value]) => value !== 'none');
}

/** Starts the SDK for this process, which reads all of its settings from the standard variables. */
export async function startOpenTelemetry(service: string): Promise<void> {
  if (!isAskedFor(process.env)) return;
  // Only traces and metrics: the log is on standard output, and names the trace.
  process.env.OTEL_LOGS_EXPORTER ??= 'none';
  process.env.OTEL_METRICS_EXPORTER ??= 'otlp';
  process.env.OTEL_SERVICE_NAME ??= `headstone-${service}`;
  // Its detectors would name the command line and the user.
  process.env.OTEL_NODE_RESOURCE_DETECTORS ??= 'env,host';
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({ instrumentations: [] });
  sdk.start();
  stop = () => sdk.shutdown();
}

/** Sends what is left. An endpoint that is away delays the end of the process by its own time-out at most. */
export async function stopOpenTelemetry(): Promise<void> {
  await stop?.().catch(() => {});
}
