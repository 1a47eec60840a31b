import { z } from 'zod';

const milliseconds = z.number().int().nonnegative();
const tokens = z.number().int().nonnegative();

/** A literal answer, because a gateway may answer anything. Text is sent as it is, anything else as JSON. */
const answerSchema = z.strictObject({
  status: z.number().int().min(200).max(599),
  body: z.unknown(),
  /** The content type. An empty one is omitted. */
  type: z.string().optional(),
});
export type GatewayAnswer = z.infer<typeof answerSchema>;

/**
 * What a response does. A test writes it into its request as `metadata.sim`, a JSON object of at most 512 characters.
 * The defaults are what has been reported of the provider: some seconds of work, and a flip after a cancel.
 */
const scriptSchema = z.strictObject({
  duration_ms: milliseconds.optional(),
  input_tokens: tokens.optional(),
  output_tokens: tokens.optional(),
  /** `honour` stays cancelled, `flip` completes nevertheless, and `too_late` has already completed: the cancel gets a 400. */
  cancel: z.enum(['honour', 'flip', 'too_late']).default('flip'),
  /** How many cancels fail with a 500 first. */
  cancel_fails: z.number().int().nonnegative().default(0),
  /** The shortest time from the cancel to the flip. */
  flip_after_ms: milliseconds.default(2500),
  /** `rate_limited`: the create gets a 200, and the response fails later without any usage. */
  end: z.enum(['completed', 'incomplete', 'failed', 'rate_limited']).default('completed'),
  /** The time from the end to the first body that shows a usage. */
  usage_after_ms: milliseconds.default(0),
  /** False: no body ever shows a usage, as with some compatible servers. */
  usage: z.boolean().default(true),
  /** True: the response never ends. */
  stuck: z.boolean().default(false),
  service_tier: z.string().default('default'),
  /** Sent as the header x-ms-served-model, as Azure does. */
  served_model: z.string().optional(),
  /** The fault of a create, and how many creates of this request get it. `reset`, `truncated`, `html` and `hang` accept it first. */
  create: z
    .enum([
      'rate_limit',
      'quota',
      'server_error',
      'overloaded',
      'invalid',
      'no_model',
      'forbidden',
      'reset',
      'truncated',
      'html',
      'hang',
    ])
    .optional(),
  /** The literal answer to a create. No response is created. */
  create_answer: answerSchema.optional(),
  /** The time until a create is answered. */
  create_ms: milliseconds.default(100),
  create_times: z.number().int().positive().default(Number.MAX_SAFE_INTEGER),
  retry_after_s: z.number().nonnegative().optional(),
  /** The fault of a read, and how many reads get it. */
  read: z.enum(['not_found', 'server_error', 'rate_limit', 'slow', 'malformed', 'html', 'odd_status']).optional(),
  /** The literal answer to a read. */
  read_answer: answerSchema.optional(),
  read_times: z.number().int().positive().default(Number.MAX_SAFE_INTEGER),
  /** The number of deltas in a stream. More deltas make a longer text. */
  deltas: z.number().int().positive().default(12),
  /** How a stream ends after a cancel: without any event, as reported, or with one of two closing events. */
  stream_cancel: z.enum(['silent', 'failed', 'cancelled']).default('silent'),
  /** After how many events a stream breaks, ends without a last event or falls silent, and how many streams do so. */
  drop_after: z.number().int().nonnegative().optional(),
  drop: z.enum(['reset', 'end', 'silence']).default('reset'),
  drops: z.number().int().nonnegative().default(1),
  /** False: a request to replay a stream gets a 400. The plain GET still works. */
  replay: z.boolean().default(true),
  /** The number of keepalives before the first event. */
  keepalives: z.number().int().nonnegative().default(0),
  keepalive_ms: milliseconds.default(50),
  /** How a stream numbers its events. LiteLLM and others omit the number, always send 0, or restart after a break. */
  numbers: z.enum(['growing', 'none', 'zero', 'restart']).default('growing'),
  /** The content type of a stream. An empty one is omitted. */
  stream_type: z.string().default('text/event-stream'),
  /** True: a stream begins with an error, and nothing runs. */
  stream_error: z.unknown().optional(),
  /** A gateway that ignores `background`: the create is answered with the whole result, which has this status. */
  foreground: z.enum(['completed', 'incomplete', 'requires_action', 'failed']).optional(),
  /** The length of the id, which contains characters with a meaning in URLs and keys. LiteLLM's ids have 465 characters. */
  id_length: z.number().int().positive().max(4096).optional(),
  /** True: the output has a search, whose results are shown only to reads that ask for them with `include`. */
  searches: z.boolean().default(false),
  /** True: the body contains numbers that JavaScript cannot represent. */
  odd_numbers: z.boolean().default(false),
  /** The error of a failed run, and the part of its output that was produced. */
  error_code: z.string().default('server_error'),
  partial: z.boolean().default(false),
  /** How the webhooks of the response come, if the simulator sends any: `late` by a second, `forged` with a wrong signature. */
  webhook: z.enum(['once', 'late', 'twice', 'forged', 'none']).default('once'),
  /** True: the stream contains an event of an unknown type. */
  odd_events: z.boolean().default(false),
});
export type Script = z.infer<typeof scriptSchema>;

export class ScriptError extends Error {}

export function parseScript(metadata: Record<string, string> | null | undefined): Script {
  const text = metadata?.sim ?? '{}';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ScriptError('metadata.sim is not JSON.');
  }
  const parsed = scriptSchema.safeParse(value);
  if (!parsed.success)
    throw new ScriptError(
      `metadata.sim: ${parsed.error.issues.map(issue => `${issue.path.join('.')} ${issue.message}`).join('; ')}.`,
    );
  return parsed.data;
}
