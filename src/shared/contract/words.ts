import { z } from 'zod';

/** The statuses of a job, in the order of its life. The first three are open. The others are outcomes, decided once (I2). */
export const openStatuses = ['queued', 'launching', 'running'] as const;
export const outcomeStatuses = ['completed', 'incomplete', 'failed', 'cancelled', 'expired'] as const;

/**
 * Every way in which a job's status can change; `none` is a job that is not on record yet. The scripts' one setter of a status
 * refuses any other, and docs/state-machine.md draws them.
 */
export const transitions = {
  none: ['queued', 'running'],
  queued: ['launching', 'running', 'failed', 'cancelled', 'expired'],
  launching: ['running', 'queued', 'failed', 'cancelled', 'expired'],
  running: ['queued', 'completed', 'incomplete', 'failed', 'cancelled', 'expired'],
} as const;

export const jobStatusSchema = z.enum([...openStatuses, ...outcomeStatuses]);
export type JobStatus = z.infer<typeof jobStatusSchema>;

export const outcomeStatusSchema = z.enum(outcomeStatuses);
export type OutcomeStatus = z.infer<typeof outcomeStatusSchema>;

/** The outcomes that carry a response. An incomplete run was paid for, so it is a result and not an error. */
export type ResultStatus = Extract<OutcomeStatus, 'completed' | 'incomplete'>;

export function isResult(status: JobStatus): status is 'completed' | 'incomplete' {
  return status === 'completed' || status === 'incomplete';
}

const outcomes: ReadonlySet<string> = new Set(outcomeStatuses);

export function isOutcome(status: string): status is OutcomeStatus {
  return outcomes.has(status);
}

/** What first made a response unwanted. The set is closed, so it is safe as a metric label. */
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

/** What to do if a create was sent and no id came back: fail the job, or launch it again and perhaps pay twice. */
export const onUnknownLaunchSchema = z.enum(['fail', 'relaunch']);

export const jobIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 characters from A-Z, a-z, 0-9, "_" and "-"');

/** Replaces half of a surrogate pair, as cutting a text in the middle of an emoji leaves it, by U+FFFD. */
export function toWellFormed(text: string): string {
  return text.toWellFormed();
}

/** Counts the values before it checks any, so that a list of a hundred thousand wrong ones is one problem and costs nothing. */
export function counted<Output, Input>(most: number, error: string, schema: z.ZodType<Output, Input>) {
  const hasFew = (value: unknown) => typeof value !== 'object' || value === null || Object.keys(value).length <= most;
  return z.custom<Input>(hasFew, error).pipe(schema);
}

const label = /^[^\p{Cc}|]{1,64}$/u;

/** Tenants are stored in the clear and shown in lists, so control characters are refused. */
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

/** Free text of the caller. It is stored and shown, and is never a metric label. */
export const reasonSchema = z.string().overwrite(toWellFormed).max(200, 'must be at most 200 characters');
export const actorSchema = z.string().overwrite(toWellFormed).max(200, 'must be at most 200 characters');

/** The reason of a cancel for which nobody asked in words: all callers that waited for the job have gone. */
export const CLIENT_DISCONNECTED = 'client_disconnected';

/** The model of an adopted response until its first observation names it. */
export const UNKNOWN_MODEL = 'unknown';

/** The tenant of a job that names none. */
export const DEFAULT_TENANT = 'default';
