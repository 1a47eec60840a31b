import { HeadstoneError } from '../../shared/contract/errors.ts';

/**
 * The calls that one of several tenants may send under the account that they share. They leave nothing behind there and name
 * nothing that is there, because either could be another tenant's (I12). These are lists of what may pass, so a new feature of
 * the provider is closed until somebody has thought about it.
 */
const harmlessCalls =
  /^(POST \/v1\/(embeddings|moderations|images\/(generations|edits|variations)|audio\/(speech|transcriptions|translations))|GET \/v1\/models(\/[^/]+)?)$/;

const responseFields = new Set(
  `model input instructions background stream stream_options store previous_response_id metadata temperature top_p
  top_logprobs max_output_tokens max_tool_calls parallel_tool_calls reasoning text tool_choice tools truncation include
  user safety_identifier prompt_cache_key prompt_cache_retention service_tier`.split(/\s+/),
);

const chatFields = new Set(
  `model messages store metadata temperature top_p n stream stream_options stop max_tokens max_completion_tokens
  presence_penalty frequency_penalty logit_bias user tools tool_choice parallel_tool_calls response_format seed logprobs
  top_logprobs reasoning_effort service_tier modalities audio prediction functions function_call verbosity
  web_search_options safety_identifier prompt_cache_key prompt_cache_retention`.split(/\s+/),
);

/** Tools that read nothing from the account. */
const harmlessTools = /^(function|custom|web_search(_preview)?(_\d{4}_\d{2}_\d{2})?|image_generation)$/;

/** Fields by which a body names something in the account. */
const sharedThings = new Set([
  'file_id',
  'file_ids',
  'vector_store_id',
  'vector_store_ids',
  'container',
  'container_id',
  'conversation',
  'prompt_id',
  'assistant_id',
  'thread_id',
]);

export function isHarmlessCall(method: string, path: string): boolean {
  return harmlessCalls.test(`${method} ${path}`);
}

/** Throws if another tenant could read the response afterwards, or the create reads what another tenant left. */
export function assertUnsharedCreate(body: Record<string, unknown>): void {
  if (body.store !== false) throw notForTenants('Send store: false.');
  assertFields(body, responseFields);
  assertNothingShared(body);
}

/** Does the same for a chat completion. Newer accounts store those by default, so `store` is set to false later. */
export function assertUnsharedChat(body: Record<string, unknown>): void {
  if (body.store !== undefined && body.store !== null && body.store !== false)
    throw notForTenants('Leave store out, or send store: false.');
  assertFields(body, chatFields);
  assertNothingShared(body);
}

export function assertNothingShared(value: unknown): void {
  for (const [name, inner] of entriesIn(value)) {
    if (sharedThings.has(name))
      throw notForTenants(`It names a ${name}, which belongs to the account that all tenants share.`);
    if (name === 'tools') assertTools(inner);
    if (name === 'audio' && typeof (inner as { id?: unknown } | null)?.id === 'string')
      throw notForTenants('It names an earlier audio answer, which belongs to the account that all tenants share.');
  }
}

function assertTools(tools: unknown): void {
  if (!Array.isArray(tools)) return;
  for (const tool of tools) {
    const type = (tool as { type?: unknown } | null)?.type;
    if (typeof type !== 'string' || !harmlessTools.test(type))
      throw notForTenants('Only the tools function, web search and image generation are passed on.');
  }
}

function assertFields(body: Record<string, unknown>, allowed: Set<string>): void {
  const other = Object.keys(body).find(name => !allowed.has(name));
  if (other !== undefined) throw notForTenants(`The field ${other.slice(0, 64)} is not passed on.`);
}

/** Every member of every object, however deep. The depth and size of a body were checked before. */
function* entriesIn(value: unknown): Generator<[string, unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (!Array.isArray(value)) yield [name, inner];
    // A function's parameters are the caller's own schema.
    if (name !== 'parameters') yield* entriesIn(inner);
  }
}

export function notForTenants(advice = 'Ask with an admin key.'): HeadstoneError {
  return new HeadstoneError(
    'insufficient_permissions',
    `This call would use what all tenants share at the provider, so it is not passed on. ${advice}`,
  );
}
