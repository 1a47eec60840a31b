import { z } from 'zod';
import { usageSchema } from './response.ts';
import { causeSchema } from './words.ts';

/** One upstream response: what it cost, and whether anybody wanted it (I3). */
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
  /** Of the usage alone: `unknown` where no GET ever showed one, which is not zero. */
  status: z.enum(['pending', 'final', 'unknown']),
  usage: usageSchema.nullable().catch(null),
  /** Millionths of a dollar; null for a model or tier without a known price. */
  cost_usd_micros: z.number().int().nullable().catch(null),
  /** From the outcome to the first sight of the final usage. */
  late_by_ms: z.number().int().nullable().catch(null),
  /** What this response cannot cost more than; null where nothing bounds it: its tools, an unknown model. */
  most_tokens: z.number().int().nullable().catch(null),
  most_cost_usd_micros: z.number().int().nullable().catch(null),
  /** When the row was opened, which is also the day that its sums belong to. */
  at: z.number().int(),
  /** What the row can be priced again from. */
  service_tier: z.string().nullable(),
  served_model: z.string().nullable(),
  tool_usage: z.looseObject({}).nullable(),
  price_table: z.string().nullable(),
  /** The last status that the upstream showed. */
  upstream_status: z.string().nullable(),
  /** As in a job: shown over HTTP in place of `job_id`. */
  chosen_job_id: z.string().optional(),
});
export type LedgerRow = z.infer<typeof ledgerRowSchema>;

export const wasteDimensionSchema = z.enum(['model', 'tenant', 'cause', 'actor', 'tag', 'day']);
export type WasteDimension = z.infer<typeof wasteDimensionSchema>;

const count = z.number().int();

/** Wasted responses summed under one key; `used_total_tokens` stands beside them for the proportion. */
export const wasteSumSchema = z.object({
  key: z.string(),
  responses: count,
  input_tokens: count,
  output_tokens: count,
  total_tokens: count,
  cost_usd_micros: count,
  /** Responses that are still followed: their tokens may be yet to come. */
  pending: count,
  /** Responses whose usage is not known, so not in the tokens above. */
  unknown: count,
  /** Responses whose tokens are known and have no price, so not in the cost above. */
  unpriced: count,
  /** Of the pending and unknown: the most that those with a bound can cost, and how many have none. */
  most_tokens: count,
  most_cost_usd_micros: count,
  unbounded: count,
  used_responses: count,
  used_total_tokens: count,
  used_cost_usd_micros: count,
});
export type WasteSum = z.infer<typeof wasteSumSchema>;

/** Upper bounds, in milliseconds, of how late the final usage of an unwanted response was first seen. */
export const lateBoundsMs = [10_000, 60_000, 300_000, 900_000, 3_600_000];

export const wasteReportSchema = z.object({
  data: z.array(wasteSumSchema),
  totals: wasteSumSchema,
  /** How late results came; `under_ms` is null for what was later than every bound. */
  late: z.array(z.object({ under_ms: z.number().int().nullable(), responses: count })),
});
export type WasteReport = z.infer<typeof wasteReportSchema>;

/** A UTC day. */
export const daySchema = z.iso.date('must be a day like 2026-11-21');

export const ledgerQuerySchema = z.strictObject({
  /** Milliseconds since 1970, by the time that a row was opened. */
  sinceMs: z.number().int().nonnegative().optional(),
  untilMs: z.number().int().nonnegative().optional(),
  tenant: z.string().optional(),
  limit: z.number().int().min(1).max(1000).optional(),
  /** The response id of the last row of the page before. */
  after: z.string().optional(),
});
export type LedgerQuery = z.infer<typeof ledgerQuerySchema>;

export const wasteQuerySchema = z.strictObject({
  groupBy: wasteDimensionSchema.optional(),
  tenant: z.string().optional(),
  /** UTC days, both included. */
  since: daySchema.optional(),
  until: daySchema.optional(),
});
export type WasteQuery = z.infer<typeof wasteQuerySchema>;
