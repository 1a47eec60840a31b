import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Producer } from '../producer/producer.ts';
import { HeadstoneError, parseInput } from '../shared/contract/errors.ts';
import { cancelOptionsSchema } from '../shared/contract/request.ts';
import { jobIdSchema, onUnknownLaunchSchema, tagsSchema, tenantSchema } from '../shared/contract/words.ts';
import { findJob, notFound } from './find-job.ts';
import { responseBody } from './response-body.ts';
import type { Caller } from './sign-in.ts';

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

/** The caller's own words; the key's name is not theirs to claim. */
const cancelSchema = cancelOptionsSchema.omit({ keyName: true });

type WithId = { Params: { id: string } };

/** The part of OpenAI's API that has to do with background responses. */
export function responseRoutes(app: FastifyInstance, producer: Producer): void {
  app.post('/v1/responses', async (request, reply) => {
    const { headstone = {}, ...wanted } = parseInput(createSchema, request.body);
    const tenant = tenantFor(request.caller, headstone.tenant);
    const id = headstone.id ?? idOfKey(request, tenant);
    // Whether the store took it may be unknown: without an id of its own, the same create again would be another job.
    if (id === undefined) reply.header('x-should-retry', 'false');
    const options = {
      tenant,
      ...(id === undefined ? {} : { id }),
      ...(headstone.tags ? { tags: headstone.tags } : {}),
      ...(headstone.deadline_ms ? { deadlineMs: headstone.deadline_ms } : {}),
      ...(headstone.priority ? { priority: headstone.priority } : {}),
      ...(headstone.attempts ? { attempts: headstone.attempts } : {}),
      ...(headstone.on_unknown_launch ? { onUnknownLaunch: headstone.on_unknown_launch } : {}),
    };
    const { id: jobId } = await producer.enqueue(wanted, options).catch((error: unknown) => {
      throw isConflictOfKey(error, headstone.id) ? keyConflict() : error;
    });
    const body = await show(producer, jobId, request.caller);
    reply.removeHeader('x-should-retry');
    return body;
  });

  app.get<WithId>('/v1/responses/:id', async request => await show(producer, request.params.id, request.caller));

  app.post<WithId>('/v1/responses/:id/cancel', async request => {
    const { id } = request.params;
    const options = parseInput(cancelSchema, request.body ?? {});
    await findJob(producer, id, request.caller);
    const { keyName } = request.caller;
    await producer.cancel(id, { ...options, ...(keyName === null ? {} : { keyName }) });
    return await show(producer, id, request.caller);
  });

  app.delete<WithId>('/v1/responses/:id', async request => {
    const { id } = request.params;
    await findJob(producer, id, request.caller);
    const { verdict } = await producer.deleteResult(id);
    if (verdict === 'still_open')
      throw new HeadstoneError('invalid_request', `Response ${id} has not ended: cancel it first, or wait for it.`);
    return { id, object: 'response', deleted: true };
  });
}

/** Only an admin's key speaks for another tenant (I12). */
function tenantFor(caller: Caller, wanted: string | undefined): string {
  if (wanted === undefined || wanted === caller.tenant || caller.admin) return wanted ?? caller.tenant;
  throw new HeadstoneError(
    'invalid_request',
    'headstone.tenant is for admin keys: leave it out, and the job is your own.',
    {
      param: 'headstone.tenant',
    },
  );
}

/** The caller sent a key and no id, so they are told of the key. */
function isConflictOfKey(error: unknown, id: string | undefined): boolean {
  return id === undefined && error instanceof HeadstoneError && error.code === 'id_conflict';
}

function keyConflict(): HeadstoneError {
  return new HeadstoneError(
    'id_conflict',
    'This Idempotency-Key was used for another request: nothing was enqueued. Use a new key for a new request.',
  );
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

async function show(producer: Producer, id: string, caller: Caller) {
  const job = await findJob(producer, id, caller);
  if (job.outcome?.result === 'deleted') throw notFound(id);
  if (job.outcome?.result === 'expired')
    throw new HeadstoneError(
      'result_expired',
      `Response ${id} ended as ${job.status}, and its result is no longer kept.`,
    );
  return responseBody(job, await producer.request(id));
}
