import { z } from 'zod';
import { dayOrMomentSchema, inOrder } from './days.ts';
import { actorSchema, counted, jobIdSchema, openStatuses, reasonSchema } from './words.ts';

const age = z.number().int().nonnegative();

/** Which open jobs to cancel. A job has to match every field that is given. */
export const cancellationFilterSchema = z
  .strictObject({
    ids: counted(1000, 'must be at most 1000 ids', z.array(jobIdSchema).min(1)).optional(),
    tenant: z.string().optional(),
    tag: z.string().optional(),
    status: z
      .enum(openStatuses, {
        error: 'must be queued, launching or running: a job that has ended cannot be cancelled',
      })
      .optional(),
    model: z.string().optional(),
    /** Milliseconds from the job's enqueue to the beginning of the cancellation. */
    older_than_ms: age.optional(),
    newer_than_ms: age.optional(),
    /** When the job was enqueued: UTC days, both included, or moments like 2026-11-21T08:30:00Z. */
    since: dayOrMomentSchema.optional(),
    until: dayOrMomentSchema.optional(),
    /** Matches every open job. */
    all: z.literal(true).optional(),
  })
  .refine(
    filter => Object.values(filter).some(value => value !== undefined),
    'is empty: say which jobs to cancel, or all: true',
  )
  .refine(...inOrder);
export type CancellationFilter = z.infer<typeof cancellationFilterSchema>;

export const cancellationOptionsSchema = z.strictObject({
  reason: reasonSchema.optional(),
  actor: actorSchema.optional(),
  /** For servers: the name of the caller's API key. */
  keyName: z.string().max(64).optional(),
  /** Makes sending the same request again harmless. Default: a new random id. */
  id: jobIdSchema.optional(),
});
export type CancellationOptions = z.infer<typeof cancellationOptionsSchema>;

const count = z.number().int();

/** A cancellation of many jobs. `running`: it goes on. `done`: every job was examined. `stopped`: a person stopped it. */
export const cancellationSchema = z.object({
  id: z.string(),
  object: z.literal('cancellation'),
  status: z.enum(['running', 'done', 'stopped']),
  filter: z.looseObject({}),
  reason: z.string().nullable(),
  actor: z.string().nullable(),
  key_name: z.string().nullable(),
  created_at: count,
  /** When the last chunk of jobs was examined. */
  advanced_at: count,
  /** How many jobs matched when it began. */
  expected: count,
  examined: count,
  cancelled: count,
  /** How many of the cancelled jobs waited for their launch, by model; null if the version before began it, which did not count. */
  spared_by_model: z.record(z.string(), count).nullable().default(null),
});
export type Cancellation = z.infer<typeof cancellationSchema>;

/** What a cancellation would do. The tokens of jobs that were launched may be charged all the same. */
export const cancellationEstimateSchema = z.object({
  object: z.literal('cancellation_estimate'),
  dry_run: z.literal(true),
  filter: z.looseObject({}),
  jobs: count,
  by_status: z.record(z.string(), count),
  by_model: z.record(z.string(), count),
  estimate: z.object({
    note: z.string(),
    /** What all the jobs would use, by the averages of their models. */
    tokens: count,
    cost_usd_micros: count,
    /** The part of it that is not spent, because those jobs were not launched. */
    spared_tokens: count,
    spared_cost_usd_micros: count,
    /** Jobs whose model has no average yet. They are not in the figures above. */
    jobs_without_average: count,
    /** Jobs whose model has an average of tokens and no price. They are not in the costs above. */
    jobs_without_price: count.default(0),
    /** How many of the jobs that were not launched are of either kind. */
    spared_without_cost: count.default(0),
  }),
});
export type CancellationEstimate = z.infer<typeof cancellationEstimateSchema>;
