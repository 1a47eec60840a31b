import { z } from 'zod';

/** The states of a job, in the order of its life. The first three are open; the others are outcomes, decided once (I2). */
export const openStatuses = ['queued', 'launching', 'running'] as const;
export const outcomeStatuses = ['completed', 'incomplete', 'failed', 'cancelled', 'expired'] as const;

export const jobStatusSchema = z.enum([...openStatuses, ...outcomeStatuses]);
export type JobStatus = z.infer<typeof jobStatusSchema>;

export const outcomeStatusSchema = z.enum(outcomeStatuses);
export type OutcomeStatus = z.infer<typeof outcomeStatusSchema>;

/** The outcomes that carry a response: an incomplete run is paid for, so it is a result and not an error. */
export type ResultStatus = Extract<OutcomeStatus, 'completed' | 'incomplete'>;

/** The outcomes that have something to show. */
export function isResult(status: JobStatus): status is 'completed' | 'incomplete' {
  return status === 'completed' || status === 'incomplete';
}

export function isOutcome(status: JobStatus): status is OutcomeStatus {
  return outcomeStatusSchema.safeParse(status).success;
}

/** What first made a response unwanted. Closed, so it is safe as a metric label. */
export const causeSchema = z.enum(['cancelled', 'expired', 'superseded', 'orphaned', 'failed']);
export type Cause = z.infer<typeof causeSchema>;

/** The answer to a cancel. Only the first two mean that no result will ever be shown. */
export const verdictSchema = z.enum([
  'cancelled',
  'already_cancelled',
  'already_completed',
  'already_incomplete',
  'already_failed',
  'already_expired',
  'not_found',
]);
export type Verdict = z.infer<typeof verdictSchema>;

/** What to do when a create was sent and no id came back: fail the job, or launch again and perhaps pay twice. */
export const onUnknownLaunchSchema = z.enum(['fail', 'relaunch']);

export const jobIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 characters out of A-Z, a-z, 0-9, "_" and "-"');

/** Text that somebody cut in the middle of a character is stored with a mark in its place. */
export function toWellFormed(text: string): string {
  return text.toWellFormed();
}

/**
 * Counts before it looks at any value, so that a list of a hundred thousand wrong ones is one problem and costs nothing.
 */
export function counted<Output, Input>(most: number, error: string, schema: z.ZodType<Output, Input>) {
  const hasFew = (value: unknown) => typeof value !== 'object' || value === null || Object.keys(value).length <= most;
  return z.custom<Input>(hasFew, error).pipe(schema);
}

const label = /^[^\p{Cc}|]{1,64}$/u;

/** Stored in the clear and shown in lists, so control characters are refused. */
export const tenantSchema = z
  .string()
  .overwrite(toWellFormed)
  .regex(label, 'must be 1 to 64 characters without control characters or "|"');
export const tagsSchema = counted(
  16,
  'must be at most 16 tags',
  z.array(
    z.string().overwrite(toWellFormed).regex(label, 'must be 1 to 64 characters without control characters or "|"'),
  ),
);

/** The caller's own words: stored and shown, never a metric label. */
export const reasonSchema = z.string().overwrite(toWellFormed).max(200, 'must be at most 200 characters');
export const actorSchema = z.string().overwrite(toWellFormed).max(200, 'must be at most 200 characters');

/** The model of an adopted response, until the first look tells it. */
export const UNKNOWN_MODEL = 'unknown';

/** The tenant of a job that named none. */
export const DEFAULT_TENANT = 'default';
