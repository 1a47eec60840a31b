import type { CreateRequest, SimulatedResponse } from './response.ts';
import { calledFunction, exampleOf } from './wishes.ts';

/** The body that the provider publishes for a response, in the shape of its OpenAPI document. */
export function responseBody(response: SimulatedResponse) {
  const { id, request, script } = response;
  const { status, usage } = response.seen;
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
    output: finished || (status === 'failed' && script.partial) ? [outputItem(response)] : [],
    parallel_tool_calls: true,
    previous_response_id: request.previousResponseId,
    service_tier: script.service_tier,
    store: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: request.wishes.tools,
    ...(request.wishes.text === null ? {} : { text: request.wishes.text }),
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
  const text = textOf(request);
  const { deltas } = script;
  if (deltas > text.length) return [text, ...Array.from({ length: deltas - 1 }, (_, number) => ` ${number + 1}`)];
  const size = text.length / deltas;
  return Array.from({ length: deltas }, (_, number) =>
    text.slice(Math.floor(number * size), Math.floor((number + 1) * size)),
  );
}

function textOf({ input, recalled, wishes }: CreateRequest): string {
  const called = calledFunction(wishes);
  if (called) return JSON.stringify(exampleOf(called.parameters));
  if (wishes.schema !== null) return JSON.stringify(exampleOf(wishes.schema));
  const subject = typeof input === 'string' ? input : 'your input';
  const before = recalled.map(text => ` (after: ${text})`).join('');
  const found = wishes.outputs.map(output => ` (knowing: ${output})`).join('');
  return `Here is what there is to say about: ${subject}${before}${found}`;
}

/** What the run says: a message, or a call of the first function that it was given. */
export function outputItem(response: SimulatedResponse) {
  const called = calledFunction(response.request.wishes);
  if (!called) return message(response);
  const hex = response.id.slice('resp_'.length);
  const call = { id: `fc_${hex}`, type: 'function_call', status: 'completed', call_id: `call_${hex.slice(0, 24)}` };
  return { ...call, name: called.name, arguments: pieces(response).join('') };
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
