import { SpanKind } from '@opentelemetry/api';
import type { RetrieveAnswer } from '../provider/answers.ts';
import { rememberTrace, type Traceparent } from '../shared/runtime/trace-state.ts';
import { fail, spanned } from '../shared/runtime/tracing.ts';
import { providerName } from '../shared/store/job-traces.ts';
import type { Context } from './context.ts';

interface Fetched {
  jobId: string;
  responseId: string;
  /** The place of the job in a trace. */
  trace: Traceparent | undefined;
  include: string[];
  /** The part of them that the create had. */
  own?: string[];
  signal: AbortSignal;
}

/** Reads a response, as a span `fetch_response` of OpenTelemetry. Its usage is counted elsewhere, once. */
export async function fetchResponse(
  { jobId, responseId, trace, include, own = include, signal }: Fetched,
  { upstream, configuration }: Context,
): Promise<RetrieveAnswer> {
  rememberTrace(jobId, trace);
  const attributes = {
    'gen_ai.operation.name': 'fetch_response',
    'gen_ai.provider.name': providerName(configuration.openaiBaseUrl),
    'gen_ai.response.id': responseId,
    'openai.api.type': 'responses',
    'headstone.job.id': jobId,
  };
  return await spanned('fetch_response', { kind: SpanKind.CLIENT, parent: trace, attributes }, async span => {
    const answer = await upstream.retrieve(responseId, { signal, include, own });
    if (answer.kind === 'found') span.setAttribute('gen_ai.response.status', answer.response.status);
    else fail(span, answer.kind === 'absent' ? '404' : answer.code);
    return answer;
  });
}
