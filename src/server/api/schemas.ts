import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { deadlineSchema, requestSchema } from '../../shared/contract/request.ts';
import { jobIdSchema, onUnknownLaunchSchema, tagsSchema, tenantSchema } from '../../shared/contract/words.ts';

/** Fastify with zod: a route's schemas are its checks, its types and its entry in /docs. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** An id is checked by looking for it. What cannot be an id is not found. */
export const idParamsSchema = z.object({ id: z.string() });

/** The field `headstone` of a create, for what OpenAI's API has no field for. */
const createOptionsSchema = z.strictObject({
  id: jobIdSchema.optional().describe('Makes sending the same request again harmless.'),
  tenant: tenantSchema.optional().describe('The tenant that the job belongs to. Needs an admin key.'),
  tags: tagsSchema.optional().describe('What the job is found by, and its waste summed by.'),
  deadline_ms: deadlineSchema.optional().describe('When the job expires, in milliseconds from the enqueue.'),
  priority: z.number().int().min(0).optional().describe('0 goes first, then 1, 2 and so on.'),
  attempts: z.number().int().min(1).max(10).optional().describe('How many launches the job may pay for.'),
  on_unknown_launch: onUnknownLaunchSchema
    .optional()
    .describe('Whether a create whose answer was lost is sent again, and perhaps billed twice.'),
  callback_url: z.string().optional().describe('A URL that gets a signed message about the outcome.'),
});
export type CreateOptions = z.infer<typeof createOptionsSchema>;

export const createSchema = z
  .looseObject({ ...requestSchema.shape, background: z.literal(true), headstone: createOptionsSchema.optional() })
  .describe('The body of OpenAI’s create. Fields that are not named here go to the provider unchanged.');

export const responseSchema = z
  .looseObject({
    id: z.string(),
    object: z.literal('response').optional(),
    status: z.string(),
    headstone: z.looseObject({
      status: z.string(),
      upstream_id: z.string().nullable(),
      tombstone: z.looseObject({}).nullable(),
      waste: z.array(z.looseObject({})),
    }),
  })
  .describe('A Response of OpenAI’s API under the job’s id. Once it is cancelled it never shows a result.');

const errorSchema = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

/** The errors that every route may answer, for /docs. */
export const errorAnswers = { '4xx': errorSchema, '5xx': errorSchema };
