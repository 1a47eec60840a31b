import type { SimulatedResponse } from './response.ts';

/** The body that the provider publishes for a response, in the shape of its OpenAPI document. */
export function responseBody(response: SimulatedResponse) {
  const { id, request, script, status, usage } = response;
  const finished = status === 'completed' || status === 'incomplete';
  return {
    id,
    object: 'response',
    created_at: Math.floor(response.createdAt / 1000),
    status,
    background: true,
    error: status === 'failed' ? failure(script.end, script.error_code) : null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: request.instructions,
    max_output_tokens: Number.isFinite(request.maxOutputTokens) ? request.maxOutputTokens : null,
    metadata: request.metadata,
    model: request.model,
    output: finished || (status === 'failed' && script.partial) ? [message(response)] : [],
    parallel_tool_calls: true,
    previous_response_id: request.previousResponseId,
    service_tier: script.service_tier,
    store: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    usage,
    ...(request.backgroundOptions ? { background_options: request.backgroundOptions } : {}),
  };
}

function failure(end: string, code: string) {
  return end === 'rate_limited'
    ? { code: 'rate_limit_exceeded', message: 'Rate limit reached for requests.' }
    : { code, message: 'The server had an error processing your request.' };
}

/** The text in the pieces in which a stream sends it. */
export function pieces({ request, script }: SimulatedResponse): string[] {
  const subject = typeof request.input === 'string' ? request.input : 'your input';
  const before = request.recalled.map(text => ` (after: ${text})`).join('');
  const text = `Here is what there is to say about: ${subject}${before}`;
  const { deltas } = script;
  if (deltas > text.length) return [text, ...Array.from({ length: deltas - 1 }, (_, number) => ` ${number + 1}`)];
  const size = text.length / deltas;
  return Array.from({ length: deltas }, (_, number) =>
    text.slice(Math.floor(number * size), Math.floor((number + 1) * size)),
  );
}

export function message(response: SimulatedResponse) {
  return {
    id: `msg_${response.id.slice('resp_'.length)}`,
    type: 'message',
    role: 'assistant',
    status: response.status === 'incomplete' ? 'incomplete' : 'completed',
    content: [{ type: 'output_text', text: pieces(response).join(''), annotations: [], logprobs: [] }],
  };
}
