import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Producer } from '../producer/producer.ts';
import { HeadstoneError, parseInput } from '../shared/contract/errors.ts';
import type { Job } from '../shared/contract/job.ts';
import { cancelOptionsSchema } from '../shared/contract/request.ts';
import {
  DEFAULT_TENANT,
  jobIdSchema,
  onUnknownLaunchSchema,
  tagsSchema,
  tenantSchema,
} from '../shared/contract/words.ts';
import { responseBody } from './response-body.ts';

const createSchema = z.looseObject({
  background: z.literal(true, { error: 'must be true: Headstone runs background responses' }),
  /** What OpenAI's API has no field for. */
  headstone: z
    .strictObject({
      id: jobIdSchema.optional(),
      tenant: tenantSchema.optional(),
      tags: tagsSchema.optional(),
      deadline_ms: z.number().int().positive().optional(),
      priority: z.number().int().min(0).optional(),
      attempts: z.number().int().min(1).optional(),
      on_unknown_launch: onUnknownLaunchSchema.optional(),
    })
    .optional(),
});

type WithId = { Params: { id: string } };

/** The part of OpenAI's API that has to do with background responses. */
export function responseRoutes(app: FastifyInstance, producer: Producer): void {
  app.post('/v1/responses', async request => {
    const { headstone = {}, ...body } = parseInput(createSchema, request.body);
    const tenant = headstone.tenant ?? DEFAULT_TENANT;
    const id = headstone.id ?? idOfKey(request, tenant);
    const { id: jobId } = await producer.enqueue(body, {
      tenant,
      ...(id === undefined ? {} : { id }),
      ...(headstone.tags ? { tags: headstone.tags } : {}),
      ...(headstone.deadline_ms ? { deadlineMs: headstone.deadline_ms } : {}),
      ...(headstone.priority ? { priority: headstone.priority } : {}),
      ...(headstone.attempts ? { attempts: headstone.attempts } : {}),
      ...(headstone.on_unknown_launch ? { onUnknownLaunch: headstone.on_unknown_launch } : {}),
    });
    return await show(producer, jobId);
  });

  app.get<WithId>('/v1/responses/:id', async request => await show(producer, request.params.id));

  app.post<WithId>('/v1/responses/:id/cancel', async request => {
    const { id } = request.params;
    if (!jobIdSchema.safeParse(id).success) throw notFound(id);
    const { verdict } = await producer.cancel(id, parseInput(cancelOptionsSchema, request.body ?? {}));
    if (verdict === 'not_found') throw notFound(id);
    return await show(producer, id);
  });

  app.get<WithId>('/v1/jobs/:id', async request => {
    // The record without the output: that is what /v1/responses is for.
    const { response, ...record } = await find(producer, request.params.id);
    return record;
  });
}

/** The same key is the same job, as the header's name promises. */
function idOfKey(request: FastifyRequest, tenant: string): string | undefined {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || key === '') return undefined;
  return `resp_${createHash('sha256')
    .update(JSON.stringify([tenant, key]))
    .digest('hex')
    .slice(0, 32)}`;
}

async function show(producer: Producer, id: string) {
  const job = await find(producer, id);
  if (job.outcome?.result === 'expired')
    throw new HeadstoneError(
      'result_expired',
      `Response ${id} ended as ${job.status}, and its result is no longer kept.`,
    );
  return responseBody(job, await producer.request(id));
}

async function find(producer: Producer, id: string): Promise<Job> {
  const job = jobIdSchema.safeParse(id).success ? await producer.get(id) : null;
  if (!job) throw notFound(id);
  return job;
}

function notFound(id: string): HeadstoneError {
  return new HeadstoneError('job_not_found', `Response with id '${id}' not found.`);
}
