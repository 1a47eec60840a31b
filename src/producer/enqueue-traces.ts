import type { Span } from '@opentelemetry/api';
import { isTracing, rememberTrace } from '../shared/runtime/trace-state.ts';
import type { AcceptArguments } from '../shared/store/lua/accept.ts';

/** Enqueues jobs as a span each, whose place in the trace goes into the record, so that workers go on with it. */
export async function traced<Result>(
  calls: { given: AcceptArguments }[],
  enqueue: () => Promise<Result>,
): Promise<Result> {
  if (!isTracing()) return await enqueue();
  const { beginProducing, fail } = await import('../shared/runtime/tracing.ts');
  const spans = calls.map(({ given }): Span => {
    const { span, place } = beginProducing(`enqueue ${given.model}`, {
      'headstone.job.id': given.id,
      'headstone.tenant': given.tenant,
      'gen_ai.request.model': given.model,
    });
    given.trace = place;
    rememberTrace(given.id, place);
    return span;
  });
  try {
    return await enqueue();
  } catch (error) {
    for (const span of spans) fail(span, error instanceof Error ? error.name : 'error');
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

/** The place of the active span in its trace; undefined if there is none. */
export async function activePlace(): Promise<string | undefined> {
  return isTracing() ? (await import('../shared/runtime/tracing.ts')).carried() : undefined;
}
