import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { idConflict } from '../../producer/enqueue-errors.ts';
import { idOfKey, scopedId } from '../../producer/ids.ts';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { EnqueueOptions } from '../../shared/contract/request.ts';
import { newJobId } from '../../shared/store/lane-plan.ts';
import { hasOwnIds, tenantOfNewJob } from '../access/permissions.ts';
import { RESEND_WINDOW_MS } from './answered.ts';
import { sendEvents } from './event-stream.ts';
import { sendJson, showResponse } from './find-job.ts';
import type { ResponseParts } from './responses.ts';
import { type Api, type CreateOptions, createSchema, errorAnswers, responseSchema } from './schemas.ts';

const LARGE_BODY = 100_000;

/** An SDK gives up long before this. */
const MOST_SENDS = 100;

export function createRoute(app: Api, { producer, passthrough, readers }: ResponseParts): void {
  app.post(
    '/v1/responses',
    {
      schema: {
        summary: 'Enqueue a background response',
        tags: ['responses'],
        body: createSchema,
        response: { 200: responseSchema, ...errorAnswers },
      },
      preValidation: async (request, reply) => {
        if (isBackground(request.body)) return;
        if (!passthrough.isOpen)
          throw new HeadstoneError(
            'unsupported_parameter',
            'background must be true. Headstone runs background responses, and passes others on only with HEADSTONE_PASSTHROUGH=1.',
            { param: 'background' },
          );
        return await passthrough.sendCreate(request, reply);
      },
    },
    async (request, reply) => {
      const { headstone = {}, background, ...wanted } = request.body;
      // Reading a large body took long, so others get a turn.
      if ((request.rawBody?.length ?? 0) > LARGE_BODY) await nextTurn();
      const tenant = tenantOfNewJob(request.caller, headstone.tenant);
      const named = await namedId(request, tenant, producer);
      const count = sendNumber(request);
      // The store may have taken the job even if this fails. If nothing names the create, sending it again makes another job.
      if (named === undefined && count === null) reply.header('x-should-retry', 'false');
      const id = named ?? (count === null ? undefined : await idOfSend(request, count, producer));
      const options = { ...optionsOf(headstone), tenant, id };
      if (wanted.stream) return await enqueueAndFollow(request, reply, options, wanted);
      const jobId = await enqueue(request, options, wanted);
      reply.header('x-should-retry', 'false');
      const text = await showResponse(producer, jobId, headstone.id ?? jobId);
      reply.removeHeader('x-should-retry');
      return sendJson(reply, text);
    },
  );

  /** Takes a reader's place before it enqueues, so that a caller who is refused pays for nothing. */
  async function enqueueAndFollow(
    request: FastifyRequest<{ Body: z.output<typeof createSchema> }>,
    reply: FastifyReply,
    options: EnqueueOptions,
    wanted: unknown,
  ): Promise<FastifyReply> {
    const leave = readers.enter(request.caller.tenant);
    try {
      const jobId = await enqueue(request, options, wanted);
      return sendEvents(reply, signal => producer.subscribe(jobId, { signal }), leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  async function enqueue(
    { caller, rawBody, body: { headstone } }: FastifyRequest<{ Body: z.output<typeof createSchema> }>,
    options: EnqueueOptions,
    wanted: unknown,
  ): Promise<string> {
    const isScoped = hasOwnIds(caller);
    const [result] = await producer.enqueueMany([
      {
        request: wanted,
        options,
        caller: {
          text: rawBody,
          sharesAccount: await passthrough.sharesAccount(caller),
          ...(isScoped ? { chosenId: headstone?.id } : {}),
        },
      },
    ]);
    if (result?.error) throw toldOf(result.error, headstone?.id);
    return result?.id ?? '';
  }
}

/** The job's id if the caller chose one or sent an Idempotency-Key; undefined if nothing names the job. */
async function namedId(
  { caller, headers, body }: FastifyRequest<{ Body: z.output<typeof createSchema> }>,
  tenant: string,
  { store }: Producer,
): Promise<string | undefined> {
  const chosen = body.headstone?.id;
  if (chosen !== undefined) return hasOwnIds(caller) ? await scopedId(store, tenant, chosen) : chosen;
  const key = headers['idempotency-key'];
  return typeof key === 'string' && key !== '' ? await idOfKey(store, tenant, key) : undefined;
}

function isBackground(body: unknown): boolean {
  // If the body is no object, the schema says so.
  return typeof body !== 'object' || body === null || (body as { background?: unknown }).background === true;
}

function optionsOf({ tags, deadline_ms, priority, attempts, on_unknown_launch }: CreateOptions): EnqueueOptions {
  return {
    tags,
    deadlineMs: deadline_ms,
    priority,
    attempts,
    onUnknownLaunch: on_unknown_launch,
  };
}

/** How often OpenAI's SDK has sent this create before; null if the client does not say. */
function sendNumber(request: FastifyRequest): number | null {
  const header = request.headers['x-stainless-retry-count'];
  if (typeof header !== 'string' || !/^\d{1,3}$/.test(header)) return null;
  return Math.min(Number(header), MOST_SENDS);
}

/** The id of the job that this create re-sends, or else a new one. So a lost answer is not paid for twice (I6). */
async function idOfSend(request: FastifyRequest, count: number, producer: Producer): Promise<string> {
  const digest = createHash('sha256')
    .update(JSON.stringify([request.caller.tenant, request.caller.keyName, request.rawBody ?? request.body]))
    .digest('hex');
  const { store } = producer;
  const plan = await store.currentPlan();
  const lane = await store.laneToMake(digest);
  // The job is made in the lane that remembers its sends, so that one step sees both.
  const new_id = newJobId(plan, lane.number);
  const { id } = await lane.run('resend', { digest, count, new_id, window_ms: RESEND_WINDOW_MS });
  return id;
}

/** The error in terms of what the caller sent: the id that it chose, or its Idempotency-Key. */
function toldOf(error: HeadstoneError, chosen: string | undefined): HeadstoneError {
  if (error.code !== 'id_conflict') return error;
  return chosen === undefined ? keyConflict() : idConflict(chosen);
}

function keyConflict(): HeadstoneError {
  return new HeadstoneError(
    'id_conflict',
    'This Idempotency-Key was used for another request, so nothing was enqueued. Use a new key for a new request.',
  );
}
