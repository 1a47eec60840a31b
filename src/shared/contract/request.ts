import { z } from 'zod';
import { backgroundOptionsSchema, windowMsOf } from './completion-window.ts';
import {
  actorSchema,
  counted,
  jobIdSchema,
  onUnknownLaunchSchema,
  reasonSchema,
  tagsSchema,
  tenantSchema,
  toWellFormed,
} from './words.ts';

/** The provider takes 16 metadata pairs, and Headstone adds one. */
export const MOST_METADATA_PAIRS = 15;

/** Names that start with this are Headstone's, in bodies and in metadata. A caller who could set one could pose as Headstone. */
const RESERVED = 'headstone';

/** The first reserved name that a caller used; undefined if there is none. */
export function reservedNameIn(names: object): string | undefined {
  return Object.keys(names).find(name => name.startsWith(RESERVED));
}

/** Fields that decide who may see what. Some gateways ignore the case of a name, so other spellings are refused. */
const judged = new Set(
  'background background_options conversation include input metadata model previous_response_id prompt store stream'.split(
    ' ',
  ),
);

/** Fields of an item that decide which one is meant. */
const judgedOfItems = new Set(['id', 'type', 'role', 'content', 'approval_request_id', 'encrypted_content']);

/** The first name that a lenient gateway would take for one of those fields; undefined if there is none. */
export function disguisedNameIn(names: object, fields = judged): string | undefined {
  return Object.keys(names).find(name => {
    const plain = name.toLowerCase();
    return plain !== name && (fields.has(plain) || plain.startsWith(RESERVED));
  });
}

/** The same of an item of an input. */
export function disguisedNameOfItem(item: object): string | undefined {
  return disguisedNameIn(item, judgedOfItems);
}

const metadataSchema = counted(
  MOST_METADATA_PAIRS,
  `must have at most ${MOST_METADATA_PAIRS} pairs: the provider takes 16, and Headstone needs one of them`,
  z
    .record(z.string().max(64), z.string().max(512))
    .refine(
      metadata => reservedNameIn(metadata) === undefined,
      `must not use the key "${RESERVED}", nor one that starts with it: Headstone writes those itself`,
    ),
);

/** OpenAI's create has about 40 fields. */
const MOST_FIELDS = 200;

/** The provider checks the items. Here they only have to be objects. */
const inputSchema = z.union(
  [
    z.string().regex(/\S/, 'must not be empty'),
    z
      .custom<Record<string, unknown>[]>(value => Array.isArray(value) && value.length > 0 && value.every(isObject))
      .meta({ type: 'array', items: { type: 'object' } }),
  ],
  { error: issue => (issue.input === undefined ? undefined : 'must be a text that is not empty, or a list of items') },
);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The body of a create. Fields that are not named here go to the provider unchanged. */
export const requestSchema = z
  .looseObject({
    /** May be left out if a stored prompt names it. */
    model: z
      .string({ error: 'must be the name of a model, or on Azure of a deployment' })
      .trim()
      .min(1, 'must not be empty')
      .overwrite(toWellFormed)
      .regex(/^[^\p{Cc}]{1,200}$/u, 'must be at most 200 characters without control characters')
      .optional(),
    input: inputSchema.optional(),
    prompt: z.looseObject({}).nullish(),
    metadata: metadataSchema.nullish(),
    background: z.literal(true, { error: 'must be true or left out: Headstone runs background responses' }).optional(),
    store: z
      .literal(true, { error: 'must be true or left out: a response that is not stored cannot be followed' })
      .nullish(),
    stream: z.boolean().nullish(),
    previous_response_id: z.string().nullish(),
    background_options: backgroundOptionsSchema.nullish(),
    include: counted(50, 'must be at most 50 names', z.array(z.string().max(200))).nullish(),
    conversation: z
      .null({
        error:
          'must be left out: the provider would write a result there even after its job was cancelled. Continue by previous_response_id instead',
      })
      .optional(),
  })
  .superRefine((request, context) => {
    const add = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (request.input === undefined && !request.prompt)
      add(['input'], 'is missing: give the prompt as a string or as a list of items');
    if (request.model === undefined && !request.prompt)
      add(['model'], 'is missing: name the model, or on Azure the deployment');
    if (request.stream && windowMsOf(request.background_options?.completion_window) > 0)
      add(
        ['stream'],
        'must be left out with this background_options.completion_window: the provider streams only responses that it runs at once',
      );
    const reserved = reservedNameIn(request);
    if (reserved !== undefined)
      add([reserved.slice(0, 64)], `must be left out: names that start with "${RESERVED}" are Headstone's own`);
    const disguised = disguisedNameIn(request);
    if (disguised !== undefined) add([disguised.slice(0, 64)], 'must be lower case');
    if (Object.keys(request).length > MOST_FIELDS) add([], `has more than ${MOST_FIELDS} fields`);
  });
