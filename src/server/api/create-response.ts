import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { idConflict } from '../../producer/enqueue-errors.ts';
import { idOfKey, type PlacedId, scopedId } from '../../producer/ids.ts';
import type { Producer } from '../../producer/producer.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { EnqueueOptions } from '../../shared/contract/request.ts';
import { hasOwnIds, tenantOfNewJob } from '../access/permissions.ts';
import { sendEvents } from './event-stream.ts';
import { sendJson, showResponse } from './find-job.ts';
import { idOfSend } from './resends.ts';
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
      const { id, lanes } =
        named ?? (count === null ? {} : { id: await idOfSend(producer.store, digestOf(request), count) });
      const options = { ...optionsOf(headstone), tenant, id };
      if (wanted.stream) return await enqueueAndFollow(request, reply, { options, lanes, wanted });
      const jobId = await enqueue(request, { options, lanes, wanted });
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
    create: Create,
  ): Promise<FastifyReply> {
    const leave = readers.enter(request.caller.tenant);
    try {
      const jobId = await enqueue(request, create);
      return sendEvents(reply, signal => producer.subscribe(jobId, { signal }), leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  async function enqueue(
    { caller, rawBody, body: { headstone } }: FastifyRequest<{ Body: z.output<typeof createSchema> }>,
    { options, lanes, wanted }: Create,
  ): Promise<string> {
    const isScoped = hasOwnIds(caller);
    const [result] = await producer.enqueueMany([
      {
        request: wanted,
        options,
        caller: {
          text: rawBody,
          lanes,
          sharesAccount: await passthrough.sharesAccount(caller),
          ...(isScoped ? { chosenId: headstone?.id } : {}),
        },
      },
    ]);
    if (result?.error) throw toldOf(result.error, headstone?.id);
    return result?.id ?? '';
  }
}

/** A create: its options, the number of lanes by which its id was made, and the request. */
interface Create {
  options: EnqueueOptions;
  lanes: number | undefined;
  wanted: unknown;
}

/** The job's id if the caller chose one or sent an Idempotency-Key; undefined if nothing names the job. */
async function namedId(
  { caller, headers, body }: FastifyRequest<{ Body: z.output<typeof createSchema> }>,
  tenant: string,
  { store }: Producer,
): Promise<Partial<PlacedId> | undefined> {
  const chosen = body.headstone?.id;
  if (chosen !== undefined) return hasOwnIds(caller) ? await scopedId(store, tenant, chosen) : { id: chosen };
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

/** What tells a create from another one of the same key. */
function digestOf({ caller, rawBody, body }: FastifyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([caller.tenant, caller.keyName, rawBody ?? body]))
    .digest('hex');
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
