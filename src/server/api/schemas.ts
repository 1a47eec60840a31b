import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { deadlineSchema, requestSchema } from '../../shared/contract/request.ts';
import { jobIdSchema, onUnknownLaunchSchema, tagsSchema, tenantSchema } from '../../shared/contract/words.ts';

/** Fastify whose routes speak in zod: what a route says of itself is what it checks, and what /docs shows. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** An id is checked by looking for it: what cannot be one is as absent as what is not there. */
export const idParamsSchema = z.object({ id: z.string() });

/** What OpenAI's API has no field for. */
export const createOptionsSchema = z.strictObject({
  id: jobIdSchema.optional(),
  tenant: tenantSchema.optional().describe('For admin keys: the job is that tenant’s.'),
  tags: tagsSchema.optional(),
  deadline_ms: deadlineSchema.optional(),
  priority: z.number().int().min(0).optional(),
  attempts: z.number().int().min(1).optional(),
  on_unknown_launch: onUnknownLaunchSchema.optional(),
});
export type CreateOptions = z.infer<typeof createOptionsSchema>;

export const createSchema = z
  .looseObject({ ...requestSchema.shape, background: z.literal(true), headstone: createOptionsSchema.optional() })
  .describe('The body of OpenAI’s create; what is not named here goes to the provider as it is.');

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
  .describe('A Response of OpenAI’s API under Headstone’s id. Once cancelled it never shows a result.');

export const errorSchema = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

/** For /docs: what every route may answer instead. */
export const errorAnswers = { '4xx': errorSchema, '5xx': errorSchema };
