import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { idConflict } from '../../producer/enqueue-errors.ts';
import { HeadstoneError } from '../../shared/contract/errors.ts';
import type { EnqueueOptions } from '../../shared/contract/request.ts';
import { withCallersTrace } from '../../shared/runtime/tracing.ts';
import { hasOwnIds, tenantOfNewJob } from '../access/permissions.ts';
import type { PlainCreates } from '../upgrade/plain-creates.ts';
import { whenGone } from './client-gone.ts';
import { digestOf, namedId, sendNumber } from './create-identity.ts';
import { sendEvents } from './event-stream.ts';
import { sendJson, showResponse } from './find-job.ts';
import { idOfSend } from './resends.ts';
import type { ResponseParts } from './responses.ts';
import { type Api, type CreateOptions, createSchema, errorAnswers, responseSchema } from './schemas.ts';

const LARGE_BODY = 100_000;

type CreateRequest = FastifyRequest<{ Body: z.output<typeof createSchema> }>;

export function createRoute(
  app: Api,
  { producer, passthrough, readers, plainCreates }: ResponseParts & { plainCreates: PlainCreates },
): void {
  app.addHook('preClose', () => plainCreates.close());
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
        if (!isBackground(request.body)) return await plainCreates.receive(request, reply);
      },
    },
    async (request, reply) => {
      const { headstone = {}, background, ...wanted } = request.body;
      const { plainBody } = request;
      // Reading a large body took long, so others get a turn.
      if ((request.rawBody?.length ?? 0) > LARGE_BODY) await nextTurn();
      const tenant = tenantOfNewJob(request.caller, headstone.tenant);
      const isPlain = plainBody !== undefined;
      const name = async (): Promise<Name> => {
        const known = await namedId(request, headstone.id, tenant, producer);
        const count = sendNumber(request);
        // The store may have taken the job even if this fails. If nothing names the create, sending it again makes another job.
        if (known === undefined && count === null) reply.header('x-should-retry', 'false');
        if (known?.id !== undefined) return { id: known.id, lanes: known.lanes, sent: undefined };
        if (count === null && !isPlain) return { id: undefined, lanes: undefined, sent: undefined };
        const sent = digestOf(request);
        const send = { digest: sent, count: count ?? 0, takesOver: isPlain };
        return { id: await idOfSend(producer.store, send), lanes: undefined, sent };
      };
      const create = ({ id, lanes }: Name): Create => ({
        options: { ...optionsOf(headstone), tenant, id },
        lanes,
        wanted,
      });
      if (isPlain)
        return await plainCreates.answer(request, reply, {
          name: async () => (await name()) as Name & { id: string },
          // A plain caller waits for no person to mend a key.
          enqueue: (named, attendedBy) => enqueue(request, create(named), { onHold: 'fail' }, attendedBy),
        });
      const named = await name();
      if (wanted.stream) return await enqueueAndFollow(request, reply, create(named));
      const jobId = await enqueue(request, create(named));
      reply.header('x-should-retry', 'false');
      const text = await showResponse(producer, jobId, headstone.id ?? jobId);
      reply.removeHeader('x-should-retry');
      return sendJson(reply, text);
    },
  );

  /** Takes a reader's place before it enqueues, so that a caller who is refused pays for nothing. */
  async function enqueueAndFollow(request: CreateRequest, reply: FastifyReply, create: Create): Promise<FastifyReply> {
    const leave = readers.enter(request.caller.tenant);
    try {
      const jobId = await enqueue(request, create);
      const gone = whenGone(reply, leave);
      return sendEvents(reply, producer.subscribe(jobId, { signal: gone }));
    } catch (error) {
      leave();
      throw error;
    }
  }

  async function enqueue(
    { caller, rawBody, headers, body: { headstone } }: CreateRequest,
    { options, lanes, wanted }: Create,
    more: EnqueueOptions = {},
    attendedBy?: string,
  ): Promise<string> {
    const sharesAccount = await passthrough.sharesAccount(caller);
    const jobs = [
      {
        request: wanted,
        options: { ...options, ...more },
        caller: {
          text: rawBody,
          lanes,
          sharesAccount,
          attendedBy,
          ...(hasOwnIds(caller) ? { chosenId: headstone?.id } : {}),
        },
      },
    ];
    const [result] = await withCallersTrace(headers, () => producer.enqueueMany(jobs));
    if (result?.error) throw toldOf(result.error, headstone?.id);
    return result?.id ?? '';
  }
}

/** The job of a create: its id if it has one by now, and the number of lanes by which that was made. */
interface Name {
  id: string | undefined;
  lanes: number | undefined;
  /** What tells the create from others; undefined if it has a name. */
  sent: string | undefined;
}

/** A create: its options, the number of lanes by which its id was made, and the request. */
interface Create {
  options: EnqueueOptions;
  lanes: number | undefined;
  wanted: unknown;
}

function isBackground(body: unknown): boolean {
  // If the body is no object, the schema says so.
  return typeof body !== 'object' || body === null || (body as { background?: unknown }).background === true;
}

function optionsOf({
  tags,
  deadline_ms,
  priority,
  attempts,
  on_unknown_launch,
  callback_url,
}: CreateOptions): EnqueueOptions {
  return {
    tags,
    deadlineMs: deadline_ms,
    priority,
    attempts,
    onUnknownLaunch: on_unknown_launch,
    callbackUrl: callback_url,
  };
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
