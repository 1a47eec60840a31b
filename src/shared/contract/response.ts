import { z } from 'zod';

/**
 * What the upstream answers, as far as we must understand it. Everything is loose: clones add fields and
 * statuses of their own, and what we do not read is passed on untouched.
 */
const detailsSchema = z.looseObject({}).nullish();

export const usageSchema = z.looseObject({
  input_tokens: z.number().int().nonnegative(),
  input_tokens_details: detailsSchema,
  output_tokens: z.number().int().nonnegative(),
  output_tokens_details: detailsSchema,
  total_tokens: z.number().int().nonnegative(),
});
export type Usage = z.infer<typeof usageSchema>;

export const responseErrorSchema = z.looseObject({ code: z.string(), message: z.string() });

export const upstreamResponseSchema = z.looseObject({
  id: z.string().min(1).max(200),
  object: z.literal('response').optional(),
  status: z.string(),
  model: z.string().optional(),
  usage: usageSchema.nullish(),
  error: responseErrorSchema.nullish(),
  incomplete_details: z.looseObject({ reason: z.string().optional() }).nullish(),
  service_tier: z.string().nullish(),
  tool_usage: z.looseObject({}).nullish(),
  output: z.array(z.looseObject({})).optional(),
});
export type UpstreamResponse = z.infer<typeof upstreamResponseSchema>;

/** Statuses after which the OpenAI API changes nothing more, by its documents; `cancelled` is known to change. */
export const upstreamFinalStatuses: ReadonlySet<string> = new Set(['completed', 'failed', 'incomplete', 'cancelled']);
export const upstreamOpenStatuses: ReadonlySet<string> = new Set(['queued', 'in_progress']);
