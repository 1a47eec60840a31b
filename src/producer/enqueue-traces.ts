import { type Span, SpanKind } from '@opentelemetry/api';
import { beginSpan, fail, isTracing, rememberTrace } from '../shared/runtime/tracing.ts';
import type { AcceptArguments } from '../shared/store/lua/accept.ts';

/** Enqueues jobs as a span each, whose place in the trace goes into the record, so that workers go on with it. */
export async function traced<Result>(
  calls: { given: AcceptArguments }[],
  enqueue: () => Promise<Result>,
): Promise<Result> {
  if (!isTracing()) return await enqueue();
  const spans = calls.map(({ given }) => begin(given));
  try {
    return await enqueue();
  } catch (error) {
    for (const span of spans) fail(span, error instanceof Error ? error.name : 'error');
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

function begin(given: AcceptArguments): Span {
  const attributes = {
    'headstone.job.id': given.id,
    'headstone.tenant': given.tenant,
    'gen_ai.request.model': given.model,
  };
  const { span, place } = beginSpan(`enqueue ${given.model}`, SpanKind.PRODUCER, attributes);
  given.trace = place;
  rememberTrace(given.id, place);
  return span;
}
