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
    error: status === 'failed' ? failure(script.end) : null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: request.instructions,
    max_output_tokens: null,
    metadata: request.metadata,
    model: request.model,
    output: finished ? [message(response)] : [],
    parallel_tool_calls: true,
    previous_response_id: request.previousResponseId,
    service_tier: script.service_tier,
    store: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    usage,
  };
}

function failure(end: string) {
  return end === 'rate_limited'
    ? { code: 'rate_limit_exceeded', message: 'Rate limit reached for requests.' }
    : { code: 'server_error', message: 'The server had an error processing your request.' };
}

function message(response: SimulatedResponse) {
  const subject = typeof response.request.input === 'string' ? response.request.input : 'your input';
  return {
    id: `msg_${response.id.slice('resp_'.length)}`,
    type: 'message',
    role: 'assistant',
    status: response.status === 'incomplete' ? 'incomplete' : 'completed',
    content: [
      { type: 'output_text', text: `Here is what there is to say about: ${subject}`, annotations: [], logprobs: [] },
    ],
  };
}
