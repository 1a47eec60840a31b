import { z } from 'zod';

const milliseconds = z.number().int().nonnegative();
const tokens = z.number().int().nonnegative();

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
  /** How long a create takes to answer. */
  create_ms: milliseconds.default(100),
  create_times: z.number().int().positive().default(Number.MAX_SAFE_INTEGER),
  retry_after_s: z.number().nonnegative().optional(),
  /** A fault on read, and how many reads meet it. */
  read: z.enum(['not_found', 'server_error', 'rate_limit', 'slow', 'malformed', 'html', 'odd_status']).optional(),
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
