import { z } from 'zod';
import { dayOrMomentSchema, inOrder } from './days.ts';
import { ledgerRowSchema } from './ledger.ts';
import { upstreamResponseSchema } from './response.ts';
import { causeSchema, jobStatusSchema, outcomeStatusSchema } from './words.ts';

/** Milliseconds since 1970 on Redis' clock. */
const time = z.number().int();

/** The mark of a cancelled or expired job: who ended it, why and when. */
const tombstoneSchema = z.object({
  cause: causeSchema,
  reason: z.string().nullable(),
  actor: z.string().nullable(),
  /** The name of the API key that the cancel was sent with; null if it was none. */
  key_name: z.string().nullable(),
  at: time,
});
export type Tombstone = z.infer<typeof tombstoneSchema>;

/** Why a job failed. `code` is the provider's, or Headstone's: launch_unknown, response_not_found, response_of_another_job, unreadable_result, poison. */
export const refusalSchema = z.object({
  http_status: z.number().int().optional(),
  type: z.string().optional(),
  /** The part of the request that the provider's error names. */
  param: z.string().optional(),
});

const jobErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  /** How the provider answered the create; left out if it did not refuse it. */
  refusal: refusalSchema.optional(),
});
export type JobError = z.infer<typeof jobErrorSchema>;

/**
 * One intent to spend money, which is written before the POST (I4).
 *
 * `intended`: the POST may be under way. `acknowledged`: the provider answered with the response's id. `refused`: it never ran.
 * `unknown`: it may have run.
 */
export const launchSchema = z.object({
  epoch: z.number().int(),
  at: time,
  state: z.enum(['intended', 'acknowledged', 'refused', 'unknown']),
  response_id: z.string().nullable(),
  code: z.string().nullable(),
});
export type Launch = z.infer<typeof launchSchema>;

export const timelineEntrySchema = z.looseObject({ at: time, event: z.string() });

const outcomeSchema = z.object({
  status: outcomeStatusSchema,
  at: time,
  error: jobErrorSchema.nullable(),
  /** `none`: this outcome has no result. `expired`: it was kept for HEADSTONE_RESULT_TTL_MS. `deleted`: its owner deleted it. */
  result: z.enum(['none', 'stored', 'expired', 'deleted']),
});

export const jobSummarySchema = z.object({
  id: z.string(),
  status: jobStatusSchema,
  model: z.string(),
  tenant: z.string(),
  tags: z.array(z.string()),
  created_at: time,
  deadline_at: time,
  decided_at: time.nullable(),
  response_id: z.string().nullable(),
  /** The scope of the hold that keeps its launch back (`account`, `model:NAME`, `tenant:NAME|model:NAME`); null if none does. */
  held_by: z.string().nullable(),
  tombstone: tombstoneSchema.nullable(),
  /** The beginning of the prompt, at most 120 characters; null if it is not kept. */
  preview: z.string().nullable().default(null),
  /** The id that a caller chose over HTTP. Over HTTP it is shown in place of `id`. */
  chosen_id: z.string().optional(),
});
export type JobSummary = z.infer<typeof jobSummarySchema>;

export const jobSchema = jobSummarySchema.extend({
  attempts: z.number().int(),
  /** The URL that is told the outcome, and what was wasted. */
  callback_url: z.string().nullable().default(null),
  outcome: outcomeSchema.nullable(),
  launches: z.array(launchSchema),
  ledger: z.array(ledgerRowSchema),
  timeline: z.array(timelineEntrySchema),
  /** The provider's body of a result or of a failed run, under the provider's id; null if there is none or it is not kept. */
  response: upstreamResponseSchema.nullable(),
  /** Fields of the record that could not be read. The other fields are right. */
  unreadable: z.array(z.string()).default([]),
});
export type Job = z.infer<typeof jobSchema>;

/** How a job ended, as `wait` returns it. A cancelled or expired job has no response, whatever the provider did (I1). */
const finishedSchema = z.discriminatedUnion('status', [
  z.object({ id: z.string(), status: z.literal('completed'), response: upstreamResponseSchema }),
  z.object({ id: z.string(), status: z.literal('incomplete'), response: upstreamResponseSchema }),
  z.object({ id: z.string(), status: z.literal('failed'), error: jobErrorSchema }),
  z.object({ id: z.string(), status: z.literal('cancelled'), tombstone: tombstoneSchema }),
  z.object({ id: z.string(), status: z.literal('expired'), tombstone: tombstoneSchema }),
]);
export type Finished = z.infer<typeof finishedSchema>;

/** Which jobs to list. A job has to match every field that is given. */
export const jobFilterSchema = z.strictObject({
  status: jobStatusSchema.optional(),
  tenant: z.string().optional(),
  tag: z.string().optional(),
  model: z.string().optional(),
  /** Jobs that this bulk cancel has cancelled. */
  cancellation: z.string().optional(),
  /** Matches the beginning of an id, a whole tag, model or tenant, and any part of the prompt’s beginning. */
  search: z.string().min(1).max(200, 'must be at most 200 characters').optional(),
  /** When the job was enqueued: UTC days, both included, or moments like 2026-11-21T08:30:00Z. */
  since: dayOrMomentSchema.optional(),
  until: dayOrMomentSchema.optional(),
});
export type JobFilter = z.infer<typeof jobFilterSchema>;

export const listFilterSchema = jobFilterSchema
  .extend({
    limit: z.number().int().min(1).max(1000).optional(),
    /** The last id of the previous page. */
    after: z.string().optional(),
  })
  .refine(...inOrder);
export type ListFilter = z.infer<typeof listFilterSchema>;