export type ResponseRequest = z.infer<typeof requestSchema>;

/** A leap year. */
const MOST_DEADLINE_MS = 366 * 86_400_000;
export const deadlineSchema = z.number().int().positive().max(MOST_DEADLINE_MS, 'must be at most 366 days');

/** A BullMQ queue of the app in the same Redis. Each outcome adds one job there, at least once, with the data `{id, status}`. */
export const notifySchema = z.strictObject({
  queue: z.string().regex(/^[^:]+$/, 'must be the name of a BullMQ queue, without a colon'),
  /** The name of the job that is added. */
  name: z.string().min(1).default('headstone'),
  /** The prefix of the app's queues. */
  prefix: z.string().min(1).default('bull'),
});
export type Notify = z.output<typeof notifySchema>;

/** A URL that gets a signed message about the outcome, and about waste, at least once: docs/webhooks.md. */
const callbackUrlSchema = z.string();

export const enqueueOptionsSchema = z.strictObject({
  /** Makes enqueueing the same request again harmless. Default: a new random id. */
  id: jobIdSchema.optional(),
  tenant: tenantSchema.optional(),
  tags: tagsSchema.optional(),
  /** Milliseconds from the enqueue. Default: HEADSTONE_DEADLINE_MS, 24 h. */
  deadlineMs: deadlineSchema.optional(),
  /** BullMQ's priority: 1 is the most urgent, and larger numbers wait longer. 0, the default, comes before all of them. */
  priority: z.number().int().min(0).max(2_097_152).optional(),
  /** How many launches the job may pay for, the first included. Default: 1, so that a failed run is not paid for twice. */
  attempts: z.number().int().min(1).max(10).optional(),
  onUnknownLaunch: onUnknownLaunchSchema.optional(),
  /**
   * What to do where the provider refuses the key, the quota or the model, so that others have to wait too: wait until it is
   * mended (the default), or fail with what the provider said.
   */
  onHold: z.enum(['wait', 'fail']).optional(),
  notify: notifySchema.optional(),
  callbackUrl: callbackUrlSchema.optional(),
});
export type EnqueueOptions = z.input<typeof enqueueOptionsSchema>;

export const adoptOptionsSchema = z.strictObject({
  /** Default: the response's id. */
  id: jobIdSchema.optional(),
  tenant: tenantSchema.optional(),
  tags: tagsSchema.optional(),
  /** Default: the model that the first observation names. */
  model: z.string().min(1).max(200).optional(),
  /** Milliseconds from now. Default: HEADSTONE_DEADLINE_MS, 24 h. */
  deadlineMs: deadlineSchema.optional(),
  notify: notifySchema.optional(),
  callbackUrl: callbackUrlSchema.optional(),
});
export type AdoptOptions = z.input<typeof adoptOptionsSchema>;

export const cancelOptionsSchema = z.strictObject({
  reason: reasonSchema.optional(),
  actor: actorSchema.optional(),
  /** For servers: the name of the caller's API key. */
  keyName: z.string().max(64).optional(),
});
export type CancelOptions = z.infer<typeof cancelOptionsSchema>;
