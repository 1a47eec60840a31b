import { z } from 'zod';
import {
  actorSchema,
  jobIdSchema,
  onUnknownLaunchSchema,
  reasonSchema,
  tagsSchema,
  tenantSchema,
  toWellFormed,
} from './words.ts';

/** The upstream takes 16 metadata pairs; one of them is ours. */
const MOST_METADATA_PAIRS = 15;

const metadataSchema = z
  .record(z.string().max(64), z.string().max(512))
  .refine(
    metadata => Object.keys(metadata).length <= MOST_METADATA_PAIRS,
    `must have at most ${MOST_METADATA_PAIRS} pairs: the provider takes 16, and Headstone needs one of them`,
  )
  .refine(metadata => !('headstone' in metadata), 'must not use the key "headstone": Headstone writes it');

/** The body of a create. What we do not name goes to the upstream as it is. */
export const requestSchema = z
  .looseObject({
    model: z
      .string({ error: 'is missing: name the model, or on Azure the deployment' })
      .trim()
      .min(1, 'must not be empty')
      .overwrite(toWellFormed)
      .regex(/^[^\p{Cc}]{1,200}$/u, 'must be at most 200 characters without control characters'),
    input: z.union([z.string().regex(/\S/, 'must not be empty'), z.array(z.looseObject({})).min(1)]).optional(),
    prompt: z.looseObject({}).nullish(),
    metadata: metadataSchema.nullish(),
    background: z.literal(true, { error: 'must be true or left out: Headstone runs background responses' }).optional(),
    store: z
      .literal(true, { error: 'must be true or left out: a response that is not stored cannot be followed' })
      .nullish(),
    stream: z.boolean().nullish(),
    previous_response_id: z.string().nullish(),
    conversation: z
      .null({
        error:
          'must be left out: the provider would write a result there even after its job was cancelled; chain by previous_response_id',
      })
      .optional(),
  })
  .refine(request => request.input !== undefined || request.prompt, {
    path: ['input'],
    error: 'is missing: give the prompt as a string or as a list of items',
  });
export type ResponseRequest = z.infer<typeof requestSchema>;

/** Of a stored request: the provider's id for its `previous_response_id`, which is ours. */
export const upstreamPredecessorField = 'headstone_predecessor';

/** A year and a day. */
const MOST_DEADLINE_MS = 366 * 86_400_000;
export const deadlineSchema = z.number().int().positive().max(MOST_DEADLINE_MS, 'must be at most 366 days');

/** A queue of the app's own, in the same Redis: each outcome adds one job there, at least once, with data `{id, status}`. */
export const notifySchema = z.strictObject({
  queue: z.string().regex(/^[^:]+$/, 'must be the name of a BullMQ queue, without a colon'),
  /** Of the job that is added. */
  name: z.string().min(1).default('headstone'),
  /** Of the app's queues. */
  prefix: z.string().min(1).default('bull'),
});
export type Notify = z.output<typeof notifySchema>;

export const enqueueOptionsSchema = z.strictObject({
  /** Makes a second enqueue of the same request harmless. Default: a new random id. */
  id: jobIdSchema.optional(),
  tenant: tenantSchema.optional(),
  tags: tagsSchema.optional(),
  /** Counted from the enqueue. Default: HEADSTONE_DEADLINE_MS, 24 h. */
  deadlineMs: deadlineSchema.optional(),
  /** As in BullMQ: 1 is the most urgent, larger waits longer; 0, the default, comes before all of them. */
  priority: z.number().int().min(0).max(2_097_152).optional(),
  /** Paid launches in all, the first included. Default 1: a failed run is not paid for twice. */
  attempts: z.number().int().min(1).max(10).optional(),
  onUnknownLaunch: onUnknownLaunchSchema.optional(),
  notify: notifySchema.optional(),
});
export type EnqueueOptions = z.input<typeof enqueueOptionsSchema>;

export const adoptOptionsSchema = z.strictObject({
  /** Default: the response's own id. */
  id: jobIdSchema.optional(),
  tenant: tenantSchema.optional(),
  tags: tagsSchema.optional(),
  /** Default: what the first look says. */
  model: z.string().min(1).max(200).optional(),
  /** Counted from now. Default: HEADSTONE_DEADLINE_MS, 24 h. */
  deadlineMs: deadlineSchema.optional(),
  notify: notifySchema.optional(),
});
export type AdoptOptions = z.input<typeof adoptOptionsSchema>;

export const cancelOptionsSchema = z.strictObject({
  reason: reasonSchema.optional(),
  actor: actorSchema.optional(),
  /** For servers: the name of the key that the caller signed in with. */
  keyName: z.string().max(64).optional(),
});
export type CancelOptions = z.infer<typeof cancelOptionsSchema>;
