import { z } from 'zod';

const detailsSchema = z.looseObject({}).nullish().catch(null);
/** Far beyond any run. A number that no sum can hold would break the ledger. */
const MOST_TOKENS = 1_000_000_000_000;
const tokens = z.number().int().nonnegative().max(MOST_TOKENS);

/** The latest second that a JavaScript date can hold. */
const LATEST_S = 8.64e12;

export const usageSchema = z
  .looseObject({
    input_tokens: tokens,
    input_tokens_details: detailsSchema,
    output_tokens: tokens,
    output_tokens_details: detailsSchema,
    total_tokens: tokens.optional(),
  })
  .transform(usage => ({ ...usage, total_tokens: usage.total_tokens ?? usage.input_tokens + usage.output_tokens }));
export type Usage = z.infer<typeof usageSchema>;

const text = z.string().nullish().catch(null);

/** LiteLLM's ids have 465 characters. */
const LONGEST_ID = 4096;

/** The provider's id of a response. Nothing is read out of it, and nothing is cut off. */
export const responseIdSchema = z
  .string()
  .min(1)
  .max(LONGEST_ID, `must be at most ${LONGEST_ID} characters`)
  .overwrite(id => id.toWellFormed())
  // In a URL these lead to another path, however they are written.
  .refine(id => id !== '.' && id !== '..', 'must not be dots alone');

/**
 * What is read of a provider's body. A field that is not as documented counts as absent, because compatible servers write other
 * bodies, and one odd field must not hide the usage beside it.
 */
export const upstreamResponseSchema = z.looseObject({
  id: responseIdSchema,
  status: z.string().catch('unreadable'),
  /** Seconds since 1970. */
  created_at: z.number().nonnegative().max(LATEST_S).optional().catch(undefined),
  model: z.string().optional().catch(undefined),
  usage: usageSchema.nullish().catch(null),
  error: z.looseObject({ code: text, message: text }).nullish().catch(null),
  service_tier: text,
  tool_usage: z.looseObject({}).nullish().catch(null),
  output: z.array(z.looseObject({})).optional().catch(undefined),
});
export type UpstreamResponse = z.infer<typeof upstreamResponseSchema>;

/** The statuses that OpenAI's documentation calls final. A response that is `cancelled` is known to change all the same. */
export const upstreamFinalStatuses: ReadonlySet<string> = new Set([
  'completed',
  'requires_action',
  'failed',
  'incomplete',
  'cancelled',
]);
