/* What is known of traces without loading OpenTelemetry's API, which most apps do not use. */

const MOST_REMEMBERED = 10_000;

/** Where the API of any copy of the package keeps what an SDK has registered. */
const registry = Symbol.for('opentelemetry.js.api.1');

/** The place in a trace that work is part of, as W3C's `traceparent`. */
export type Traceparent = string;

/** False if no SDK is there to take anything, so that nobody pays for it. */
export function isTracing(): boolean {
  const registered = (globalThis as { [registry]?: { propagation?: unknown; metrics?: unknown } })[registry];
  return registered?.propagation !== undefined || registered?.metrics !== undefined;
}

const traceIds = new Map<string, string>();

/** Remembers the trace of a job, so that the log's lines about the job can name it. */
export function rememberTrace(jobId: string, place: Traceparent | undefined): void {
  const [, traceId] = /^[\da-f]{2}-([\da-f]{32})-/.exec(place ?? '') ?? [];
  if (traceId === undefined) return;
  if (traceIds.size >= MOST_REMEMBERED) traceIds.clear();
  traceIds.set(jobId, traceId);
}

export function traceIdOf(jobId: unknown): string | undefined {
  return typeof jobId === 'string' ? traceIds.get(jobId) : undefined;
}
