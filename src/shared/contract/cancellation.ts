import { z } from 'zod';
import { actorSchema, counted, jobIdSchema, openStatuses, reasonSchema } from './words.ts';

const age = z.number().int().nonnegative();

/** Which open jobs to cancel; every field given must hold. */
export const cancellationFilterSchema = z
  .strictObject({
    ids: counted(1000, 'must be at most 1000 ids', z.array(jobIdSchema).min(1)).optional(),
    tenant: z.string().optional(),
    tag: z.string().optional(),
    status: z
      .enum(openStatuses, {
        error: 'must be queued, launching or running: what has ended cannot be cancelled any more',
      })
      .optional(),
    model: z.string().optional(),
    /** Counted from the enqueue to the start of the cancellation. */
    older_than_ms: age.optional(),
    newer_than_ms: age.optional(),
    /** Says that every open job is meant; nothing else in the filter may leave that open. */
    all: z.literal(true).optional(),
  })
  .refine(
    filter => Object.values(filter).some(value => value !== undefined),
    'is empty: name what to cancel, or say all: true',
  );
export type CancellationFilter = z.infer<typeof cancellationFilterSchema>;

export const cancellationOptionsSchema = z.strictObject({
  reason: reasonSchema.optional(),
  actor: actorSchema.optional(),
  /** For servers: the name of the key that the caller signed in with. */
  keyName: z.string().max(64).optional(),
  /** Makes a repeat of the same request harmless. Default: a new random id. */
  id: jobIdSchema.optional(),
});
export type CancellationOptions = z.infer<typeof cancellationOptionsSchema>;

const count = z.number().int();

/** Many jobs under one cancel. `running`: being worked through · `done`: every job was looked at · `stopped`: by a person. */
export const cancellationSchema = z.object({
  id: z.string(),
  object: z.literal('cancellation'),
  status: z.enum(['running', 'done', 'stopped']),
  filter: z.looseObject({}),
  reason: z.string().nullable(),
  actor: z.string().nullable(),
  key_name: z.string().nullable(),
  created_at: count,
  /** When the last chunk was worked through. */
  advanced_at: count,
  /** Jobs that matched when it began; the work itself counts anew. */
  expected: count,
  examined: count,
  cancelled: count,
});
export type Cancellation = z.infer<typeof cancellationSchema>;

/** What a cancellation would do. Of a job that was launched the tokens may be charged all the same. */
export const cancellationEstimateSchema = z.object({
  object: z.literal('cancellation_estimate'),
  dry_run: z.literal(true),
  filter: z.looseObject({}),
  jobs: count,
  by_status: z.record(z.string(), count),
  by_model: z.record(z.string(), count),
  estimate: z.object({
    note: z.string(),
    /** Of all the jobs, by the averages of their models. */
    tokens: count,
    cost_usd_micros: count,
    /** The part of it that belongs to jobs which were not launched, so it is not spent. */
    spared_tokens: count,
    spared_cost_usd_micros: count,
    /** Jobs of models without an average to go by: not in the figures above. */
    jobs_without_average: count,
  }),
});
export type CancellationEstimate = z.infer<typeof cancellationEstimateSchema>;
