import { z } from 'zod';
import { daySchema, inOrder } from './days.ts';
import { usageSchema } from './response.ts';
import { causeSchema } from './words.ts';

/** What one response cost, and whether anybody wanted it (I3). */
export const ledgerRowSchema = z.object({
  response_id: z.string(),
  job_id: z.string(),
  model: z.string(),
  tenant: z.string(),
  tags: z.array(z.string()),
  /** Null until the job is decided. */
  kind: z.enum(['used', 'wasted']).nullable(),
  cause: causeSchema.nullable(),
  reason: z.string().nullable(),
  actor: z.string().nullable(),
  /** The bulk cancel that made it unwanted; null if none did. */
  cancellation: z.string().nullable().default(null),
  /** Whether the usage is known. `unknown`: no read ever showed one, which does not mean zero. */
  status: z.enum(['pending', 'final', 'unknown']),
  usage: usageSchema.nullable().catch(null),
  /** Millionths of a dollar; null if the model or the tier has no known price. */
  cost_usd_micros: z.number().int().nullable().catch(null),
  /** Milliseconds from the job's outcome to the first observation of the final usage. */
  late_by_ms: z.number().int().nullable().catch(null),
  /** What an unwanted response probably costs, by the finished runs of its tenant and model in the last seven days; null if none is on record. */
  likely_tokens: z.number().int().nullable().catch(null).default(null),
  likely_cost_usd_micros: z.number().int().nullable().catch(null).default(null),
  /** The most that this response can cost; null if nothing bounds it, as with tools or an unknown model. */
  most_tokens: z.number().int().nullable().catch(null),
  most_cost_usd_micros: z.number().int().nullable().catch(null),
  /** When the row was opened, in milliseconds on Redis' clock. The row counts in the sums of that UTC day. */
  at: z.number().int(),
  /** What the row can be priced from again. */
  service_tier: z.string().nullable(),
  served_model: z.string().nullable(),
  tool_usage: z.looseObject({}).nullable(),
  price_table: z.string().nullable(),
  /** The last status that the provider showed. */
  upstream_status: z.string().nullable(),
  /** The id that a caller chose for the job over HTTP. Over HTTP it is shown in place of `job_id`. */
  chosen_job_id: z.string().optional(),
});
export type LedgerRow = z.infer<typeof ledgerRowSchema>;

export const wasteDimensionSchema = z.enum([
  'model',
  'tenant',
  'cause',
  'reason',
  'actor',
  'tag',
  'cancellation',
  'day',
]);
export type WasteDimension = z.infer<typeof wasteDimensionSchema>;

const count = z.number().int();

/** Sums of the wasted responses under one key, and of the used ones for comparison. */
const wasteSumSchema = z.object({
  key: z.string(),
  responses: count,
  input_tokens: count,
  output_tokens: count,
  total_tokens: count,
  cost_usd_micros: count,
  /** Responses that are still watched. Their tokens may not be known yet. */
  pending: count,
  /** Responses whose usage is not known. They are not in the tokens above. */
  unknown: count,
  /** Responses whose tokens have no known price. They are not in the cost above. */
  unpriced: count,
  /** The most that the pending and unknown responses can cost, and how many of them have no bound. */
  most_tokens: count,
  most_cost_usd_micros: count,
  unbounded: count,
  /** What the pending and unknown responses probably cost, by the finished runs of their models, and for how many that is not known. */
  likely_tokens: count.default(0),
  likely_cost_usd_micros: count.default(0),
  unestimated: count.default(0),
  used_responses: count,
  used_total_tokens: count,
  used_cost_usd_micros: count,
  /** Used responses whose usage is not known. They are not in the tokens above. */
  used_pending: count.default(0),
  used_unknown: count.default(0),
  /** Used responses whose tokens have no known price. They are not in the cost above. */
  used_unpriced: count.default(0),
});
export type WasteSum = z.infer<typeof wasteSumSchema>;

/** Upper bounds, in milliseconds, of how late the final usage of an unwanted response was observed. */
export const lateBoundsMs = [10_000, 60_000, 300_000, 900_000, 3_600_000];

export const wasteReportSchema = z.object({
  data: z.array(wasteSumSchema),
  totals: wasteSumSchema,
  /** How late final usages were observed. `under_ms` is null for those later than every bound. */
  late: z.array(z.object({ under_ms: z.number().int().nullable(), responses: count })),
});
export type WasteReport = z.infer<typeof wasteReportSchema>;

export const ledgerQuerySchema = z
  .strictObject({
    /** UTC days on which rows were opened, both included. */
    since: daySchema.optional(),
    until: daySchema.optional(),
    tenant: z.string().optional(),
    limit: z.number().int().min(1).max(1000).optional(),
    /** The response id of the last row on the previous page. */
    after: z.string().optional(),
  })
  .refine(...inOrder);
export type LedgerQuery = z.infer<typeof ledgerQuerySchema>;

export const wasteQuerySchema = z.strictObject({
  groupBy: wasteDimensionSchema.optional(),
  tenant: z.string().optional(),
  /** UTC days, both included. */
  since: daySchema.optional(),
  until: daySchema.optional(),
});
export type WasteQuery = z.infer<typeof wasteQuerySchema>;
