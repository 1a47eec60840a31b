import { z } from 'zod';
import { ledgerRowSchema } from './ledger.ts';
import { upstreamResponseSchema } from './response.ts';
import { causeSchema, jobStatusSchema, outcomeStatusSchema } from './words.ts';

/** Times are Redis' clock: milliseconds since 1970, UTC. */
const time = z.number().int();

/** The mark of an outcome other than a result: who ended the job, why and when. */
export const tombstoneSchema = z.object({
  cause: causeSchema,
  reason: z.string().nullable(),
  actor: z.string().nullable(),
  /** The name of the API key that the cancel came with, where it came over HTTP. */
  key_name: z.string().nullable(),
  at: time,
});
export type Tombstone = z.infer<typeof tombstoneSchema>;

/** Why a job failed. `code` is the upstream's, or one of ours: launch_unknown, response_not_found, poison. */
export const jobErrorSchema = z.object({ code: z.string(), message: z.string() });
export type JobError = z.infer<typeof jobErrorSchema>;

/**
 * One intent to spend money, written before the POST (I4).
 * `intended`: perhaps under way · `acknowledged`: has its response · `refused`: never ran · `unknown`: may have run.
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

export const outcomeSchema = z.object({
  status: outcomeStatusSchema,
  at: time,
  error: jobErrorSchema.nullable(),
  /** `none`: this outcome has no result · `expired`: HEADSTONE_RESULT_TTL_MS is over · `deleted`: by its owner. */
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
  /** The scope of the hold that keeps its launch back: `account`, `model:NAME` or `tenant:NAME|model:NAME`. */
  held_by: z.string().nullable(),
  tombstone: tombstoneSchema.nullable(),
  /** The id that a caller over HTTP chose for it, where one did. Over HTTP that one is shown in place of `id`. */
  chosen_id: z.string().optional(),
});
export type JobSummary = z.infer<typeof jobSummarySchema>;

export const jobSchema = jobSummarySchema.extend({
  attempts: z.number().int(),
  outcome: outcomeSchema.nullable(),
  launches: z.array(launchSchema),
  ledger: z.array(ledgerRowSchema),
  timeline: z.array(timelineEntrySchema),
  /** The provider's body under its own id: of a result, or of a run that failed. Null where there is none, or none is kept. */
  response: upstreamResponseSchema.nullable(),
  /** Fields of the record that could not be read. What stands beside them is right. */
  unreadable: z.array(z.string()).default([]),
});
export type Job = z.infer<typeof jobSchema>;

/** How a job ended, as `wait` gives it. A cancelled or expired job has no response, whatever the upstream did (I1). */
export const finishedSchema = z.discriminatedUnion('status', [
  z.object({ id: z.string(), status: z.literal('completed'), response: upstreamResponseSchema }),
  z.object({ id: z.string(), status: z.literal('incomplete'), response: upstreamResponseSchema }),
  z.object({ id: z.string(), status: z.literal('failed'), error: jobErrorSchema }),
  z.object({ id: z.string(), status: z.literal('cancelled'), tombstone: tombstoneSchema }),
  z.object({ id: z.string(), status: z.literal('expired'), tombstone: tombstoneSchema }),
]);
export type Finished = z.infer<typeof finishedSchema>;

export const listFilterSchema = z.strictObject({
  status: jobStatusSchema.optional(),
  tenant: z.string().optional(),
  tag: z.string().optional(),
  limit: z.number().int().min(1).max(1000).optional(),
  /** The last id of the page before. */
  after: z.string().optional(),
});
export type ListFilter = z.infer<typeof listFilterSchema>;
