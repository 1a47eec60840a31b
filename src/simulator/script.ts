import { z } from 'zod';

const milliseconds = z.number().int().nonnegative();
const tokens = z.number().int().nonnegative();

/** An answer to the letter: a gateway may say anything. A text is sent as it is, anything else as JSON. */
const answerSchema = z.strictObject({
  status: z.number().int().min(200).max(599),
  body: z.unknown(),
  /** The content type; an empty one is left out. */
  type: z.string().optional(),
});
export type GatewayAnswer = z.infer<typeof answerSchema>;

/**
 * What a response does, written by the test into its request: `metadata.sim`, a JSON object of at most 512 characters.
 * Whatever is left out behaves as the reports say: a few seconds of work, and a flip after a cancel.
 */
export const scriptSchema = z.strictObject({
  duration_ms: milliseconds.optional(),
  input_tokens: tokens.optional(),
  output_tokens: tokens.optional(),
  /** `honour`: stays cancelled · `flip`: completes all the same · `too_late`: is completed already when asked, 400. */
  cancel: z.enum(['honour', 'flip', 'too_late']).default('flip'),
  /** So many cancels fail with a 500 first. */
  cancel_fails: z.number().int().nonnegative().default(0),
  /** From the cancel to the flip, at the least. */
  flip_after_ms: milliseconds.default(2500),
  /** `rate_limited`: a 200 whose response fails later, with nothing used. */
  end: z.enum(['completed', 'incomplete', 'failed', 'rate_limited']).default('completed'),
  /** From the end to the first body that shows a usage. */
  usage_after_ms: milliseconds.default(0),
  /** False: no body ever shows a usage, as with some clones. */
  usage: z.boolean().default(true),
  /** Never ends. */
  stuck: z.boolean().default(false),
  service_tier: z.string().default('default'),
  /** Sent as the header x-ms-served-model, as Azure does. */
  served_model: z.string().optional(),
  /** A fault on create, and how many creates of this request meet it. `reset`, `truncated`, `html` and `hang` accept first. */
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
  /** What a create is answered with in the place of a fault: nothing comes into being. */
  create_answer: answerSchema.optional(),
  /** How long a create takes to answer. */
  create_ms: milliseconds.default(100),
  create_times: z.number().int().positive().default(Number.MAX_SAFE_INTEGER),
  retry_after_s: z.number().nonnegative().optional(),
  /** A fault on read, and how many reads meet it. */
  read: z.enum(['not_found', 'server_error', 'rate_limit', 'slow', 'malformed', 'html', 'odd_status']).optional(),
  /** What a read is answered with in the place of a fault. */
  read_answer: answerSchema.optional(),
  read_times: z.number().int().positive().default(Number.MAX_SAFE_INTEGER),
  /** Into how many deltas a stream cuts the text; more of them make the text longer. */
  deltas: z.number().int().positive().default(12),
  /** What a stream says of a cancel: nothing at all, as reported, or one of two closing events. */
  stream_cancel: z.enum(['silent', 'failed', 'cancelled']).default('silent'),
  /** After so many events a stream breaks, ends without a last event, or falls silent; and how many streams do so. */
  drop_after: z.number().int().nonnegative().optional(),
  drop: z.enum(['reset', 'end', 'silence']).default('reset'),
  drops: z.number().int().nonnegative().default(1),
  /** False: a stream is not played again, 400; the plain GET still works. */
  replay: z.boolean().default(true),
  /** So many keepalives come before the first event. */
  keepalives: z.number().int().nonnegative().default(0),
  keepalive_ms: milliseconds.default(50),
  /** How the events of a stream are numbered: LiteLLM and others leave it out, say 0 always, or begin again after a break. */
  numbers: z.enum(['growing', 'none', 'zero', 'restart']).default('growing'),
  /** The content type of a stream; an empty one is left out. */
  stream_type: z.string().default('text/event-stream'),
  /** A stream begins with an error, and nothing runs. */
  stream_error: z.unknown().optional(),
  /** A gateway that ignores `background`: the create is answered with the whole result, in this status. */
  foreground: z.enum(['completed', 'incomplete', 'requires_action', 'failed']).optional(),
  /** An id of so many characters, with some in it that mean something in URLs and keys (LiteLLM: 465). */
  id_length: z.number().int().positive().max(4096).optional(),
  /** The output has a search, whose results are shown only where they are asked for at each read. */
  searches: z.boolean().default(false),
  /** Numbers that JavaScript cannot hold stand in the body. */
  odd_numbers: z.boolean().default(false),
  /** What a failed run says, and what of its output it had. */
  error_code: z.string().default('server_error'),
  partial: z.boolean().default(false),
  /** An event of a type that nobody knows is among them. */
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
