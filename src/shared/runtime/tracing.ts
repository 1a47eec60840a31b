import {
  type Attributes,
  type Counter,
  context,
  type Histogram,
  INVALID_SPAN_CONTEXT,
  metrics,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { isTracing, type Traceparent } from './trace-state.ts';

/*
 * Traces and metrics by the GenAI conventions of OpenTelemetry (semantic-conventions-genai, 2026). Without an SDK in the process all
 * of this does nothing. No attribute has a prompt or an output (I13).
 */

const NAME = 'headstone';
const noSpan = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

const contextOf = (parent: Traceparent | undefined) =>
  parent === undefined ? context.active() : propagation.extract(context.active(), { traceparent: parent });

/** Runs work as part of a caller's trace, as its headers name it. */
export function withCallersTrace<Result>(headers: Record<string, unknown>, work: () => Result): Result {
  return isTracing() ? context.with(propagation.extract(context.active(), headers), work) : work();
}

/** Runs work as a span. An error that it throws becomes the span's, by its name only. */
export async function spanned<Result>(
  name: string,
  { kind, parent, attributes }: { kind: SpanKind; parent?: Traceparent | undefined; attributes: Attributes },
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  if (!isTracing()) return await work(noSpan);
  return await context.with(contextOf(parent), () =>
    trace.getTracer(NAME).startActiveSpan(name, { kind, attributes }, async span => {
      try {
        return await work(span);
      } catch (error) {
        fail(span, error instanceof Error ? error.name : 'error');
        throw error;
      } finally {
        span.end();
      }
    }),
  );
}

export function fail(span: Span, type: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Writes a span of something that is over. */
export function toldSpan(
  name: string,
  {
    kind,
    parent,
    attributes,
    from,
    to,
    error,
  }: {
    kind: SpanKind;
    parent: Traceparent | undefined;
    attributes: Attributes;
    /** Milliseconds since 1970. */
    from: number;
    to: number;
    error?: string | undefined;
  },
): void {
  const span = trace.getTracer(NAME).startSpan(name, { kind, attributes, startTime: from }, contextOf(parent));
  if (error !== undefined) fail(span, error);
  span.end(to);
}

/** The active span, for a record: whoever works on the job later goes on with its trace. */
export function carried(within = context.active()): Traceparent | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(within, carrier);
  return carrier.traceparent;
}

/** A span of a producer, which its caller ends, and its place in the trace. */
export function beginProducing(name: string, attributes: Attributes): { span: Span; place: Traceparent | undefined } {
  const span = trace.getTracer(NAME).startSpan(name, { kind: SpanKind.PRODUCER, attributes });
  return { span, place: carried(trace.setSpan(context.active(), span)) };
}

const histograms = new Map<string, Histogram>();
const counters = new Map<string, Counter>();

/** Adds to a counter of the meter. */
export function count(name: string, unit: string, description: string, value: number, attributes: Attributes): void {
  const known = counters.get(name) ?? metrics.getMeter(NAME).createCounter(name, { unit, description });
  counters.set(name, known);
  known.add(value, attributes);
}

/** Adds a value to a histogram of the meter. */
export function measure(name: string, unit: string, description: string, value: number, attributes: Attributes): void {
  const known = histograms.get(name) ?? metrics.getMeter(NAME).createHistogram(name, { unit, description });
  histograms.set(name, known);
  known.record(value, attributes);
}
